/**
 * The sequences section of a compressed block (RFC 8878, 3.1.1.3.2): copies literals and earlier output to the target.
 *
 * Invariant: every copy is checked against the literals left, the frame's output so far, the reach and the limit before a byte moves.
 */
import { damaged } from '../damaged.ts'
import { BackwardBits } from './bits.ts'
import { constantTable, fseTable, readFseTable } from './fse.ts'
import type { FseTable } from './fse.ts'
import type { History } from './history.ts'

interface Field {
  accuracyMax: number
  symbolMax: number
  predefined: FseTable
}

const LITERAL_LENGTHS: Field = {
  accuracyMax: 9,
  symbolMax: 35,
  predefined: fseTable([4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1], 6),
}
const OFFSETS: Field = {
  accuracyMax: 8,
  symbolMax: 31,
  predefined: fseTable([1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1], 5),
}
const MATCH_LENGTHS: Field = {
  accuracyMax: 9,
  symbolMax: 52,
  predefined: fseTable([1, 4, 3, 2, 2, 2, 2, 2, 2, ...new Array<number>(37).fill(1), -1, -1, -1, -1, -1, -1, -1], 6),
}

const LITERAL_LENGTH_BITS = Uint8Array.of(...new Array<number>(16).fill(0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)
const MATCH_LENGTH_BITS = Uint8Array.of(...new Array<number>(32).fill(0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)
const LITERAL_LENGTH_BASE = bases(0, LITERAL_LENGTH_BITS)
const MATCH_LENGTH_BASE = bases(3, MATCH_LENGTH_BITS)

function bases(first: number, extraBits: Uint8Array): Uint32Array {
  let base = first
  return Uint32Array.from(extraBits, (bits) => {
    const here = base
    base += 1 << bits
    return here
  })
}

/** Where a block goes. */
export interface BlockTarget {
  bytes: Uint8Array
  /** Where the block starts, and where it must end. */
  written: number
  limit: number
  /** Where the frame starts: nothing before is copied. */
  start: number
  /** How far back is copied from at most. */
  reachBytes: number
}

/** Executes `section` and returns where the output ends. */
export function runSequences(section: Uint8Array, literals: Uint8Array, history: History, block: BlockTarget): number {
  const { bytes: target, limit, start, reachBytes } = block
  let { written } = block
  const { count, modes, tablesAt } = readCount(section)
  if (count === 0) return appendLiterals(literals, target, written, limit)
  let at = tablesAt
  const table = (mode: number, field: Field, before: FseTable | undefined): FseTable => {
    if (mode === 0) return field.predefined
    if (mode === 3) return before ?? damaged('zstd sequences without a table')
    if (mode === 1) {
      if (at >= section.length || section[at]! > field.symbolMax) damaged('zstd sequence code out of bounds')
      return constantTable(section[at++]!)
    }
    const { table, bytesRead } = readFseTable(section.subarray(at), field.accuracyMax, field.symbolMax)
    at += bytesRead
    return table
  }
  const literalLengths = (history.literalLengths = table(modes >> 6, LITERAL_LENGTHS, history.literalLengths))
  const offsets = (history.offsets = table((modes >> 4) & 3, OFFSETS, history.offsets))
  const matchLengths = (history.matchLengths = table((modes >> 2) & 3, MATCH_LENGTHS, history.matchLengths))

  const bits = new BackwardBits(section.subarray(at))
  let literalState = bits.read(literalLengths.accuracy)
  let offsetState = bits.read(offsets.accuracy)
  let matchState = bits.read(matchLengths.accuracy)
  let taken = 0
  for (let sequence = 1; ; sequence++) {
    const offsetValue = readOffsetValue(bits, offsets.symbols[offsetState]!)
    const matchCode = matchLengths.symbols[matchState]!
    const match = MATCH_LENGTH_BASE[matchCode]! + bits.read(MATCH_LENGTH_BITS[matchCode]!)
    const literalCode = literalLengths.symbols[literalState]!
    const literal = LITERAL_LENGTH_BASE[literalCode]! + bits.read(LITERAL_LENGTH_BITS[literalCode]!)
    const offset = offsetOf(offsetValue, literal === 0, history.recent)
    if (bits.left < 0) damaged('zstd sequences cut off')
    if (literal > literals.length - taken) damaged('zstd literals used up')
    if (literal + match > limit - written) damaged('zstd block longer than allowed')
    if (offset === 0 || offset > written + literal - start || offset > reachBytes) damaged('zstd offset before the start')
    for (const end = taken + literal; taken < end; taken++) target[written++] = literals[taken]!
    for (const end = written + match; written < end; written++) target[written] = target[written - offset]!
    if (sequence === count) break
    literalState = literalLengths.bases[literalState]! + bits.read(literalLengths.bits[literalState]!)
    matchState = matchLengths.bases[matchState]! + bits.read(matchLengths.bits[matchState]!)
    offsetState = offsets.bases[offsetState]! + bits.read(offsets.bits[offsetState]!)
  }
  if (bits.left !== 0) damaged('zstd sequences do not end with their bits')
  return appendLiterals(literals.subarray(taken), target, written, limit)
}

function readCount(section: Uint8Array): { count: number; modes: number; tablesAt: number } {
  const first = section[0] ?? damaged('zstd sequences cut off')
  const countBytes = first < 128 ? 1 : first < 255 ? 2 : 3
  if (section.length < countBytes) damaged('zstd sequences cut off')
  let count = first
  if (countBytes === 2) count = ((first - 128) << 8) + section[1]!
  if (countBytes === 3) count = section[1]! + (section[2]! << 8) + 0x7f00
  if (count === 0) {
    if (section.length > countBytes) damaged('bytes after the last zstd sequence')
    return { count, modes: 0, tablesAt: countBytes }
  }
  const modes = section[countBytes] ?? damaged('zstd sequences cut off')
  if ((modes & 3) !== 0) damaged('reserved bits of zstd sequences')
  return { count, modes, tablesAt: countBytes + 1 }
}

/** Codes go up to 31 and `read` to 25 bits. */
function readOffsetValue(bits: BackwardBits, code: number): number {
  if (code <= 25) return (1 << code) + bits.read(code)
  const high = bits.read(code - 16)
  return 2 ** code + high * 65536 + bits.read(16)
}

/** Values 1 to 3 stand for recent offsets, shifted by one when there are no literals; the rest for value - 3. */
function offsetOf(value: number, noLiterals: boolean, recent: History['recent']): number {
  const place = value + (noLiterals ? 1 : 0)
  if (place === 1) return recent[0]
  const offset = value > 3 ? value - 3 : place === 4 ? recent[0] - 1 : recent[place - 1]!
  if (value > 3 || place > 2) recent[2] = recent[1]
  recent[1] = recent[0]
  recent[0] = offset
  return offset
}

function appendLiterals(literals: Uint8Array, target: Uint8Array, written: number, limit: number): number {
  if (literals.length > limit - written) damaged('zstd block longer than allowed')
  target.set(literals, written)
  return written + literals.length
}
