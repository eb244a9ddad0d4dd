/** Everything a worker can do. An adapter's worker file hands in its platform and serves the result. */
import type { WorkerPlatform } from '../contract/platform.ts'
import type { VolumeHandle } from '../contract/volume.ts'
import { type Handlers, handle, release } from '../io/operation.ts'
import { addVolumeOperations } from '../io/volume-operations.ts'
import { addDecodeOperations } from './decode-operations.ts'
import { addEncodeOperations } from './encode-operations.ts'
import { addKeyOperation } from './key-operation.ts'
import { addObjectDecodeOperations } from './object-decode-operations.ts'
import { addObjectEncodeOperations } from './object-encode-operations.ts'

export function workerHandlers({ core, hashes, aead, volumes }: WorkerPlatform): Handlers {
  const handlers: Handlers = new Map()
  const open = new Map<number, VolumeHandle>()
  addVolumeOperations(handlers, volumes, open)
  const releases = [
    addEncodeOperations(handlers, core, aead, open),
    addDecodeOperations(handlers, core, aead, open),
    addObjectEncodeOperations(handlers, core, hashes, open),
    addObjectDecodeOperations(handlers, core, hashes, open),
  ]
  addKeyOperation(handlers, core)
  handle(handlers, release, async () => {
    for (const releaseMemory of releases) releaseMemory()
    for (const volume of open.values()) await volume.close()
    open.clear()
  })
  return handlers
}
