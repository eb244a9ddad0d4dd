/** What a worker does elsewhere, on this thread: one frame or piece of a segment is one step, and the event loop has its turn between steps. */
import type { Core } from '../../src/contract/core.ts'
import type { Port } from '../../src/contract/port.ts'
import type { VolumeHandle, VolumeHost } from '../../src/contract/volume.ts'
import { createInlinePort, createTurns } from '../../src/io/inline.ts'
import { type Handlers, handle, release } from '../../src/io/operation.ts'
import { addVolumeOperations } from '../../src/io/volume-operations.ts'
import { addDecodeOperations } from '../../src/pipeline/decode-operations.ts'
import { addEncodeOperations } from '../../src/pipeline/encode-operations.ts'
import { addKeyOperation } from '../../src/pipeline/key-operation.ts'
import { edgeAead } from './aead.ts'

/** As large as the frames are by default: each is written on its own, and a writer gets no larger pieces. */
const DECODED_BYTES = 1024 * 1024

export function edgePort(core: Core, volumes: VolumeHost): Port {
  const handlers: Handlers = new Map()
  const open = new Map<number, VolumeHandle>()
  addVolumeOperations(handlers, volumes, open)
  const turns = createTurns()
  const releases = [
    addEncodeOperations(handlers, core, edgeAead, open, turns),
    addDecodeOperations(handlers, core, edgeAead, open, { pause: turns, decodedBytes: DECODED_BYTES }),
  ]
  addKeyOperation(handlers, core, turns)
  handle(handlers, release, async () => {
    for (const releaseMemory of releases) releaseMemory()
    for (const volume of open.values()) await volume.close()
    open.clear()
  })
  return createInlinePort(handlers, turns)
}
