/**
 * Keyed BLAKE3 on hash-wasm, which needs WASM but no SIMD.
 *
 * Invariant: hashing is synchronous for any key, though hash-wasm takes the key when a hasher is made, which is
 * asynchronous. Its `init` reads the key anew from the array it was given, so writing a key there re-keys the hasher.
 * That is not documented: `createKeyedHash` proves it with a published vector before anything is hashed.
 */
import { createBLAKE3 } from 'hash-wasm'
import { FINGERPRINT_BYTES, KEY_BYTES } from '../../contract/core.ts'
import { BlockvaultError } from '../../contract/errors.ts'

/** Bytes of extended output: what a gear table takes. */
export const EXTENDED_BYTES = 2048

export interface KeyedHash {
  /** The 32-byte hash of `bytes`, as a copy. */
  fingerprint(key: Uint8Array, bytes: Uint8Array): Uint8Array<ArrayBuffer>
  /** The first 2048 bytes of extended output, as a copy. */
  extended(key: Uint8Array, bytes: Uint8Array): Uint8Array<ArrayBuffer>
}

export async function createKeyedHash(): Promise<KeyedHash> {
  const keyNow = new Uint8Array(KEY_BYTES)
  const [short, long] = await Promise.all([createBLAKE3(FINGERPRINT_BYTES * 8, keyNow), createBLAKE3(EXTENDED_BYTES * 8, keyNow)])
  const digest = (hasher: typeof short, key: Uint8Array, bytes: Uint8Array) => {
    assertKey(key)
    keyNow.set(key)
    return new Uint8Array(hasher.init().update(bytes).digest('binary'))
  }
  const hash: KeyedHash = {
    fingerprint: (key, bytes) => digest(short, key, bytes),
    extended: (key, bytes) => digest(long, key, bytes),
  }
  prove(hash)
  return hash
}

export function assertKey(key: Uint8Array): void {
  if (key.length !== KEY_BYTES) throw new BlockvaultError('INTERNAL', `A key has ${KEY_BYTES} bytes, not ${key.length}.`)
}

/** `keyed_hash` of the empty input in BLAKE3's test_vectors.json: the first 8 bytes. */
const PROOF_KEY = 'whats the Elvish word for friend'
const PROOF = [0x92, 0xb2, 0xb7, 0x56, 0x04, 0xed, 0x3c, 0x76]

function prove(hash: KeyedHash): void {
  const key = new TextEncoder().encode(PROOF_KEY)
  const nothing = new Uint8Array(0)
  const same = (bytes: Uint8Array) => PROOF.every((byte, index) => bytes[index] === byte)
  if (!same(hash.fingerprint(key, nothing)) || !same(hash.extended(key, nothing))) {
    throw new BlockvaultError('CORE_UNAVAILABLE', 'This version of hash-wasm does not re-key BLAKE3: install the one in package-lock.json.')
  }
}
