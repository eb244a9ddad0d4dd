/** Whole objects through a core's streams, in parts and pieces of any size. */
import { expect } from 'vitest'
import type { Core, StreamCodec } from '../../../src/contract/core.ts'
import { isBlockvaultError } from '../../../src/contract/errors.ts'
import { concatBytes } from '../../../src/core/bytes.ts'
import { ADLER32_START, adler32Combine, ZLIB_HEADER, zlibTrailer } from '../../../src/core/zlib-stream.ts'
import { put } from './bytes.ts'

/** Parts lie in the middle of a buffer, and what comes out too, so that an offset forgotten shows. */
const EDGE = Uint8Array.of(0xee)
const GUARD = Uint8Array.of(0x5a, 0xa5, 0x5a)

/** Cuts `bytes` into pieces of the lengths that `next` gives; the last one is what is left, and there is always one. */
export function pieces(bytes: Uint8Array, next: () => number): Uint8Array[] {
  const cut: Uint8Array[] = []
  let at = 0
  do {
    const length = Math.max(1, next())
    cut.push(bytes.subarray(at, at + length))
    at += length
  } while (at < bytes.length)
  return cut
}

export function joined(codec: StreamCodec, parts: readonly { bytes: Uint8Array; adler32: number; plainBytes: number }[]): Uint8Array {
  const bytes = concatBytes(parts.map((part) => part.bytes))
  if (codec !== 'zlib') return bytes
  const adler32 = parts.reduce((sum, part) => adler32Combine(sum, part.adler32, part.plainBytes), ADLER32_START)
  return concatBytes([ZLIB_HEADER, bytes, zlibTrailer(adler32)])
}

/** One stream of `parts`, by one encoder or by a new one for each part. */
export function encoded(core: Core, codec: StreamCodec, level: number, parts: readonly Uint8Array[], encoders: 'one' | 'many' = 'one'): Uint8Array {
  const objectBytes = parts.reduce((sum, part) => sum + part.length, 0)
  let encoder = core.streamEncoder(codec, level)
  const written = parts.map((part, index) => {
    if (encoders === 'many' && index > 0) {
      encoder.free()
      encoder = core.streamEncoder(codec, level)
    }
    const source = put(core, concatBytes([EDGE, part]))
    const target = core.buffer(encoder.bound(part.length))
    const { length, adler32 } = encoder.encode(source, 1, part.length, target, { objectBytes, first: index === 0, last: index === parts.length - 1 })
    const bytes = target.bytes(0, length).slice()
    source.free()
    target.free()
    return { bytes, adler32, plainBytes: part.length }
  })
  encoder.free()
  return joined(codec, written)
}

/**
 * What comes out of `input`, taken `targetBytes` at a time: nothing when it is refused as damaged. It stops behind `bytesMax`, as a caller does who knows
 * the length.
 */
export function decoded(core: Core, codec: StreamCodec, input: readonly Uint8Array[], targetBytes: number, bytesMax = 2 ** 24): Uint8Array | undefined {
  const decoder = core.streamDecoder(codec)
  const target = core.buffer(GUARD.length + targetBytes)
  target.bytes().set(GUARD)
  const plain: Uint8Array[] = []
  let plainBytes = 0
  try {
    for (const piece of input) {
      const source = put(core, concatBytes([EDGE, piece]))
      let at = 0
      for (let full = false; (at < piece.length || full) && plainBytes <= bytesMax; ) {
        const { consumed, produced } = decoder.decode(source, 1 + at, piece.length - at, target, GUARD.length)
        plain.push(target.bytes(GUARD.length, produced).slice())
        plainBytes += produced
        at += consumed
        full = produced === targetBytes
        if (!full) expect(at, 'all is consumed unless the target is full').toBe(piece.length)
      }
      source.free()
    }
    decoder.finish()
    expect(target.bytes(0, GUARD.length), 'bytes before the offset stay').toEqual(GUARD)
    return concatBytes(plain)
  } catch (error) {
    if (isBlockvaultError(error, 'OBJECT_DAMAGED')) return undefined
    throw error
  } finally {
    target.free()
    decoder.free()
  }
}
