/**
 * Change tags (see `CHANGE_TAG_BYTES`): NH of RFC 4418 over blocks of 1 KiB in four Toeplitz passes, then keyed BLAKE3 over the
 * sums and the chunk's length.
 */
import { CHANGE_TAG_BYTES, KEY_BYTES } from '../../contract/core.ts'
import type { KeyedHash } from './keyed-hash.ts'

/** What the keys of both layers are derived from, with the fingerprint key. */
const CONTEXT = 'blockvault/1 change tag'
const BLOCK_WORDS = 256
const BLOCK_BYTES = BLOCK_WORDS * 4
const PASSES = 4
const SUM_BYTES = 8
/** Pass p uses the key from its 4·p-th word on. */
const KEY_WORDS = BLOCK_WORDS + 4 * (PASSES - 1)
/** Words whose products' halves, each below 2^48, add up exactly in a JavaScript number: 16 products. */
const EXACT_WORDS = 32

export function createChangeTagger(key: Uint8Array, hash: KeyedHash): (chunk: Uint8Array) => Uint8Array {
  const keys = hash.extended(key, new TextEncoder().encode(CONTEXT)).slice(0, KEY_WORDS * 4 + KEY_BYTES)
  const nhKey = wordsOf(keys.subarray(0, KEY_WORDS * 4))
  const outerKey = keys.subarray(KEY_WORDS * 4)

  return (chunk) => {
    const blocks = Math.ceil(chunk.length / BLOCK_BYTES)
    const padded = new Uint8Array(blocks * BLOCK_BYTES)
    padded.set(chunk)
    const words = wordsOf(padded)
    const sums = new DataView(new ArrayBuffer(blocks * PASSES * SUM_BYTES + 8))
    for (let sum = 0; sum < blocks * PASSES; sum++) {
      const pass = sum % PASSES
      putNh(words, ((sum - pass) / PASSES) * BLOCK_WORDS, nhKey, pass * 4, sums, sum * SUM_BYTES)
    }
    sums.setUint32(blocks * PASSES * SUM_BYTES, chunk.length, true)
    return hash.fingerprint(outerKey, new Uint8Array(sums.buffer)).subarray(0, CHANGE_TAG_BYTES)
  }
}

/**
 * Puts the sum, modulo 2^64, of (m[i] + k[i])·(m[i+4] + k[i+4]), both factors modulo 2^32, over every i whose bit 2 is clear.
 * In halves that are plain numbers: with BigInt sums a tag took some ten times as long.
 */
function putNh(words: Uint32Array, start: number, key: Uint32Array, keyStart: number, sums: DataView, sumOffset: number): void {
  let low = 0
  let high = 0
  for (let run = 0; run < BLOCK_WORDS; run += EXACT_WORDS) {
    let products = 0
    let productsBy16Bits = 0
    for (let group = run; group < run + EXACT_WORDS; group += 8) {
      for (let word = group; word < group + 4; word++) {
        const left = (words[start + word]! + key[keyStart + word]!) >>> 0
        const right = (words[start + word + 4]! + key[keyStart + word + 4]!) >>> 0
        products += left * (right & 0xffff)
        productsBy16Bits += left * (right >>> 16)
      }
    }
    low += (products % 2 ** 32) + (productsBy16Bits % 2 ** 16) * 2 ** 16
    high += Math.floor(products / 2 ** 32) + Math.floor(productsBy16Bits / 2 ** 16)
  }
  sums.setUint32(sumOffset, low, true)
  sums.setUint32(sumOffset + 4, high + Math.floor(low / 2 ** 32), true)
}

/** Little-endian words, whatever the machine's order. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const words = new Uint32Array(bytes.length / 4)
  for (let word = 0; word < words.length; word++) words[word] = view.getUint32(word * 4, true)
  return words
}
