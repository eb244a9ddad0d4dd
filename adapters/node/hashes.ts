/** SHA-256 with the processor's instructions. */
import { createHash } from 'node:crypto'
import type { Hashes } from '../../src/contract/hashes.ts'

export const nodeHashes: Hashes = {
  sha256Blocks(bytes, blockBytes) {
    const count = Math.ceil(bytes.length / blockBytes)
    const digests = new Uint8Array(count * 32)
    for (let block = 0; block < count; block++)
      digests.set(
        createHash('sha256')
          .update(bytes.subarray(block * blockBytes, (block + 1) * blockBytes))
          .digest(),
        block * 32,
      )
    return digests
  },
}
