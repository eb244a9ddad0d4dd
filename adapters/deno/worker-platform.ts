/** What a worker is made of on Deno: the same in a thread and on the calling one. */
import type { Core } from '../../src/contract/core.ts'
import type { WorkerPlatform } from '../../src/contract/platform.ts'
import { nodeHashes } from '../node/hashes.ts'
import { denoAead } from './aead.ts'
import { createVolumeHost } from './volumes.ts'

export function workerPlatform(core: Core): WorkerPlatform {
  return { core, aead: denoAead, hashes: nodeHashes, volumes: createVolumeHost() }
}
