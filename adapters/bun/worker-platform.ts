/** What a worker is made of on Bun: the same in a thread and on the calling one. Its `node:crypto` is the fastest of all runtimes'. */
import type { Core } from '../../src/contract/core.ts'
import type { WorkerPlatform } from '../../src/contract/platform.ts'
import { nodeAead } from '../node/aead.ts'
import { nodeHashes } from '../node/hashes.ts'
import { createVolumeHost } from '../node/volumes.ts'
import { createPunchHole } from './punch-hole.ts'

export function workerPlatform(core: Core): WorkerPlatform {
  return { core, aead: nodeAead, hashes: nodeHashes, volumes: createVolumeHost(createPunchHole()) }
}
