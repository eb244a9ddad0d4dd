/** A part of raw deflate (RFC 1951) by fflate. Invariant: it ends at a byte boundary, and another part may follow. */
import { deflateSync } from 'fflate'
import { BlockvaultError } from '../../contract/errors.ts'
import { concatBytes, equalBytes } from '../bytes.ts'
import { createInflater } from './inflate.ts'

export type Level = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9

export function nearestLevel(level: number): Level {
  return Math.min(9, Math.max(0, Math.trunc(level))) as Level
}

/** The most that a part of `length` bytes becomes: fflate writes a stored block for each 7,000 bytes at worst. */
export function deflatedBytesMax(length: number): number {
  return length + 5 * Math.ceil(length / 7000) + 64
}

/** The `last` part ends the stream. */
export function deflatePart(plain: Uint8Array, level: Level, last: boolean): Uint8Array {
  const ended = deflateSync(plain, { level })
  return last ? ended : opened(ended, plain)
}

/** Behind its three header bits. */
const EMPTY_STORED_BLOCK = Uint8Array.of(0x00, 0x00, 0xff, 0xff)

/**
 * Takes the mark of the last block away and ends with an empty stored block, as zlib's Z_SYNC_FLUSH does. Where the last block starts and
 * ends only a decoder knows: that is a third more work. fflate's own streams are no way round it: its `flush(true)` misplaces
 * that block (its issue 267), and data that begins with zeros copies from before the start.
 */
function opened(ended: Uint8Array, plain: Uint8Array): Uint8Array {
  const again = new Uint8Array(plain.length)
  const { stopped, written, lastBlockBit, endBit } = createInflater().run(ended, again, 0)
  if (stopped !== 'end' || written !== plain.length || !equalBytes(again, plain)) {
    throw new BlockvaultError('INTERNAL', "What fflate wrote does not decompress to its source. Nothing was stored; test this machine's memory.")
  }
  const parts = concatBytes([ended, new Uint8Array(1), EMPTY_STORED_BLOCK])
  parts[lastBlockBit >> 3]! &= ~(1 << (lastBlockBit & 7))
  const headerEnd = (endBit + 3 + 7) >> 3
  parts.set(EMPTY_STORED_BLOCK, headerEnd)
  return parts.subarray(0, headerEnd + EMPTY_STORED_BLOCK.length)
}
