/** The header of a zstd frame (RFC 8878, 3.1.1.1). */
import { damaged } from '../damaged.ts'

export const BLOCK_BYTES_MAX = 128 * 1024
export const CHECKSUM_BYTES = 4
export const MAGIC = 0xfd2fb528
export const MAGIC_BYTES = 4

export interface FrameHeader {
  headerBytes: number
  /** How far back the frame copies from. A single segment has no window: it is its content. */
  windowBytes: number
  singleSegment: boolean
  /** The length of what comes out, if it is given. */
  contentBytes: number | undefined
  blockBytesMax: number
  hasChecksum: boolean
}

/** Nothing when `source` is too short to tell. */
export function readHeader(source: Uint8Array): FrameHeader | undefined {
  if (source.length <= MAGIC_BYTES) return undefined
  if (littleEndian(source, 0, MAGIC_BYTES) !== MAGIC) damaged('no zstd frame')
  const descriptor = source[MAGIC_BYTES]!
  const singleSegment = (descriptor & 0x20) !== 0
  if ((descriptor & 0x08) !== 0) damaged('reserved bit of a zstd frame')
  const windowAt = MAGIC_BYTES + 1
  const dictionaryAt = windowAt + (singleSegment ? 0 : 1)
  const contentAt = dictionaryAt + [0, 1, 2, 4][descriptor & 3]!
  const contentSizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!
  const headerBytes = contentAt + contentSizeBytes
  if (source.length < headerBytes) return undefined
  if (littleEndian(source, dictionaryAt, contentAt - dictionaryAt) !== 0) damaged('zstd frame with a dictionary')

  const contentBytes = contentSizeBytes === 0 ? undefined : littleEndian(source, contentAt, contentSizeBytes) + (contentSizeBytes === 2 ? 256 : 0)
  const windowBytes = singleSegment ? contentBytes! : windowOf(source[windowAt]!)
  const blockBytesMax = Math.min(windowBytes, BLOCK_BYTES_MAX)
  return { headerBytes, windowBytes, singleSegment, contentBytes, blockBytesMax, hasChecksum: (descriptor & 0x04) !== 0 }
}

function windowOf(byte: number): number {
  const base = 2 ** (10 + (byte >> 3))
  return base + (base / 8) * (byte & 7)
}

/** Rounds beyond 2^53, where no real size is. */
export function littleEndian(source: Uint8Array, offset: number, count: number): number {
  let value = 0
  for (let at = offset + count - 1; at >= offset; at--) value = value * 256 + source[at]!
  return value
}
