/** Which chunks of a scan this backup has to store: those that neither the repository nor this backup holds already. */
import { type Core, FINGERPRINT_BYTES, type Scan } from '../contract/core.ts'
import type { ChunkRanges } from '../pipeline/encode-operations.ts'
import type { ChunkRun } from './pack-writer.ts'
import type { StoredIndex } from './stored-index.ts'

export interface ChunkClaims {
  /** The new chunks of a scan: where they lie in the segment, and what they are. `undefined` when there are none. */
  claim(scan: Scan): { ranges: ChunkRanges; run: ChunkRun } | undefined
  /** True when the single chunk has to be stored, by the caller. */
  claimOne(fingerprint: Uint8Array): boolean
  /** Plaintext bytes of the chunks claimed from scans. */
  readonly newBytes: number
  free(): void
}

export function createChunkClaims(core: Core, index: StoredIndex): ChunkClaims {
  const claimed = core.fingerprintSet()
  let newBytes = 0
  const claimOne = (fingerprint: Uint8Array) => index.chunks.has(fingerprint, 1)[0] === 0 && claimed.claim(fingerprint, 1)[0] === 1
  return {
    claimOne,
    claim(scan) {
      const held = index.chunks.has(scan.fingerprints, scan.count)
      const fingerprintOf = (chunk: number) => scan.fingerprints.subarray(chunk * FINGERPRINT_BYTES, (chunk + 1) * FINGERPRINT_BYTES)
      const fresh: { chunk: number; offset: number; length: number }[] = []
      for (let chunk = 0, offset = 0; chunk < scan.count; chunk++) {
        const length = scan.lengths[chunk] as number
        if (!scan.zero[chunk] && !held[chunk] && claimed.claim(fingerprintOf(chunk), 1)[0] === 1) fresh.push({ chunk, offset, length })
        offset += length
      }
      if (fresh.length === 0) return undefined
      const ranges = new Uint32Array(fresh.length * 2)
      const run = { lengths: new Uint32Array(fresh.length), fingerprints: new Uint8Array(fresh.length * FINGERPRINT_BYTES) }
      for (const [at, { chunk, offset, length }] of fresh.entries()) {
        ranges[at * 2] = offset
        ranges[at * 2 + 1] = length
        run.lengths[at] = length
        run.fingerprints.set(fingerprintOf(chunk), at * FINGERPRINT_BYTES)
        newBytes += length
      }
      return { ranges, run }
    },
    get newBytes() {
      return newBytes
    },
    free: () => claimed.free(),
  }
}
