/**
 * Streams of Cinder's objects without WASM: zlib both ways, zstd reading only, bz2 not at all.
 *
 * Invariant: as in the WASM core, a decoder writes only to the target it is given, and holds no more than its window, a step's
 * worth of input and what one step writes.
 */
import type { StreamCodec, StreamDecoder, StreamEncoder } from '../../contract/core.ts'
import { BlockvaultError } from '../../contract/errors.ts'
import { concatBytes } from '../bytes.ts'
import { ADLER32_START } from '../zlib-stream.ts'
import { damaged } from './damaged.ts'
import { deflatedBytesMax, deflatePart, nearestLevel } from './deflate.ts'
import { OutputWindow } from './output-window.ts'
import type { Unpacker } from './unpacker.ts'
import { adler32, createZlibUnpacker } from './zlib.ts'
import type { LowChecksum } from './zstd/checksum.ts'
import { createZstdUnpacker } from './zstd/stream.ts'

export function streamEncoder(codec: StreamCodec, level: number): StreamEncoder {
  if (codec !== 'zlib') throw unavailable(codec, 'write')
  const nearest = nearestLevel(level)
  return {
    bound: deflatedBytesMax,
    encode(source, offset, length, target, { last }) {
      const plain = source.bytes(offset, length)
      if (length === 0 && !last) return { length: 0, adler32: ADLER32_START }
      const part = deflatePart(plain, nearest, last)
      if (part.length > target.length) throw new BlockvaultError('INTERNAL', `A part for zlib of ${part.length} bytes exceeds its target.`)
      target.bytes(0, part.length).set(part)
      return { length: part.length, adler32: adler32(plain) }
    },
    free() {},
  }
}

export function streamDecoder(codec: StreamCodec, checksum: LowChecksum): StreamDecoder {
  if (codec === 'bz2') throw unavailable(codec, 'read')
  const unpacker = codec === 'zlib' ? createZlibUnpacker() : createZstdUnpacker(checksum)
  return decoder(codec, unpacker)
}

function decoder(codec: StreamCodec, unpacker: Unpacker): StreamDecoder {
  const window = new OutputWindow()
  /** Input too short for a step, or not looked at because the target was full. */
  let pending = new Uint8Array(0)
  let failure: unknown

  function decode(given: Uint8Array, target: Uint8Array): { consumed: number; produced: number } {
    const input = pending.length === 0 ? given : concatBytes([pending, given])
    let read = 0
    let produced = window.take(target, 0)
    while (produced < target.length) {
      const used = unpacker.unpack(input.subarray(read), window)
      if (used === 0 && window.waiting === 0) break
      read += used
      produced += window.take(target, produced)
    }
    const consumed = produced < target.length ? given.length : Math.max(0, read - pending.length)
    pending = input.slice(read, pending.length + consumed)
    return { consumed, produced }
  }

  return {
    decode(source, offset, length, target, targetOffset = 0) {
      const given = source.bytes(offset, length)
      if (failure !== undefined) throw failure
      try {
        return decode(given, target.bytes(targetOffset))
      } catch (error) {
        failure = error
        throw error
      }
    },
    finish() {
      if (failure !== undefined) throw failure
      if (!unpacker.whole || pending.length > 0 || window.waiting > 0) damaged(`${codec} stream cut off`)
    },
    free() {},
  }
}

function unavailable(codec: StreamCodec, verb: 'read' | 'write'): BlockvaultError {
  return new BlockvaultError(
    'CORE_UNAVAILABLE',
    `Without its WebAssembly core, blockvault can not ${verb} ${codec}: use a runtime with WASM SIMD${verb === 'write' ? ', or zlib' : ''}.`,
    { details: { codec } },
  )
}
