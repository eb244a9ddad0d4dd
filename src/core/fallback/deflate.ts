/** A part of raw deflate (RFC 1951) by fflate. Invariant: it ends at a byte boundary, and another part may follow. */
import { Deflate } from 'fflate'
import { BlockvaultError } from '../../contract/errors.ts'

export type Level = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9

export function nearestLevel(level: number): Level {
  return Math.min(9, Math.max(0, Math.trunc(level))) as Level
}

/** The most that a part of `length` bytes becomes: fflate writes a stored block for each 7,000 bytes at worst. */
export function deflatedBytesMax(length: number): number {
  return length + 5 * Math.ceil(length / 7000) + 64
}

/** Gives the deflated bytes to `write` piece by piece. After the `last` part the stream is ended. */
export function deflatePart(plain: Uint8Array, level: Level, last: boolean, write: (bytes: Uint8Array) => void): void {
  let isTail = false
  const deflate = new Deflate({ level }, (bytes) => write(isTail ? openEnded(bytes) : bytes))
  deflate.push(plain, last)
  if (last) return
  // fflate's own flush to a byte boundary breaks some streams (its issue 267). So all bits but those of the last byte are
  // flushed, the stream is ended by an empty block, and that block is exchanged.
  deflate.flush()
  isTail = true
  deflate.push(new Uint8Array(0), true)
}

/** An empty stored block, behind its three header bits. */
const EMPTY_STORED = [0x00, 0x00, 0xff, 0xff]

/** Exchanges an empty last block behind less than eight bits for an empty stored block that is not the last. */
function openEnded(tail: Uint8Array): Uint8Array {
  if (tail.length === 5 && tail[0] === 1) return Uint8Array.of(0, ...EMPTY_STORED)
  // The block is ten bits: 1 for the last, 01 for fixed codes, seven zeros for its end. So its first bits are the highest set.
  const value = tail[0]! | (tail[1]! << 8) | ((tail[2] ?? 0) << 16)
  const bitsBefore = 30 - Math.clz32(value)
  if (tail.length > 3 || value >> bitsBefore !== 0b11 || bitsBefore > 7) throw new BlockvaultError('INTERNAL', 'fflate ended a part in an unknown way.')
  const before = value & ((1 << bitsBefore) - 1)
  return Uint8Array.of(before, ...(bitsBefore + 3 > 8 ? [0] : []), ...EMPTY_STORED)
}
