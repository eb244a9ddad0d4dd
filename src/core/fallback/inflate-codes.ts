/**
 * Prefix codes of deflate and its constant tables (RFC 1951, 3.2).
 *
 * Invariant: a code that claims more words than there are is refused, and so is one that leaves words unused, except
 * for the lone one-bit code and the empty one that zlib lets pass.
 */
import { damaged } from './damaged.ts'

export const LENGTH_EXTRA = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0)
export const DISTANCE_EXTRA = Uint8Array.from({ length: 30 }, (_, code) => Math.max(0, (code >> 1) - 1))
export const LENGTH_BASE = bases(3, LENGTH_EXTRA)
/** Code 28 is length 258 with no extra bits, where the sequence would say 259. */
LENGTH_BASE[28] = 258
export const DISTANCE_BASE = bases(1, DISTANCE_EXTRA)

/** Codes up to this long are looked up at once; the few longer ones are walked. */
export const TABLE_BITS = 10
const CODE_BITS_MAX = 15

export interface PrefixCode {
  /** By the next `TABLE_BITS` bits: symbol << 4 | length, or 0 when the code is longer or there is none. */
  table: Uint16Array
  /** How many codes there are of each length. */
  counts: Uint16Array
  /** Symbols in the order of their codes. */
  symbols: Uint16Array
}

export const FIXED_LITERALS = prefixCode(
  Uint8Array.from({ length: 288 }, (_, symbol) => (symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8)),
  'complete',
)
export const FIXED_DISTANCES = prefixCode(new Uint8Array(32).fill(5), 'complete')

/** `allow` says whether, beside complete codes, `lone` ones pass: none at all, or a single one of one bit. */
export function prefixCode(lengths: Uint8Array, allow: 'complete' | 'lone'): PrefixCode {
  const counts = new Uint16Array(CODE_BITS_MAX + 1)
  for (const length of lengths) if (length > 0) counts[length]!++
  const next = new Uint16Array(CODE_BITS_MAX + 2)
  const starts = new Uint16Array(CODE_BITS_MAX + 2)
  let unused = 1
  for (let length = 1; length <= CODE_BITS_MAX; length++) {
    unused = unused * 2 - counts[length]!
    if (unused < 0) damaged('oversubscribed deflate code')
    next[length + 1] = (next[length]! + counts[length]!) << 1
    starts[length + 1] = starts[length]! + counts[length]!
  }
  const used = starts[CODE_BITS_MAX + 1]!
  const lone = used === 0 || (used === 1 && counts[1] === 1)
  if (unused > 0 && !(allow === 'lone' && lone)) damaged('incomplete deflate code')

  const table = new Uint16Array(1 << TABLE_BITS)
  const symbols = new Uint16Array(used)
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol]!
    if (length === 0) continue
    symbols[starts[length]!++] = symbol
    const word = next[length]!++
    if (length > TABLE_BITS) continue
    for (let at = reversed(word, length); at < table.length; at += 1 << length) table[at] = (symbol << 4) | length
  }
  return { table, counts, symbols }
}

/** Words are packed highest bit first, all else lowest first. */
function reversed(word: number, length: number): number {
  let result = 0
  for (let bit = 0; bit < length; bit++) result |= ((word >> bit) & 1) << (length - 1 - bit)
  return result
}

function bases(first: number, extra: Uint8Array): Uint16Array {
  let base = first
  return Uint16Array.from(extra, (bits) => {
    const here = base
    base += 1 << bits
    return here
  })
}
