/**
 * SHA-256 of Cinder's blocks. A block of zeros has a hash that is known: it costs a look at its bytes, a quarter of hashing it.
 */
import type { Hashes } from '../contract/hashes.ts'
import { isZeros } from './zeros.ts'

export const SHA256_BYTES = 32

export interface BlockHasher {
  /** 32 bytes a block of `bytes`; a short last block is hashed as it is. */
  hash(bytes: Uint8Array, blockBytes: number): Uint8Array<ArrayBuffer>
}

/** Lengths of zero blocks whose hash is kept: a volume has two, its block size and its short last block. */
const KNOWN_MAX = 16

export function createBlockHasher(hashes: Hashes): BlockHasher {
  const known = new Map<number, Uint8Array<ArrayBuffer>>()
  const zeroHash = (length: number) => {
    let hash = known.get(length)
    if (!hash) {
      if (known.size === KNOWN_MAX) known.clear()
      hash = hashes.sha256Blocks(new Uint8Array(length), length)
      known.set(length, hash)
    }
    return hash
  }
  return {
    hash(bytes, blockBytes) {
      const count = Math.ceil(bytes.length / blockBytes)
      const all = new Uint8Array(count * SHA256_BYTES)
      // Blocks that are not zero go to the runtime as runs.
      let from = 0
      const hashRun = (to: number) => {
        if (to > from) all.set(hashes.sha256Blocks(bytes.subarray(from * blockBytes, to * blockBytes), blockBytes), from * SHA256_BYTES)
      }
      for (let index = 0; index < count; index++) {
        const block = bytes.subarray(index * blockBytes, (index + 1) * blockBytes)
        if (!isZeros(block)) continue
        hashRun(index)
        all.set(zeroHash(block.length), index * SHA256_BYTES)
        from = index + 1
      }
      hashRun(count)
      return all
    },
  }
}
