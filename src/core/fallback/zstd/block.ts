/** A block of a zstd frame (RFC 8878, 3.1.1.2): its header, and its three kinds. */
import { damaged } from '../damaged.ts'
import type { History } from './history.ts'
import { readLiterals } from './literals.ts'
import { type BlockTarget, runSequences } from './sequences.ts'

export const BLOCK_HEADER_BYTES = 3
const BLOCK_KINDS = ['raw', 'repeated', 'compressed', 'reserved'] as const

export interface Block {
  last: boolean
  kind: 'raw' | 'repeated' | 'compressed'
  /** Bytes that come out, or of a compressed block those that go in. */
  size: number
  /** Bytes behind the header. */
  storedBytes: number
}

/** `source` has a block's header at least. */
export function readBlock(source: Uint8Array): Block {
  const header = source[0]! | (source[1]! << 8) | (source[2]! << 16)
  const kind = BLOCK_KINDS[(header >> 1) & 3]!
  const size = header >> 3
  if (kind === 'reserved') return damaged('reserved zstd block')
  if (kind === 'compressed' && size === 0) damaged('empty compressed zstd block')
  return { last: (header & 1) === 1, kind, size, storedBytes: kind === 'repeated' ? 1 : size }
}

/** Decodes the bytes behind the header and returns where the output ends. */
export function decodeBlock(block: Block, stored: Uint8Array, history: History, target: BlockTarget): number {
  const { bytes, written, limit } = target
  if (block.kind === 'compressed') {
    const { literals, bytesRead } = readLiterals(stored, history, limit - written)
    return runSequences(stored.subarray(bytesRead), literals, history, target)
  }
  if (block.size > limit - written) damaged('zstd frame longer than expected')
  if (block.kind === 'raw') bytes.set(stored, written)
  else bytes.fill(stored[0]!, written, written + block.size)
  return written + block.size
}
