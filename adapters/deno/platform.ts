/** Deno as a `Platform`. */
import { BlockvaultError } from '../../src/contract/errors.ts'
import { type Platform, WORKERS_MAX } from '../../src/contract/platform.ts'
import { volumeFacts } from '../node/facts.ts'
import { createTarget } from '../node/target.ts'
import { tooOld } from '../shared/runtime-version.ts'
import { denoAead } from './aead.ts'
import { compileCore, loadCore } from './core.ts'
import { inlinePort, workerPort } from './spawn.ts'

export async function createPlatform(): Promise<Platform> {
  const problem = tooOld('Deno', Deno.version.deno)
  if (problem) throw new BlockvaultError('CORE_UNAVAILABLE', problem)
  const module = await compileCore()
  const core = await loadCore(module)
  return {
    core,
    aead: denoAead,
    spawn: ({ inline }) => (inline ? inlinePort(core) : workerPort(module)),
    workersDefault: Math.min(WORKERS_MAX, navigator.hardwareConcurrency),
    volumeFacts,
    hostName: await hostName(),
    now: () => Date.now(),
    random: (length) => crypto.getRandomValues(new Uint8Array(length)),
    createTarget,
    close: async () => {},
  }
}

/** Goes into manifests, where it may be missing: nobody is asked for `--allow-sys` because of it. */
async function hostName(): Promise<string> {
  const { state } = await Deno.permissions.query({ name: 'sys', kind: 'hostname' })
  return state === 'granted' ? Deno.hostname() : ''
}
