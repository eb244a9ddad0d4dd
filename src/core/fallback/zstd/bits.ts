/**
 * Bits read from the end of a section towards its start (RFC 8878, 4.1): the last byte's highest set bit marks the end.
 *
 * Invariant: reading past the start answers zeros and leaves `left` negative; who reads checks `left` before he believes.
 */
import { damaged } from '../damaged.ts'

export class BackwardBits {
  /** Bits not read yet. */
  left: number
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    const last = bytes.length === 0 ? 0 : bytes[bytes.length - 1]!
    if (last === 0) damaged('zstd bits without an end mark')
    this.#bytes = bytes
    this.left = bytes.length * 8 - 1 - (Math.clz32(last) - 24)
  }

  /** The next `count` bits, at most 25. */
  read(count: number): number {
    this.left -= count
    return this.#at(this.left, count)
  }

  peek(count: number): number {
    return this.#at(this.left - count, count)
  }

  #at(position: number, count: number): number {
    if (position < 0) return position + count <= 0 ? 0 : this.#at(0, position + count) << -position
    const bytes = this.#bytes
    const byte = position >> 3
    const word = bytes[byte]! | (bytes[byte + 1]! << 8) | (bytes[byte + 2]! << 16) | (bytes[byte + 3]! << 24)
    return (word >>> (position & 7)) & ((1 << count) - 1)
  }
}
