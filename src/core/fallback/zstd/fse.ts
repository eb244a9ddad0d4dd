/**
 * Finite state entropy: tables of zstd (RFC 8878, 4.1).
 *
 * Invariant: a table is made only of counts that fill it exactly, so that every state leads to a state.
 */
import { damaged } from '../damaged.ts'

/** By state: the symbol, and the next state as `base + read(bits)`. */
export interface FseTable {
  accuracy: number
  symbols: Uint8Array
  bits: Uint8Array
  bases: Uint16Array
}

/** Reads a description at the start of `bytes`; `symbolMax` is the highest symbol that may occur. */
export function readFseTable(bytes: Uint8Array, accuracyMax: number, symbolMax: number): { table: FseTable; bytesRead: number } {
  if (bytes.length === 0) damaged('zstd table cut off')
  const accuracy = (bytes[0]! & 15) + 5
  if (accuracy > accuracyMax) damaged('zstd table too large')
  const counts: number[] = []
  let position = 4
  const peek = (width: number) => {
    const byte = position >> 3
    const word = (bytes[byte] ?? 0) | ((bytes[byte + 1] ?? 0) << 8) | ((bytes[byte + 2] ?? 0) << 16)
    return (word >> (position & 7)) & ((1 << width) - 1)
  }

  // Values run from 0 to `left`, which wants fewer bits as the table fills; the lowest of them take one bit less.
  let left = (1 << accuracy) + 1
  for (let width = accuracy + 1; left > 1; ) {
    const half = 1 << (width - 1)
    const short = 2 * half - 1 - left
    let value = peek(width)
    if ((value & (half - 1)) < short) {
      value &= half - 1
      position += width - 1
    } else {
      if (value >= half) value -= short
      position += width
    }
    const count = value - 1
    counts.push(count)
    left -= Math.abs(count)
    for (let zeros = count === 0 ? 3 : 0; zeros === 3; ) {
      zeros = peek(2)
      position += 2
      for (let zero = 0; zero < zeros; zero++) counts.push(0)
    }
    if (counts.length > symbolMax + 1) damaged('zstd table with too many symbols')
    while (left < 1 << (width - 1)) width--
  }
  const bytesRead = (position + 7) >> 3
  if (bytesRead > bytes.length) damaged('zstd table cut off')
  return { table: fseTable(counts, accuracy), bytesRead }
}

/** `counts` are how many states each symbol has; -1 is one state at the end of the table. */
export function fseTable(counts: readonly number[], accuracy: number): FseTable {
  const size = 1 << accuracy
  const symbols = new Uint8Array(size)
  const nextOf = counts.map((count) => Math.abs(count))
  let free = size
  counts.forEach((count, symbol) => {
    if (count === -1) symbols[--free] = symbol
  })
  const step = (size >> 1) + (size >> 3) + 3
  let state = 0
  counts.forEach((count, symbol) => {
    for (let placed = 0; placed < count; placed++) {
      symbols[state] = symbol
      do state = (state + step) & (size - 1)
      while (state >= free)
    }
  })

  const bits = new Uint8Array(size)
  const bases = new Uint16Array(size)
  for (let at = 0; at < size; at++) {
    const next = nextOf[symbols[at]!]!++
    bits[at] = accuracy - (31 - Math.clz32(next))
    bases[at] = (next << bits[at]!) - size
  }
  return { accuracy, symbols, bits, bases }
}

/** The table of one symbol that takes no bits. */
export function constantTable(symbol: number): FseTable {
  return { accuracy: 0, symbols: Uint8Array.of(symbol), bits: new Uint8Array(1), bases: new Uint16Array(1) }
}
