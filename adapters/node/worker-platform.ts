/** What a worker is made of on Node: the same in a thread and on the calling one. */
import type { Core } from '../../src/contract/core.ts'
import type { WorkerPlatform } from '../../src/contract/platform.ts'
import { nodeAead } from './aead.ts'
import { nodeHashes } from './hashes.ts'
import { createVolumeHost } from './volumes.ts'

export function workerPlatform(core: Core): WorkerPlatform {
  return { core, aead: nodeAead, hashes: nodeHashes, volumes: createVolumeHost() }
}
