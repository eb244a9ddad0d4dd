/**
 * Output of a streaming decoder: what later bytes may copy from, and what nobody has taken yet.
 *
 * Invariant: it grows with what comes out, never with what a header asks for, and to three times its reach at most.
 */

const BYTES_MIN = 64 * 1024

export class OutputWindow {
  bytes = new Uint8Array(BYTES_MIN)
  /** Where the next byte goes. */
  written = 0
  /** Where the current stream began, 0 when that was longer ago than its reach. */
  start = 0
  #taken = 0
  #reachBytes = 0

  /** A stream begins that copies from at most `reachBytes` back, and not from before it. */
  begin(reachBytes: number): void {
    this.start = this.written
    this.#reachBytes = reachBytes
  }

  /** Bytes that wait to be taken. */
  get waiting(): number {
    return this.written - this.#taken
  }

  /** Moves what waits to `target` from `at` on, as much as goes in, and returns how much that was. */
  take(target: Uint8Array, at: number): number {
    const count = Math.min(this.waiting, target.length - at)
    target.set(this.bytes.subarray(this.#taken, this.#taken + count), at)
    this.#taken += count
    return count
  }

  /** Makes room for `bytes` behind `written`. */
  reserve(bytes: number): void {
    if (this.bytes.length - this.written >= bytes) return
    const from = Math.min(this.#taken, Math.max(this.start, this.written - this.#reachBytes))
    const kept = this.bytes.subarray(from, this.written)
    // Moving pays when a quarter gets free by it: each byte is moved three times at most then.
    if (from < this.bytes.length / 4 || kept.length + bytes > this.bytes.length) {
      this.bytes = new Uint8Array(Math.max(2 * this.bytes.length, kept.length + bytes))
    }
    this.bytes.set(kept)
    this.written -= from
    this.start = Math.max(0, this.start - from)
    this.#taken -= from
  }
}
