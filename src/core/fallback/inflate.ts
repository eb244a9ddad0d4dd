/**
 * A zlib stream (RFC 1950, 1951), reading only. fflate writes ours but does not read them: it checks neither the
 * checksum nor stored lengths nor the completeness of a code, hides where the stream ended, and goes on past a full
 * target.
 *
 * Invariant: fills `target` exactly from all of `source`, checksum included, or throws OBJECT_DAMAGED. It accepts what
 * zlib accepts.
 */
import { damaged } from './damaged.ts'
import { DISTANCE_BASE, DISTANCE_EXTRA, FIXED_DISTANCES, FIXED_LITERALS, LENGTH_BASE, LENGTH_EXTRA, prefixCode, TABLE_BITS } from './inflate-codes.ts'
import type { PrefixCode } from './inflate-codes.ts'

const HEADER_BYTES = 2
const CHECKSUM_BYTES = 4
const END_OF_BLOCK = 256
/** The order in which a block gives the lengths of its code-length code. */
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

export function zlibDecompress(source: Uint8Array, target: Uint8Array): void {
  checkHeader(source)
  const end = source.length - CHECKSUM_BYTES
  const { read, written } = inflate(source.subarray(HEADER_BYTES, end), target)
  if (read !== end - HEADER_BYTES) damaged('bytes after the deflate stream')
  if (written !== target.length) damaged('deflate stream shorter than expected')
  const stated = new DataView(source.buffer, source.byteOffset + end).getUint32(0)
  if (stated !== adler32(target)) damaged('Adler-32 differs')
}

function checkHeader(source: Uint8Array): void {
  if (source.length < HEADER_BYTES + CHECKSUM_BYTES) damaged('zlib stream cut off')
  const method = source[0]!
  const flags = source[1]!
  if ((method & 15) !== 8 || method >> 4 > 7 || ((method << 8) | flags) % 31 !== 0) damaged('no zlib header')
  if ((flags & 0x20) !== 0) damaged('zlib stream with a dictionary')
}

function inflate(source: Uint8Array, target: Uint8Array): { read: number; written: number } {
  let read = 0
  let written = 0
  /** Bits taken from `source` and not used yet, lowest first. */
  let held = 0
  let heldBits = 0

  function bits(count: number): number {
    while (heldBits < count) {
      if (read >= source.length) damaged('deflate stream cut off')
      held |= source[read++]! << heldBits
      heldBits += 8
    }
    const value = held & ((1 << count) - 1)
    held >>>= count
    heldBits -= count
    return value
  }

  function symbol(code: PrefixCode): number {
    while (heldBits < 15 && read < source.length) {
      held |= source[read++]! << heldBits
      heldBits += 8
    }
    const entry = code.table[held & ((1 << TABLE_BITS) - 1)]!
    const length = entry & 15
    if (length === 0) return longSymbol(code)
    if (length > heldBits) damaged('deflate stream cut off')
    held >>>= length
    heldBits -= length
    return entry >> 4
  }

  /** Codes longer than the table, one bit at a time: `first` is the first code of each length, as in RFC 1951, 3.2.2. */
  function longSymbol({ counts, symbols }: PrefixCode): number {
    let first = 0
    let index = 0
    let word = 0
    for (let length = 1; length < counts.length; length++) {
      word |= bits(1)
      const count = counts[length]!
      if (word - first < count) return symbols[index + word - first]!
      index += count
      first = (first + count) << 1
      word <<= 1
    }
    return damaged('deflate code without a symbol')
  }

  function stored(): void {
    bits(heldBits & 7)
    const length = bits(16)
    if ((bits(16) ^ 0xffff) !== length) damaged('stored length and its complement differ')
    read -= heldBits >> 3
    held = 0
    heldBits = 0
    if (length > source.length - read || length > target.length - written) damaged('stored block out of bounds')
    target.set(source.subarray(read, read + length), written)
    read += length
    written += length
  }

  function compressed(literals: PrefixCode, distances: PrefixCode): void {
    for (;;) {
      const literal = symbol(literals)
      if (literal < END_OF_BLOCK) {
        if (written === target.length) damaged('deflate stream longer than expected')
        target[written++] = literal
        continue
      }
      if (literal === END_OF_BLOCK) return
      const lengthCode = literal - END_OF_BLOCK - 1
      if (lengthCode >= LENGTH_BASE.length) damaged('reserved deflate length')
      const length = LENGTH_BASE[lengthCode]! + bits(LENGTH_EXTRA[lengthCode]!)
      const distanceCode = symbol(distances)
      if (distanceCode >= DISTANCE_BASE.length) damaged('reserved deflate distance')
      const distance = DISTANCE_BASE[distanceCode]! + bits(DISTANCE_EXTRA[distanceCode]!)
      if (distance > written) damaged('deflate distance before the start')
      if (length > target.length - written) damaged('deflate stream longer than expected')
      for (const end = written + length; written < end; written++) target[written] = target[written - distance]!
    }
  }

  function dynamic(): void {
    const literalCount = bits(5) + 257
    const distanceCount = bits(5) + 1
    const codeLengthCount = bits(4) + 4
    if (literalCount > 286 || distanceCount > 30) damaged('too many deflate codes')
    const codeLengths = new Uint8Array(CODE_LENGTH_ORDER.length)
    for (let index = 0; index < codeLengthCount; index++) codeLengths[CODE_LENGTH_ORDER[index]!] = bits(3)
    const lengths = allLengths(prefixCode(codeLengths, 'complete'), literalCount + distanceCount)
    if (lengths[END_OF_BLOCK] === 0) damaged('deflate block that can not end')
    compressed(prefixCode(lengths.subarray(0, literalCount), 'lone'), prefixCode(lengths.subarray(literalCount), 'lone'))
  }

  function allLengths(code: PrefixCode, count: number): Uint8Array {
    const lengths = new Uint8Array(count)
    for (let index = 0; index < count; ) {
      const length = symbol(code)
      if (length < 16) {
        lengths[index++] = length
        continue
      }
      if (length === 16 && index === 0) damaged('nothing to repeat')
      const repeated = length === 16 ? lengths[index - 1]! : 0
      const times = length === 16 ? 3 + bits(2) : length === 17 ? 3 + bits(3) : 11 + bits(7)
      if (times > count - index) damaged('repeat beyond the deflate codes')
      lengths.fill(repeated, index, index + times)
      index += times
    }
    return lengths
  }

  for (let last = false; !last; ) {
    last = bits(1) === 1
    const kind = bits(2)
    if (kind === 0) stored()
    else if (kind === 1) compressed(FIXED_LITERALS, FIXED_DISTANCES)
    else if (kind === 2) dynamic()
    else damaged('reserved deflate block')
  }
  return { read: read - (heldBits >> 3), written }
}

/** 5552 is the longest run for which the sums stay below 2^32 (zlib's NMAX). */
const ADLER_RUN_BYTES = 5552

function adler32(bytes: Uint8Array): number {
  let a = 1
  let b = 0
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
