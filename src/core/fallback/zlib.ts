/** zlib streams (RFC 1950), reading only: a header, deflate, the Adler-32 of what comes out. Accepts what zlib accepts. */
import { damaged } from './damaged.ts'
import { createInflater } from './inflate.ts'
import type { OutputWindow } from './output-window.ts'
import type { Unpacker } from './unpacker.ts'

const HEADER_BYTES = 2
const CHECKSUM_BYTES = 4
/** How far back deflate copies from. */
const REACH_BYTES = 32 * 1024
/** Room for each run; the longest copy has 258 bytes. */
const ROOM_BYTES = 64 * 1024

/** Fills `target` exactly from all of `source`, checksum included, or throws OBJECT_DAMAGED. */
export function zlibDecompress(source: Uint8Array, target: Uint8Array): void {
  if (source.length < HEADER_BYTES + CHECKSUM_BYTES) damaged('zlib stream cut off')
  checkHeader(source)
  const end = source.length - CHECKSUM_BYTES
  const { read, written, stopped } = createInflater().run(source.subarray(HEADER_BYTES, end), target, 0)
  if (stopped === 'input') damaged('deflate stream cut off')
  if (stopped === 'room') damaged('deflate stream longer than expected')
  if (read !== end - HEADER_BYTES) damaged('bytes after the deflate stream')
  if (written !== target.length) damaged('deflate stream shorter than expected')
  checkAdler32(source.subarray(end), adler32(target))
}

/** A stream in pieces. Bytes after it are ignored, as Python's `zlib.decompress` does. */
export function createZlibUnpacker(): Unpacker {
  const inflater = createInflater()
  let awaited: 'header' | 'deflate' | 'checksum' | 'nothing' = 'header'
  let checksum = 1

  function deflate(input: Uint8Array, window: OutputWindow): number {
    window.reserve(ROOM_BYTES)
    const from = window.written
    const { read, written, stopped } = inflater.run(input, window.bytes, from)
    checksum = adler32(window.bytes.subarray(from, written), checksum)
    window.written = written
    if (stopped === 'end') awaited = 'checksum'
    return read
  }

  return {
    get whole() {
      return awaited === 'nothing'
    },
    unpack(input, window) {
      if (awaited === 'nothing') return input.length
      if (awaited === 'deflate') return deflate(input, window)
      if (awaited === 'header') {
        if (input.length < HEADER_BYTES) return 0
        checkHeader(input)
        window.begin(REACH_BYTES)
        awaited = 'deflate'
        return HEADER_BYTES
      }
      if (input.length < CHECKSUM_BYTES) return 0
      checkAdler32(input, checksum)
      awaited = 'nothing'
      return CHECKSUM_BYTES
    },
  }
}

function checkHeader(source: Uint8Array): void {
  const method = source[0]!
  const flags = source[1]!
  if ((method & 15) !== 8 || method >> 4 > 7 || ((method << 8) | flags) % 31 !== 0) damaged('no zlib header')
  if ((flags & 0x20) !== 0) damaged('zlib stream with a dictionary')
}

function checkAdler32(trailer: Uint8Array, checksum: number): void {
  if (new DataView(trailer.buffer, trailer.byteOffset).getUint32(0) !== checksum) damaged('Adler-32 differs')
}

/** 5552 is the longest run for which the sums stay below 2^32 (zlib's NMAX). */
const ADLER_RUN_BYTES = 5552

/** Of `bytes`, or of what had `before` and then `bytes`. */
export function adler32(bytes: Uint8Array, before = 1): number {
  let a = before & 0xffff
  let b = before >>> 16
  for (let at = 0; at < bytes.length; ) {
    for (const end = Math.min(at + ADLER_RUN_BYTES, bytes.length); at < end; at++) {
      a += bytes[at]!
      b += a
    }
    a %= 65521
    b %= 65521
  }
  return b * 65536 + a
}
