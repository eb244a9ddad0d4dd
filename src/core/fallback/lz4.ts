/**
 * LZ4 block format, reading only (lz4_Block_format.md).
 *
 * Invariant: fills `target` exactly from all of `source`, or throws OBJECT_DAMAGED; nothing is read or written outside.
 */
import { damaged } from './damaged.ts'

const MATCH_BYTES_MIN = 4

export function lz4Decompress(source: Uint8Array, target: Uint8Array): void {
  let read = 0
  let written = 0

  /** A length of 15 in the token goes on in bytes, up to the first that is not 255. */
  function lengthFrom(nibble: number): number {
    let length = nibble
    for (let more = nibble === 15; more; ) {
      if (read >= source.length) damaged('lz4 length cut off')
      const byte = source[read++]!
      length += byte
      more = byte === 255
    }
    return length
  }

  for (;;) {
    if (read >= source.length) damaged('lz4 block without its last literals')
    const token = source[read++]!
    const literals = lengthFrom(token >> 4)
    if (literals > source.length - read || literals > target.length - written) damaged('lz4 literals out of bounds')
    for (const end = read + literals; read < end; read++) target[written++] = source[read]!
    if (read === source.length) break

    if (source.length - read < 2) damaged('lz4 offset cut off')
    const distance = source[read]! | (source[read + 1]! << 8)
    read += 2
    const match = lengthFrom(token & 15) + MATCH_BYTES_MIN
    if (distance === 0 || distance > written) damaged('lz4 offset before the start')
    if (match > target.length - written) damaged('lz4 match out of bounds')
    for (const end = written + match; written < end; written++) target[written] = target[written - distance]!
  }
  if (written !== target.length) damaged('lz4 block shorter than expected')
}
