/**
 * One pass over a segment: cuts, zero flags, fingerprints, change tags.
 *
 * Invariant: a chunk of zeros has neither computed; their bytes stay zero.
 */
import { CHANGE_TAG_BYTES, FINGERPRINT_BYTES, SEGMENT_BYTES_MAX } from '../../contract/core.ts'
import type { ChunkerOptions, Scanner } from '../../contract/core.ts'
import { BlockvaultError } from '../../contract/errors.ts'
import { createChangeTagger } from './change-tag.ts'
import { createCut, GEAR_CONTEXT } from './cut.ts'
import { assertKey } from './keyed-hash.ts'
import type { KeyedHash } from './keyed-hash.ts'

export function createScanner(chunker: ChunkerOptions, key: Uint8Array, hash: KeyedHash): Scanner {
  assertKey(key)
  const ownKey = key.slice()
  const cut = createCut(chunker, () => hash.extended(ownKey, new TextEncoder().encode(GEAR_CONTEXT)))
  const tagOf = createChangeTagger(ownKey, hash)
  return {
    scan(segment, length, offset = 0) {
      if (length > SEGMENT_BYTES_MAX) {
        throw new BlockvaultError('INTERNAL', `A segment of ${length} bytes is longer than the ${SEGMENT_BYTES_MAX} a scan takes.`)
      }
      const bytes = segment.bytes(offset, length)
      const lengths = Uint32Array.from(cut(bytes))
      const zero = new Uint8Array(lengths.length)
      const fingerprints = new Uint8Array(lengths.length * FINGERPRINT_BYTES)
      const changeTags = new Uint8Array(lengths.length * CHANGE_TAG_BYTES)
      let start = 0
      for (let index = 0; index < lengths.length; index++) {
        const chunk = bytes.subarray(start, start + lengths[index]!)
        if (isZero(chunk)) zero[index] = 1
        else {
          fingerprints.set(hash.fingerprint(ownKey, chunk), index * FINGERPRINT_BYTES)
          changeTags.set(tagOf(chunk), index * CHANGE_TAG_BYTES)
        }
        start += chunk.length
      }
      return { count: lengths.length, lengths, zero, fingerprints, changeTags }
    },
    tag(segment, offset, lengths) {
      const zero = new Uint8Array(lengths.length)
      const changeTags = new Uint8Array(lengths.length * CHANGE_TAG_BYTES)
      let start = offset
      for (const [index, length] of lengths.entries()) {
        const chunk = segment.bytes(start, length)
        if (isZero(chunk)) zero[index] = 1
        else changeTags.set(tagOf(chunk), index * CHANGE_TAG_BYTES)
        start += length
      }
      return { zero, changeTags }
    },
    free() {},
  }
}

/** A loop: `every`, as in bytes.ts, calls back for each byte and takes six times as long. */
function isZero(chunk: Uint8Array): boolean {
  for (let at = 0; at < chunk.length; at++) if (chunk[at] !== 0) return false
  return true
}
