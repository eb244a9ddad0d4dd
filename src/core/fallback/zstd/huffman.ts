/**
 * Huffman codes of zstd's literals (RFC 8878, 4.2).
 *
 * Invariant: a code uses all its words, and a stream ends exactly with its last symbol.
 */
import { damaged } from '../damaged.ts'
import { BackwardBits } from './bits.ts'
import { readFseTable } from './fse.ts'

const CODE_BITS_MAX = 11
const WEIGHTS_MAX = 255
const WEIGHT_ACCURACY_MAX = 6

export interface HuffmanCode {
  bits: number
  /** By the next `bits` bits: symbol << 4 | length. */
  table: Uint16Array
}

export function readHuffmanCode(bytes: Uint8Array): { code: HuffmanCode; bytesRead: number } {
  if (bytes.length === 0) damaged('zstd literals cut off')
  const header = bytes[0]!
  const bytesRead = 1 + (header < 128 ? header : (header - 126) >> 1)
  if (bytesRead > bytes.length) damaged('zstd literals cut off')
  const description = bytes.subarray(1, bytesRead)
  const weights = header < 128 ? compressedWeights(description) : plainWeights(description, header - 127)
  return { code: huffmanCode(weights), bytesRead }
}

function plainWeights(bytes: Uint8Array, count: number): number[] {
  return Array.from({ length: count }, (_, index) => (index % 2 === 0 ? bytes[index >> 1]! >> 4 : bytes[index >> 1]! & 15))
}

/** Two states take turns until one wants more bits than there are; the other still has a symbol then. */
function compressedWeights(bytes: Uint8Array): number[] {
  const { table, bytesRead } = readFseTable(bytes, WEIGHT_ACCURACY_MAX, WEIGHTS_MAX)
  const bits = new BackwardBits(bytes.subarray(bytesRead))
  let state = bits.read(table.accuracy)
  let other = bits.read(table.accuracy)
  if (bits.left < 0) damaged('zstd Huffman weights cut off')
  const weights: number[] = []
  while (weights.length < WEIGHTS_MAX - 1) {
    weights.push(table.symbols[state]!)
    const next = table.bases[state]! + bits.read(table.bits[state]!)
    if (bits.left < 0) {
      weights.push(table.symbols[other]!)
      return weights
    }
    state = other
    other = next
  }
  return damaged('too many zstd Huffman weights')
}

/** The last symbol's weight is not stored: it is what makes the code complete. */
function huffmanCode(weights: number[]): HuffmanCode {
  if (weights.some((weight) => weight > CODE_BITS_MAX)) damaged('zstd Huffman words too long')
  const sum = weights.reduce((words, weight) => words + ((1 << weight) >> 1), 0)
  if (sum === 0) damaged('empty zstd Huffman code')
  const bits = 32 - Math.clz32(sum)
  const rest = (1 << bits) - sum
  if (bits > CODE_BITS_MAX) damaged('zstd Huffman words too long')
  if ((rest & (rest - 1)) !== 0) damaged('zstd Huffman code does not add up')
  const all = [...weights, 32 - Math.clz32(rest)]
  if (!all.includes(1)) damaged('zstd Huffman code without its longest words')

  const table = new Uint16Array(1 << bits)
  let at = 0
  for (let weight = 1; weight <= bits; weight++) {
    all.forEach((ofSymbol, symbol) => {
      if (ofSymbol !== weight) return
      const next = at + (1 << (weight - 1))
      table.fill((symbol << 4) | (bits + 1 - weight), at, next)
      at = next
    })
  }
  return { bits, table }
}

/** Fills `target` with the symbols of one stream. */
export function readHuffmanStream(stream: Uint8Array, { bits, table }: HuffmanCode, target: Uint8Array): void {
  const reader = new BackwardBits(stream)
  for (let at = 0; at < target.length; at++) {
    const entry = table[reader.peek(bits)]!
    target[at] = entry >> 4
    reader.left -= entry & 15
  }
  if (reader.left !== 0) damaged('zstd literals do not end with their bits')
}
