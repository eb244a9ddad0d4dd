/**
 * One whole zstd frame (RFC 8878), reading only. The fzstd package does not refuse damage: of 500 frames with one bit flipped it
 * gave wrong bytes for 483 and no error, and a block of ten bytes kept it busy for more than a minute.
 *
 * Invariant: fills `target` exactly from all of `source`, or throws OBJECT_DAMAGED. No dictionary, no skippable frame,
 * nothing after the frame; beside `target` it takes a block's worth of memory. What it accepts, libzstd accepts too, and
 * gives the same bytes. libzstd 1.5.7 accepts four things more, against the RFC: Huffman streams whose last symbol runs over
 * the start, those of four that have no end mark, Huffman words of 12 bits, and blocks some bytes longer than their bound.
 */
import { damaged } from '../damaged.ts'
import { BLOCK_HEADER_BYTES, decodeBlock, readBlock } from './block.ts'
import type { LowChecksum } from './checksum.ts'
import { CHECKSUM_BYTES, littleEndian, readHeader } from './header.ts'
import { createHistory } from './history.ts'

/** What RFC 8878 recommends every decoder to support. */
const WINDOW_BYTES_MAX = 8 * 1024 * 1024

export function zstdDecompress(source: Uint8Array, target: Uint8Array, checksum: LowChecksum): void {
  const frame = readHeader(source) ?? damaged('zstd frame cut off')
  if (!frame.singleSegment && frame.windowBytes > WINDOW_BYTES_MAX) damaged('zstd window too large')
  if ((frame.contentBytes ?? target.length) !== target.length) damaged('zstd content is not of the expected size')
  const history = createHistory()
  let read = frame.headerBytes
  let written = 0
  for (let last = false; !last; ) {
    if (source.length - read < BLOCK_HEADER_BYTES) damaged('zstd frame cut off')
    const block = readBlock(source.subarray(read))
    read += BLOCK_HEADER_BYTES
    if (block.storedBytes > source.length - read) damaged('zstd frame cut off')
    const compressed = block.kind === 'compressed'
    if (compressed && block.size > frame.blockBytesMax) damaged('zstd block too large')
    const limit = compressed ? Math.min(target.length, written + frame.blockBytesMax) : target.length
    const stored = source.subarray(read, read + block.storedBytes)
    written = decodeBlock(block, stored, history, { bytes: target, written, limit, start: 0, reachBytes: target.length })
    read += block.storedBytes
    last = block.last
  }
  if (written !== target.length) damaged('zstd frame shorter than expected')
  if (source.length - read !== (frame.hasChecksum ? CHECKSUM_BYTES : 0)) damaged('zstd frame does not end with its bytes')
  if (!frame.hasChecksum) return
  const actual = checksum.of(checksum.add(checksum.start(), target))
  if (littleEndian(source, read, CHECKSUM_BYTES) !== actual) damaged('zstd checksum differs')
}
