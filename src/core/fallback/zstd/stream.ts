/**
 * zstd frames (RFC 8878) as they come in, one step a header, block or checksum. Frames that follow each other are joined and
 * skippable ones skipped, as libzstd does; anything else behind a frame is damage.
 *
 * Invariant: it accepts what `frame.ts` accepts, and offsets no longer than the frame's window. libzstd 1.5.7 accepts one thing more in
 * streams than in whole frames: compressed blocks of no bytes.
 */
import { damaged } from '../damaged.ts'
import type { OutputWindow } from '../output-window.ts'
import type { Unpacker } from '../unpacker.ts'
import { BLOCK_HEADER_BYTES, decodeBlock, readBlock } from './block.ts'
import type { ChecksumState, LowChecksum } from './checksum.ts'
import { CHECKSUM_BYTES, type FrameHeader, littleEndian, MAGIC_BYTES, readHeader } from './header.ts'
import { createHistory, type History } from './history.ts'

/** As the reference decoder has it for streams. */
const WINDOW_BYTES_MAX = 128 * 1024 * 1024
/** Magic numbers of skippable frames have any low four bits. */
const SKIPPABLE_MAGIC = 0x184d2a5
const SKIPPABLE_HEADER_BYTES = 8

interface Frame {
  header: FrameHeader
  history: History
  checksum: ChecksumState | undefined
  /** Bytes that came out so far. */
  contentBytes: number
  ended: boolean
}

export function createZstdUnpacker(checksum: LowChecksum): Unpacker {
  let frame: Frame | undefined
  let frames = 0
  let skippedBytes = 0

  function startFrame(input: Uint8Array, window: OutputWindow): number {
    if (input.length >= MAGIC_BYTES && Math.floor(littleEndian(input, 0, MAGIC_BYTES) / 16) === SKIPPABLE_MAGIC) {
      if (input.length < SKIPPABLE_HEADER_BYTES) return 0
      skippedBytes = littleEndian(input, MAGIC_BYTES, 4)
      frames++
      return SKIPPABLE_HEADER_BYTES
    }
    const header = readHeader(input)
    if (header === undefined) return 0
    if (header.windowBytes > WINDOW_BYTES_MAX) damaged('zstd window too large')
    window.begin(header.windowBytes)
    frame = { header, history: createHistory(), checksum: header.hasChecksum ? checksum.start() : undefined, contentBytes: 0, ended: false }
    return header.headerBytes
  }

  function takeBlock(input: Uint8Array, frame: Frame, window: OutputWindow): number {
    if (input.length < BLOCK_HEADER_BYTES) return 0
    const { blockBytesMax, windowBytes, contentBytes } = frame.header
    const block = readBlock(input)
    if (block.size > blockBytesMax) damaged('zstd block too large')
    const end = BLOCK_HEADER_BYTES + block.storedBytes
    if (input.length < end) return 0
    window.reserve(blockBytesMax)
    const from = window.written
    const { bytes, start } = window
    const target = { bytes, written: from, limit: from + blockBytesMax, start, reachBytes: windowBytes }
    window.written = decodeBlock(block, input.subarray(BLOCK_HEADER_BYTES, end), frame.history, target)
    frame.contentBytes += window.written - from
    if (frame.checksum !== undefined) frame.checksum = checksum.add(frame.checksum, bytes.subarray(from, window.written))
    if (block.last) {
      if ((contentBytes ?? frame.contentBytes) !== frame.contentBytes) damaged('zstd content is not of the stated size')
      frame.ended = true
      if (frame.checksum === undefined) endFrame()
    }
    return end
  }

  function takeChecksum(input: Uint8Array, state: ChecksumState): number {
    if (input.length < CHECKSUM_BYTES) return 0
    if (littleEndian(input, 0, CHECKSUM_BYTES) !== checksum.of(state)) damaged('zstd checksum differs')
    endFrame()
    return CHECKSUM_BYTES
  }

  function endFrame(): void {
    frame = undefined
    frames++
  }

  return {
    get whole() {
      return frame === undefined && frames > 0 && skippedBytes === 0
    },
    unpack(input, window) {
      if (skippedBytes > 0) {
        const count = Math.min(skippedBytes, input.length)
        skippedBytes -= count
        return count
      }
      if (frame === undefined) return startFrame(input, window)
      if (frame.ended && frame.checksum !== undefined) return takeChecksum(input, frame.checksum)
      return takeBlock(input, frame, window)
    },
  }
}
