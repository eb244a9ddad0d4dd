/** Bytes to test with: all follow from a seed, so that a failure can be had again. */
import type { Core, CoreBuffer } from '../../../src/contract/core.ts'

export const KEY = Uint8Array.from({ length: 32 }, (_, index) => index * 7 + 1)

/** A buffer of `core` that holds `bytes`. */
export function put(core: Core, bytes: Uint8Array): CoreBuffer {
  const buffer = core.buffer(bytes.length)
  buffer.bytes().set(bytes)
  return buffer
}

/** Whole numbers below `bound`, one after the other (xorshift32). */
export function randomNumbers(seed: number): (bound: number) => number {
  let state = Math.imul(seed, 0x9e3779b1) | 1
  return (bound) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return Math.floor(((state >>> 0) / 2 ** 32) * bound)
  }
}

export function randomBytes(seed: number, length: number): Uint8Array<ArrayBuffer> {
  const below = randomNumbers(seed)
  return Uint8Array.from({ length }, () => below(256))
}

/** What a disk image is like: runs of zeros, of one byte, of text, of noise, of what came before. */
export function volumeBytes(seed: number, length: number): Uint8Array<ArrayBuffer> {
  const below = randomNumbers(seed)
  const volume = new Uint8Array(length)
  const noise = randomBytes(seed + 1, 4096)
  for (let at = 0; at < length; ) {
    const run = volume.subarray(at, at + 1 + below(2 ** (1 + below(15))))
    const kind = below(6)
    if (kind === 1) run.fill(below(256))
    if (kind === 2) for (let index = 0; index < run.length; index++) run[index] = 97 + (noise[(at + index) % 4096]! % 11)
    if (kind === 3 || kind === 4) for (let index = 0; index < run.length; index++) run[index] = below(256)
    if (kind === 5 && at > 0) {
      const from = below(at)
      for (let index = 0; index < run.length; index++) run[index] = volume[from + index]!
    }
    at += run.length
  }
  return volume
}
