/**
 * One zstd frame (RFC 8878), reading only. The fzstd package does not refuse damage: of 500 frames with one bit flipped it
 * gave wrong bytes for 483 and no error, and a block of ten bytes kept it busy for more than a minute.
 *
 * Invariant: fills `target` exactly from all of `source`, or throws OBJECT_DAMAGED. No dictionary, no skippable frame,
 * nothing after the frame; beside `target` it takes a block's worth of memory. What it accepts, libzstd accepts too, and
 * gives the same bytes. libzstd 1.5.7 accepts three things more, against the RFC: Huffman streams whose last symbol runs over
 * the start, Huffman words of 12 bits, and blocks some bytes longer than their bound.
 */
import { damaged } from '../damaged.ts'
import { createHistory } from './history.ts'
import { readLiterals } from './literals.ts'
import { runSequences } from './sequences.ts'

/** What RFC 8878 recommends every decoder to support. A single segment needs no window: it is the target. */
const WINDOW_BYTES_MAX = 8 * 1024 * 1024
const BLOCK_BYTES_MAX = 128 * 1024
const BLOCK_HEADER_BYTES = 3
const CHECKSUM_BYTES = 4

/** `checksum` is the low half of XXH64 with seed 0. */
export function zstdDecompress(source: Uint8Array, target: Uint8Array, checksum: (bytes: Uint8Array) => number): void {
  const frame = readHeader(source, target.length)
  const history = createHistory()
  let read = frame.headerBytes
  let written = 0
  for (let last = false; !last; ) {
    if (source.length - read < BLOCK_HEADER_BYTES) damaged('zstd frame cut off')
    const header = source[read]! | (source[read + 1]! << 8) | (source[read + 2]! << 16)
    read += BLOCK_HEADER_BYTES
    last = (header & 1) === 1
    const kind = BLOCK_KINDS[(header >> 1) & 3]!
    const size = header >> 3
    const stored = kind === 'repeated' ? 1 : size
    if (stored > source.length - read) damaged('zstd frame cut off')
    const block = source.subarray(read, read + stored)
    if (kind === 'reserved') damaged('reserved zstd block')
    else if (kind === 'compressed') {
      if (size > frame.blockBytesMax) damaged('zstd block too large')
      const limit = Math.min(target.length, written + frame.blockBytesMax)
      const { literals, bytesRead } = readLiterals(block, history, limit - written)
      written = runSequences(block.subarray(bytesRead), literals, history, target, written, limit)
    } else {
      if (size > target.length - written) damaged('zstd frame longer than expected')
      if (kind === 'raw') target.set(block, written)
      else target.fill(block[0]!, written, written + size)
      written += size
    }
    read += stored
  }
  if (written !== target.length) damaged('zstd frame shorter than expected')
  if (source.length - read !== (frame.hasChecksum ? CHECKSUM_BYTES : 0)) damaged('zstd frame does not end with its bytes')
  if (frame.hasChecksum && littleEndian(source, read, CHECKSUM_BYTES) !== checksum(target)) damaged('zstd checksum differs')
}

const BLOCK_KINDS = ['raw', 'repeated', 'compressed', 'reserved'] as const

function readHeader(source: Uint8Array, expected: number): { headerBytes: number; blockBytesMax: number; hasChecksum: boolean } {
  if (littleEndian(source, 0, 4) !== 0xfd2fb528) damaged('no zstd frame')
  const descriptor = source[4] ?? damaged('zstd frame cut off')
  const singleSegment = (descriptor & 0x20) !== 0
  if ((descriptor & 0x08) !== 0) damaged('reserved bit of a zstd frame')
  if ((descriptor & 0x03) !== 0) damaged('zstd frame with a dictionary')
  let headerBytes = 5
  let window = expected
  if (!singleSegment) {
    const byte = source[headerBytes++] ?? damaged('zstd frame cut off')
    const base = 2 ** (10 + (byte >> 3))
    window = base + (base / 8) * (byte & 7)
    if (window > WINDOW_BYTES_MAX) damaged('zstd window too large')
  }
  const sizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!
  if (sizeBytes > 0) {
    const size = littleEndian(source, headerBytes, sizeBytes) + (sizeBytes === 2 ? 256 : 0)
    if (size !== expected) damaged('zstd content is not of the expected size')
  }
  return { headerBytes: headerBytes + sizeBytes, blockBytesMax: Math.min(window, BLOCK_BYTES_MAX), hasChecksum: (descriptor & 0x04) !== 0 }
}

/** Rounds beyond 2^53, where no expected size can be equal anyway. */
function littleEndian(source: Uint8Array, offset: number, count: number): number {
  if (count > source.length - offset) damaged('zstd frame cut off')
  let value = 0
  for (let at = offset + count - 1; at >= offset; at--) value = value * 256 + source[at]!
  return value
}
