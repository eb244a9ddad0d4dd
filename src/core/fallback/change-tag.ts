/**
 * Change tags (see `CHANGE_TAG_BYTES`): NH of RFC 4418 over blocks of 1 KiB in four Toeplitz passes, then keyed BLAKE3 over the
 * sums and the chunk's length.
 */
import { CHANGE_TAG_BYTES, KEY_BYTES } from '../../contract/core.ts'
import type { KeyedHash } from './keyed-hash.ts'

/** What the keys of both layers are derived from, with the fingerprint key. */
const CONTEXT = 'blockvault/1 change tag'
const BLOCK_WORDS = 256
const PASSES = 4
/** Pass p uses the key from its 4·p-th word on. */
const KEY_WORDS = BLOCK_WORDS + 4 * (PASSES - 1)
/** A product's halves stay below 2^48: sixteen of them add up exactly in a JavaScript number. */
const EXACT_PRODUCTS = 16

export function createChangeTagger(key: Uint8Array, hash: KeyedHash): (chunk: Uint8Array) => Uint8Array {
  const keys = hash.extended(key, new TextEncoder().encode(CONTEXT)).slice(0, KEY_WORDS * 4 + KEY_BYTES)
  const nhKey = wordsOf(keys.subarray(0, KEY_WORDS * 4))
  const outerKey = keys.subarray(KEY_WORDS * 4)

  return (chunk) => {
    const blocks = Math.ceil(chunk.length / (BLOCK_WORDS * 4))
    const padded = new Uint8Array(blocks * BLOCK_WORDS * 4)
    padded.set(chunk)
    const words = wordsOf(padded)
    const sums = new DataView(new ArrayBuffer(blocks * PASSES * 8 + 8))
    for (let block = 0; block < blocks; block++) {
      const blockWords = words.subarray(block * BLOCK_WORDS, (block + 1) * BLOCK_WORDS)
      for (let pass = 0; pass < PASSES; pass++) sums.setBigUint64((block * PASSES + pass) * 8, nh(blockWords, nhKey.subarray(pass * 4)), true)
    }
    sums.setBigUint64(blocks * PASSES * 8, BigInt(chunk.length), true)
    return hash.fingerprint(outerKey, new Uint8Array(sums.buffer)).subarray(0, CHANGE_TAG_BYTES)
  }
}

/** Sum, modulo 2^64, of (m[i] + k[i])·(m[i+4] + k[i+4]), both factors modulo 2^32, over every i whose bit 2 is clear. */
function nh(words: Uint32Array, key: Uint32Array): bigint {
  let total = 0n
  let low = 0
  let high = 0
  let products = 0
  for (let group = 0; group < BLOCK_WORDS; group += 8) {
    for (let word = group; word < group + 4; word++) {
      const left = ((words[word] as number) + (key[word] as number)) >>> 0
      const right = ((words[word + 4] as number) + (key[word + 4] as number)) >>> 0
      low += left * (right & 0xffff)
      high += left * (right >>> 16)
      if (++products % EXACT_PRODUCTS === 0) {
        total += BigInt(low) + (BigInt(high) << 16n)
        low = 0
        high = 0
      }
    }
  }
  return BigInt.asUintN(64, total)
}

/** Little-endian words, whatever the machine's order. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Uint32Array.from({ length: bytes.length / 4 }, (_, word) => view.getUint32(word * 4, true))
}
