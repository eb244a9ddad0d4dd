/**
 * The literals section of a compressed block (RFC 8878, 3.1.1.3.1).
 *
 * Invariant: sizes are checked against the block and `BLOCK_BYTES_MAX` before memory is taken for them.
 */
import { damaged } from '../damaged.ts'
import { readHuffmanCode, readHuffmanStream } from './huffman.ts'
import type { History } from './history.ts'

const KINDS = ['raw', 'repeated', 'coded', 'coded as before'] as const
/** Below this, libzstd neither writes nor reads four streams. */
const FOUR_STREAMS_BYTES_MIN = 6
const JUMP_TABLE_BYTES = 6

/** `literalBytesMax` bounds what may come out. */
export function readLiterals(block: Uint8Array, history: History, literalBytesMax: number): { literals: Uint8Array; bytesRead: number } {
  if (block.length === 0) damaged('zstd block cut off')
  const kind = KINDS[block[0]! & 3]!
  const format = (block[0]! >> 2) & 3
  if (kind === 'raw' || kind === 'repeated') {
    const headerBytes = [1, 2, 1, 3][format]!
    const size = headerBytes === 1 ? header(block, 1) >> 3 : header(block, headerBytes) >> 4
    const end = headerBytes + (kind === 'raw' ? size : 1)
    if (size > literalBytesMax || end > block.length) damaged('zstd literals out of bounds')
    const literals = kind === 'raw' ? block.subarray(headerBytes, end) : new Uint8Array(size).fill(block[headerBytes]!)
    return { literals, bytesRead: end }
  }

  const headerBytes = [3, 3, 4, 5][format]!
  const sizeBits = [10, 10, 14, 18][format]!
  const both = Math.floor(header(block, headerBytes) / 16)
  const size = both % (1 << sizeBits)
  const end = headerBytes + Math.floor(both / (1 << sizeBits))
  if (size > literalBytesMax || end > block.length) damaged('zstd literals out of bounds')
  let coded = block.subarray(headerBytes, end)
  if (kind === 'coded') {
    const { code, bytesRead } = readHuffmanCode(coded)
    history.huffman = code
    coded = coded.subarray(bytesRead)
  }
  if (history.huffman === undefined) damaged('zstd literals without a code')
  const literals = new Uint8Array(size)
  if (format === 0) readHuffmanStream(coded, history.huffman, literals)
  else readFourStreams(coded, history, literals)
  return { literals, bytesRead: end }
}

function readFourStreams(coded: Uint8Array, history: History, literals: Uint8Array): void {
  if (coded.length < JUMP_TABLE_BYTES || literals.length < FOUR_STREAMS_BYTES_MIN) damaged('zstd literals cut off')
  const quarter = (literals.length + 3) >> 2
  let from = JUMP_TABLE_BYTES
  for (let stream = 0; stream < 4; stream++) {
    const to = stream === 3 ? coded.length : from + (coded[stream * 2]! | (coded[stream * 2 + 1]! << 8))
    if (to > coded.length) damaged('zstd literals out of bounds')
    readHuffmanStream(coded.subarray(from, to), history.huffman!, literals.subarray(stream * quarter, (stream + 1) * quarter))
    from = to
  }
}

/** The first `count` bytes as one number, lowest first; up to 40 bits, so no bit operators. */
function header(block: Uint8Array, count: number): number {
  if (block.length < count) damaged('zstd block cut off')
  let value = 0
  for (let at = count - 1; at >= 0; at--) value = value * 256 + block[at]!
  return value
}
