/**
 * Reads an index block (docs/format.md, "Index block").
 *
 * Invariant: every field is checked before it is used and nothing is allocated by what a count says. One walk without a
 * visitor proves a block; a second one over the same bytes can not fail.
 */
import { CODECS } from '../../contract/core.ts'
import type { CodecNumber } from '../../contract/core.ts'
import { damaged } from './damaged.ts'

export const PACK_ID_BYTES = 16
const PACK_HEADER_BYTES = 24
const FINGERPRINT_BYTES = 32
const PACK_COUNT_MAX = 65536
const PACK_BYTES_MAX = 2 ** 31 - 1
const FRAME_COUNT_MAX = 65536
const FRAME_STORED_BYTES_MAX = 2 ** 26
const FRAME_PLAIN_BYTES_MAX = 2 ** 24
const CHUNK_COUNT_MAX = 65535
const CODEC_MAX = Math.max(...Object.values(CODECS))

/** Told in the order of the block. */
export interface IndexBlockVisitor {
  pack(id: Uint8Array, packBytes: number): void
  frame(offset: number, storedBytes: number, plainBytes: number, codec: CodecNumber): void
  /** The fingerprint starts at `fingerprintOffset` of `view`. */
  chunk(offset: number, chunkBytes: number, view: DataView, fingerprintOffset: number): void
}

/** Returns how many packs the block names. */
export function walkIndexBlock(block: Uint8Array, visitor?: IndexBlockVisitor): number {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength)
  let at = 0

  function skip(bytes: number, what: string): number {
    if (bytes > block.length - at) damaged(`The index block ends in ${what}`, at)
    at += bytes
    return at - bytes
  }
  function number(bytes: 1 | 2 | 4, min: number, max: number, what: string): number {
    const start = skip(bytes, what)
    const value = bytes === 4 ? view.getUint32(start, true) : bytes === 2 ? view.getUint16(start, true) : view.getUint8(start)
    if (value < min || value > max) damaged(`The index block has ${value} as ${what}, beyond ${min} to ${max},`, start)
    return value
  }

  const packCount = number(4, 1, PACK_COUNT_MAX, 'a pack count')
  for (let pack = 0; pack < packCount; pack++) {
    const id = skip(PACK_ID_BYTES, 'a pack id')
    const packBytes = number(4, PACK_HEADER_BYTES, PACK_BYTES_MAX, 'a pack length')
    visitor?.pack(block.subarray(id, id + PACK_ID_BYTES), packBytes)
    const frameCount = number(4, 1, FRAME_COUNT_MAX, 'a frame count')
    let frameOffset = PACK_HEADER_BYTES
    for (let frame = 0; frame < frameCount; frame++) {
      const storedBytes = number(4, 1, Math.min(FRAME_STORED_BYTES_MAX, packBytes - frameOffset), 'the stored bytes of a frame')
      const plainBytes = number(4, 1, FRAME_PLAIN_BYTES_MAX, 'the plaintext bytes of a frame')
      const codec = number(1, 0, CODEC_MAX, 'a codec') as CodecNumber
      number(1, 0, 0, 'the byte after a codec')
      visitor?.frame(frameOffset, storedBytes, plainBytes, codec)
      const chunkCount = number(2, 1, CHUNK_COUNT_MAX, 'a chunk count')
      let chunkOffset = 0
      for (let chunk = 1; chunk <= chunkCount; chunk++) {
        // The last chunk is all that is left; each before it leaves a byte for each one to come.
        const left = plainBytes - chunkOffset
        const chunkBytes = number(4, chunk === chunkCount ? left : 1, left - (chunkCount - chunk), 'a chunk length')
        const fingerprint = skip(FINGERPRINT_BYTES, 'a fingerprint')
        visitor?.chunk(chunkOffset, chunkBytes, view, fingerprint)
        chunkOffset += chunkBytes
      }
      frameOffset += storedBytes
    }
  }
  if (at !== block.length) damaged('The index block goes on after its last pack', at)
  return packCount
}
