/** What a worker does elsewhere, on this thread: one frame or piece of a segment is one step, and the event loop has its turn between steps. */
import { argon2idAsync } from '@noble/hashes/argon2.js'
import type { Core } from '../../src/contract/core.ts'
import type { Port } from '../../src/contract/port.ts'
import type { VolumeHandle, VolumeHost } from '../../src/contract/volume.ts'
import { createInlinePort, createTurns } from '../../src/io/inline.ts'
import { type Handlers, handle, release } from '../../src/io/operation.ts'
import { addVolumeOperations } from '../../src/io/volume-operations.ts'
import { addDecodeOperations } from '../../src/pipeline/decode-operations.ts'
import { addEncodeOperations } from '../../src/pipeline/encode-operations.ts'
import { stretchPassphrase } from '../../src/pipeline/key-operation.ts'
import { edgeAead } from './aead.ts'

/** Longest that Argon2id keeps the event loop waiting. */
const STEP_MS = 10

export function edgePort(core: Core, volumes: VolumeHost): Port {
  const handlers: Handlers = new Map()
  const open = new Map<number, VolumeHandle>()
  addVolumeOperations(handlers, volumes, open)
  const turns = createTurns()
  const releases = [addEncodeOperations(handlers, core, edgeAead, open, turns), addDecodeOperations(handlers, core, edgeAead, open, turns)]
  // hash-wasm, which is four to eight times as fast, compiles WebAssembly from bytes: edge workers refuse that.
  handle(handlers, stretchPassphrase, async ({ passphrase, salt, costs }) => {
    const key = await argon2idAsync(passphrase, salt, { t: costs.passes, m: costs.memoryKiB, p: costs.lanes, dkLen: 32, asyncTick: STEP_MS })
    return new Uint8Array(key)
  })
  handle(handlers, release, async () => {
    for (const releaseMemory of releases) releaseMemory()
    for (const volume of open.values()) await volume.close()
    open.clear()
  })
  return createInlinePort(handlers, turns)
}
