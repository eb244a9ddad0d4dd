/**
 * Deflate (RFC 1951), reading only. fflate writes ours but does not read them: it checks neither stored lengths nor the
 * completeness of a code, hides where the stream ended, and goes on past a full target.
 *
 * Invariant: it accepts what zlib accepts, and gives the same whatever pieces the bytes come in: a step that finds too little
 * input or room leaves no trace, and is done again.
 */
import { damaged } from './damaged.ts'
import { DISTANCE_BASE, DISTANCE_EXTRA, FIXED_DISTANCES, FIXED_LITERALS, LENGTH_BASE, LENGTH_EXTRA, prefixCode, TABLE_BITS } from './inflate-codes.ts'
import type { PrefixCode } from './inflate-codes.ts'

const END_OF_BLOCK = 256
/** The order in which a block gives the lengths of its code-length code. */
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

export interface Inflater {
  /** Decodes `source` into `target` from `written` on, up to its end, and copies from what stands before. */
  run(source: Uint8Array, target: Uint8Array, written: number): Run
}

export interface Run {
  /** Bytes of `source` used; the others must come again. */
  read: number
  /** Where the output ends. */
  written: number
  /** What was short, or that the stream has ended. */
  stopped: 'input' | 'room' | 'end'
  /** Where the last block starts and where the stream ends, bits into `source`, when all of both lay in it. */
  lastBlockBit: number
  endBit: number
}

/** Thrown inside only, where a step can not be done yet. */
const SHORT_OF_INPUT = Symbol('short of input')
const SHORT_OF_ROOM = Symbol('short of room')

export function createInflater(): Inflater {
  let source: Uint8Array = new Uint8Array(0)
  let target = source
  let read = 0
  let written = 0
  /** Bits taken from `source` and not used yet, lowest first. Fewer than eight between runs. */
  let held = 0
  let heldBits = 0
  let safe = { read, held, heldBits }

  let block: 'none' | 'stored' | 'coded' = 'none'
  let last = false
  let lastBlockBit = 0
  let storedBytes = 0
  let literals = FIXED_LITERALS
  let distances = FIXED_DISTANCES

  function bits(count: number): number {
    while (heldBits < count) {
      if (read >= source.length) throw SHORT_OF_INPUT
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
    if (length > heldBits) throw SHORT_OF_INPUT
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

  function header(): void {
    const at = read * 8 - heldBits
    const isLast = bits(1) === 1
    const kind = bits(2)
    if (kind === 3) damaged('reserved deflate block')
    if (kind === 0) {
      bits(heldBits & 7)
      const length = bits(16)
      if ((bits(16) ^ 0xffff) !== length) damaged('stored length and its complement differ')
      storedBytes = length
    } else {
      const codes = kind === 1 ? { literals: FIXED_LITERALS, distances: FIXED_DISTANCES } : dynamicCodes()
      literals = codes.literals
      distances = codes.distances
    }
    block = kind === 0 ? 'stored' : 'coded'
    last = isLast
    lastBlockBit = at
  }

  function dynamicCodes(): { literals: PrefixCode; distances: PrefixCode } {
    const literalCount = bits(5) + 257
    const distanceCount = bits(5) + 1
    const codeLengthCount = bits(4) + 4
    if (literalCount > 286 || distanceCount > 30) damaged('too many deflate codes')
    const codeLengths = new Uint8Array(CODE_LENGTH_ORDER.length)
    for (let index = 0; index < codeLengthCount; index++) codeLengths[CODE_LENGTH_ORDER[index]!] = bits(3)
    const lengths = allLengths(prefixCode(codeLengths, 'complete'), literalCount + distanceCount)
    if (lengths[END_OF_BLOCK] === 0) damaged('deflate block that can not end')
    return { literals: prefixCode(lengths.subarray(0, literalCount), 'lone'), distances: prefixCode(lengths.subarray(literalCount), 'lone') }
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

  function copyStored(): void {
    const count = Math.min(storedBytes, source.length - read, target.length - written)
    target.set(source.subarray(read, read + count), written)
    read += count
    written += count
    storedBytes -= count
    keep()
    if (storedBytes > 0) throw written === target.length ? SHORT_OF_ROOM : SHORT_OF_INPUT
    block = 'none'
  }

  /** One literal or one copy at a time, until the block ends. */
  function copyCoded(): void {
    for (;;) {
      safe.read = read
      safe.held = held
      safe.heldBits = heldBits
      const literal = symbol(literals)
      if (literal < END_OF_BLOCK) {
        if (written === target.length) throw SHORT_OF_ROOM
        target[written++] = literal
        continue
      }
      if (literal === END_OF_BLOCK) break
      const lengthCode = literal - END_OF_BLOCK - 1
      if (lengthCode >= LENGTH_BASE.length) damaged('reserved deflate length')
      const length = LENGTH_BASE[lengthCode]! + bits(LENGTH_EXTRA[lengthCode]!)
      const distanceCode = symbol(distances)
      if (distanceCode >= DISTANCE_BASE.length) damaged('reserved deflate distance')
      const distance = DISTANCE_BASE[distanceCode]! + bits(DISTANCE_EXTRA[distanceCode]!)
      if (distance > written) damaged('deflate distance before the start')
      if (length > target.length - written) throw SHORT_OF_ROOM
      for (const end = written + length; written < end; written++) target[written] = target[written - distance]!
    }
    block = 'none'
  }

  /** Whole bytes that were taken ahead go back: the stream may end before them, and a run must not keep them from the next. */
  function returnBytes(): void {
    read -= heldBits >> 3
    heldBits &= 7
    held &= (1 << heldBits) - 1
  }

  function keep(): void {
    safe = { read, held, heldBits }
  }

  function steps(): void {
    for (;;) {
      keep()
      if (block === 'stored') copyStored()
      else if (block === 'coded') copyCoded()
      else if (last) return
      else header()
    }
  }

  return {
    run(from, to, at) {
      source = from
      target = to
      written = at
      read = 0
      let stopped: 'input' | 'room' | 'end' = 'end'
      try {
        steps()
      } catch (reason) {
        if (reason !== SHORT_OF_INPUT && reason !== SHORT_OF_ROOM) throw reason
        stopped = reason === SHORT_OF_INPUT ? 'input' : 'room'
        ;({ read, held, heldBits } = safe)
      }
      returnBytes()
      return { read, written, stopped, lastBlockBit, endBit: read * 8 - heldBits }
    },
  }
}
