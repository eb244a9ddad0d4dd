import { describe, expect, it } from 'vitest'
import { CHANGE_TAG_BYTES, FINGERPRINT_BYTES } from '../../src/contract/core.ts'
import { toHex } from '../../src/core/bytes.ts'
import { createSegmentPieces } from '../../src/repository/segment-pieces.ts'
import { createMapBuilder } from '../../src/repository/volume-map.ts'
import { noise } from './support/random.ts'

const CHUNK_BYTES = 4096
const CHUNKS = 128
const SEGMENT_BYTES = CHUNK_BYTES * CHUNKS
const SEGMENTS = 100

/** A volume whose every chunk is another, and the names of the nodes that are read of its map. */
function subject() {
  const nodes = new Map<string, Uint8Array>()
  const builder = createMapBuilder((node) => {
    const fingerprint = noise(1_000_000 + nodes.size, FINGERPRINT_BYTES)
    nodes.set(toHex(fingerprint), node)
    return fingerprint
  })
  for (let segment = 0; segment < SEGMENTS; segment++)
    builder.add({
      count: CHUNKS,
      lengths: new Uint32Array(CHUNKS).fill(CHUNK_BYTES),
      zero: new Uint8Array(CHUNKS),
      fingerprints: noise(segment + 1, CHUNKS * FINGERPRINT_BYTES),
      changeTags: noise(segment + 1, CHUNKS * CHANGE_TAG_BYTES),
    })
  const read: string[] = []
  const pieces = createSegmentPieces(builder.finish(), {
    volumeBytes: SEGMENTS * SEGMENT_BYTES,
    segmentBytes: SEGMENT_BYTES,
    async read(fingerprint) {
      read.push(toHex(fingerprint))
      return nodes.get(toHex(fingerprint)) as Uint8Array
    },
  })
  return { pieces, read }
}

describe('the chunks of a range', () => {
  it('are those that touch it, in order, whatever segments it spans', async () => {
    const { pieces } = subject()
    for (const [from, to] of [
      [0, 1],
      [CHUNK_BYTES - 1, CHUNK_BYTES + 1],
      [SEGMENT_BYTES - 10, 3 * SEGMENT_BYTES + 10],
      [SEGMENTS * SEGMENT_BYTES - 1, SEGMENTS * SEGMENT_BYTES + 100_000_000],
      [SEGMENTS * SEGMENT_BYTES, SEGMENTS * SEGMENT_BYTES + 1],
      [5, 5],
    ] as const) {
      const first = Math.floor(from / CHUNK_BYTES)
      const last = Math.ceil(Math.min(to, SEGMENTS * SEGMENT_BYTES) / CHUNK_BYTES)
      const expected = from === to ? [] : Array.from({ length: Math.max(0, last - first) }, (_, index) => (first + index) * CHUNK_BYTES)
      expect((await pieces.between(from, to)).map(({ offset }) => offset)).toEqual(expected)
    }
  })

  it('are read once while they are near, by many at once too, and again when 8192 others were read since', async () => {
    const { pieces, read } = subject()
    await Promise.all(Array.from({ length: 10 }, (_, at) => pieces.between(at * CHUNK_BYTES, (at + 1) * CHUNK_BYTES)))
    const walk = read.length
    expect(walk).toBe(2)
    const at = (segment: number) => pieces.between(segment * SEGMENT_BYTES, segment * SEGMENT_BYTES + 1)
    for (let segment = 1; segment < SEGMENTS; segment++) await at(segment)
    expect(read.length).toBe(walk * SEGMENTS)
    for (let segment = SEGMENTS - 60; segment < SEGMENTS; segment++) await at(segment)
    expect(read.length, 'the last 60 are kept').toBe(walk * SEGMENTS)
    await at(0)
    expect(read.length, 'the first is not').toBe(walk * (SEGMENTS + 1))
  })
})
