/** Bun as a `Platform`: what it has of Node's, and its own threads. */
import { randomFillSync } from 'node:crypto'
import { availableParallelism, hostname } from 'node:os'
import { BlockvaultError } from '../../src/contract/errors.ts'
import { type Platform, WORKERS_MAX } from '../../src/contract/platform.ts'
import { nodeAead } from '../node/aead.ts'
import { compileCore, loadCore } from '../node/core.ts'
import { volumeFacts } from '../node/facts.ts'
import { createTarget } from '../node/target.ts'
import { tooOld } from '../shared/runtime-version.ts'
import { inlinePort, workerPort } from './spawn.ts'

export async function createPlatform(): Promise<Platform> {
  const problem = tooOld('Bun', process.versions['bun'] ?? '')
  if (problem) throw new BlockvaultError('CORE_UNAVAILABLE', problem)
  const module = compileCore()
  const core = await loadCore(module)
  return {
    core,
    aead: nodeAead,
    spawn: ({ inline }) => (inline ? inlinePort(core) : workerPort(module)),
    workersDefault: Math.min(WORKERS_MAX, availableParallelism()),
    volumeFacts,
    hostName: hostname(),
    now: () => Date.now(),
    random: (length) => randomFillSync(new Uint8Array(length)),
    createTarget,
    close: async () => {},
  }
}
