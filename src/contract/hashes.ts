/**
 * The hashes of Cinder's format. Runtimes have their own, with the processor's SHA instructions: 1.4 GiB/s for SHA-256 on Node where
 * WebAssembly gives 0.24; MD5 is 0.6 GiB/s either way, so hash-wasm's is used everywhere.
 */
export interface Hashes {
  /** SHA-256 of each block of `bytes`, one after the other: `ceil(length / blockBytes)` × 32 bytes; a short last block is hashed as it is. */
  sha256Blocks(bytes: Uint8Array, blockBytes: number): Uint8Array<ArrayBuffer>
}
