/** The golden vectors of test/vectors/core.json, which the Rust core's own tests hold too. */
import { describe, expect, it } from 'vitest'
import type { ChunkerOptions, Codec, Core } from '../../../src/contract/core.ts'
import { concatBytes, fromHex, toHex } from '../../../src/core/bytes.ts'
import CORE from '../../vectors/core.json' with { type: 'json' }
import { fromBase64, same } from '../bytes.ts'
import { put } from './bytes.ts'
import { decompressed } from './codecs.ts'

export interface Piece {
  generator: keyof typeof GENERATORS
  length: number
}

interface Vectors {
  key: string
  fingerprints: (Piece & { fingerprint: string })[]
  scans: { chunker: ChunkerOptions; pieces: Piece[]; lengths: number[]; zero: number[]; fingerprintOfFingerprints: string }[]
  changeTags: (Piece & { changeTag: string })[]
  streams: (Piece & { codec: Codec; madeBy: string; accepted: boolean; bytes: string })[]
}

const VECTORS = CORE as Vectors
const KEY = fromHex(VECTORS.key)

/** Defined in core.json. Squares wrap at 2^32, which leaves their low byte as it is. */
const GENERATORS = {
  zero: (length: number) => new Uint8Array(length),
  squares: (length: number) => Uint8Array.from({ length }, (_, index) => Math.imul(index, index) + Math.floor(index / 7)),
  letters: (length: number) => xorshift(length).map((byte) => 'acgt'.charCodeAt(byte >> 6)),
  xorshift,
}

function xorshift(length: number): Uint8Array<ArrayBuffer> {
  let state = 2463534242
  return Uint8Array.from({ length }, () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 24
  })
}

export const generate = ({ generator, length }: Piece) => GENERATORS[generator](length)

export function vectorClaims(core: () => Core): void {
  const fingerprint = (bytes: Uint8Array) => {
    const buffer = put(core(), bytes)
    const fingerprint = toHex(core().fingerprint(KEY, buffer, 0, bytes.length))
    buffer.free()
    return fingerprint
  }

  it('are not fewer than they were', () => {
    expect(VECTORS.fingerprints.length).toBeGreaterThanOrEqual(44)
    expect(VECTORS.scans.length).toBeGreaterThanOrEqual(58)
    expect(VECTORS.streams.length).toBeGreaterThanOrEqual(67)
  })

  it('have its fingerprints', () => {
    for (const vector of VECTORS.fingerprints) {
      expect(fingerprint(generate(vector)), `${vector.length} of ${vector.generator}`).toBe(vector.fingerprint)
    }
  })

  it('have its change tags', () => {
    expect(VECTORS.changeTags.length).toBeGreaterThanOrEqual(29)
    const scanner = core().scanner({ kind: 'fixed', size: 4096 }, KEY)
    for (const vector of VECTORS.changeTags) {
      const segment = put(core(), generate(vector))
      const { zero, changeTags } = scanner.tag(segment, 0, Uint32Array.of(vector.length))
      expect({ zero: [...zero], tag: toHex(changeTags) }, `${vector.length} of ${vector.generator}`).toEqual({ zero: [0], tag: vector.changeTag })
      segment.free()
    }
    scanner.free()
  })

  it('have its cuts, zero flags and fingerprints of chunks', () => {
    for (const { chunker, pieces, lengths, zero, fingerprintOfFingerprints } of VECTORS.scans) {
      const bytes = concatBytes(pieces.map(generate))
      const segment = put(core(), bytes)
      const scanner = core().scanner(chunker, KEY)
      const found = scanner.scan(segment, bytes.length)
      scanner.free()
      segment.free()
      const vector = JSON.stringify({ chunker, pieces })
      expect([...found.lengths], vector).toEqual(lengths)
      expect([...found.zero], vector).toEqual(zero)
      expect(fingerprint(found.fingerprints), vector).toBe(fingerprintOfFingerprints)
    }
  })

  describe.each(VECTORS.streams)('a $codec stream, $madeBy ($length $generator)', (vector) => {
    it(vector.accepted ? 'is read' : 'is refused', () => {
      const plain = decompressed(core(), vector.codec, fromBase64(vector.bytes), vector.length)
      expect(plain === undefined).toBe(!vector.accepted)
      // `toEqual` takes seconds for a long array.
      if (plain !== undefined) expect(same(plain, generate(vector))).toBe(true)
    })
  })
}
