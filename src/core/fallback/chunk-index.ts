/**
 * Fingerprint → place, for hosts without the WASM core. It takes 41 to 83 bytes a chunk, not the core's 40: a browser
 * tab or an edge worker holds few volumes.
 */
import type { ChunkIndex, CodecNumber } from '../../contract/core.ts'
import { FINGERPRINT_BYTES } from '../../contract/core.ts'
import { BlockvaultError } from '../../contract/errors.ts'
import { FingerprintTable, fingerprintView } from './fingerprint-table.ts'
import { PACK_ID_BYTES, walkIndexBlock } from './index-block.ts'

const PREFIX_WORDS = 6
/** Values of a record. */
const [FRAME, CHUNK_OFFSET, CHUNK_BYTES] = [0, 1, 2]

interface Pack {
  id: Uint8Array<ArrayBuffer>
  bytes: number
  firstFrame: number
}

interface Frame {
  pack: number
  offset: number
  storedBytes: number
  plainBytes: number
  codec: CodecNumber
}

/** What the engine takes for one of these objects and its place in an array, roughly. */
const OBJECT_BYTES = 64

export function createChunkIndex(): ChunkIndex {
  const table = new FingerprintTable(PREFIX_WORDS, 3)
  const packs: Pack[] = []
  const frames: Frame[] = []

  function packAt(number: number): Pack {
    const pack = packs[number]
    if (pack === undefined) throw new BlockvaultError('INTERNAL', `The index has no pack ${number}: it holds ${packs.length}.`)
    return pack
  }

  return {
    get size() {
      return table.size
    },
    get memoryBytes() {
      return table.memoryBytes + (packs.length + frames.length) * OBJECT_BYTES
    },
    get packs() {
      return packs.length
    },
    load(block) {
      walkIndexBlock(block)
      return walkIndexBlock(block, {
        pack(id, bytes) {
          packs.push({ id: new Uint8Array(id), bytes, firstFrame: frames.length })
        },
        frame(offset, storedBytes, plainBytes, codec) {
          frames.push({ pack: packs.length - 1, offset, storedBytes, plainBytes, codec })
        },
        chunk(offset, chunkBytes, view, fingerprintOffset) {
          const record = table.insert(view, fingerprintOffset)
          if (record === -1) return
          table.setValue(record, FRAME, frames.length - 1)
          table.setValue(record, CHUNK_OFFSET, offset)
          table.setValue(record, CHUNK_BYTES, chunkBytes)
        },
      })
    },
    has(fingerprints, count) {
      const view = fingerprintView(fingerprints, count)
      return Uint8Array.from({ length: count }, (_, index) => (table.find(view, index * FINGERPRINT_BYTES) === -1 ? 0 : 1))
    },
    find(fingerprint) {
      const record = table.find(fingerprintView(fingerprint, 1), 0)
      if (record === -1) return undefined
      const number = table.value(record, FRAME)
      const frame = frames[number]!
      return {
        pack: frame.pack,
        frame: number - packs[frame.pack]!.firstFrame,
        frameOffset: frame.offset,
        frameStoredBytes: frame.storedBytes,
        framePlainBytes: frame.plainBytes,
        codec: frame.codec,
        chunkOffset: table.value(record, CHUNK_OFFSET),
        chunkBytes: table.value(record, CHUNK_BYTES),
      }
    },
    packId: (pack) => packAt(pack).id.slice(0, PACK_ID_BYTES),
    packBytes: (pack) => packAt(pack).bytes,
    free() {},
  }
}
