/** The checksum of a zstd frame: the low half of XXH64 with seed 0 (RFC 8878, 3.1.1). */
import { createXXHash64 } from 'hash-wasm'

/** What was added so far; any number of them are under way at once. */
export type ChecksumState = Uint8Array

export interface LowChecksum {
  start(): ChecksumState
  add(state: ChecksumState, bytes: Uint8Array): ChecksumState
  of(state: ChecksumState): number
}

export async function createLowChecksum(): Promise<LowChecksum> {
  const xxhash = await createXXHash64()
  return {
    start: () => xxhash.init().save(),
    add: (state, bytes) => xxhash.load(state).update(bytes).save(),
    of: (state) => new DataView(xxhash.load(state).digest('binary').buffer).getUint32(4),
  }
}
