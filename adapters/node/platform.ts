/** Node as a `Platform`. */
import { randomFillSync } from 'node:crypto'
import { availableParallelism, hostname } from 'node:os'
import { BlockvaultError } from '../../src/contract/errors.ts'
import { type Platform, WORKERS_MAX } from '../../src/contract/platform.ts'
import { tooOld } from '../shared/runtime-version.ts'
import { nodeAead } from './aead.ts'
import { compileCore, loadCore } from './core.ts'
import { volumeFacts } from './facts.ts'
import { inlinePort, workerPort } from './spawn.ts'
import { createTarget } from './target.ts'

export async function createPlatform(): Promise<Platform> {
  const problem = tooOld('Node', process.versions.node)
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
