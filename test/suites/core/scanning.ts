/** Cuts, zero flags, fingerprints: against the definition of docs/format.md, written out again with BigInt. */
import { expect, it } from 'vitest'
import { CHANGE_TAG_BYTES, FINGERPRINT_BYTES, SEGMENT_BYTES_MAX } from '../../../src/contract/core.ts'
import type { ChunkerOptions, Core, Scan } from '../../../src/contract/core.ts'
import { concatBytes, toHex } from '../../../src/core/bytes.ts'
import { KEY, put, randomBytes, volumeBytes } from './bytes.ts'
import { GEAR_BYTES } from './other-programs.ts'

const FASTCDC = { kind: 'fastcdc', min: 64, average: 256, max: 1024 } as const

export function scanningClaims(core: () => Core): void {
  function scan(chunker: ChunkerOptions, bytes: Uint8Array, key = KEY): Scan {
    const segment = put(core(), bytes)
    const scanner = core().scanner(chunker, key)
    const found = scanner.scan(segment, bytes.length)
    scanner.free()
    segment.free()
    return found
  }

  it('cuts every `size` bytes, the last chunk shorter', () => {
    expect([...scan({ kind: 'fixed', size: 512 }, randomBytes(1, 1300)).lengths]).toEqual([512, 512, 276])
    expect([...scan({ kind: 'fixed', size: 512 }, randomBytes(1, 1024)).lengths]).toEqual([512, 512])
  })

  it('finds nothing in an empty segment', () => {
    for (const chunker of [{ kind: 'fixed', size: 512 }, FASTCDC] as const) {
      expect(scan(chunker, new Uint8Array(0))).toMatchObject({ count: 0, lengths: new Uint32Array(0), zero: new Uint8Array(0) })
    }
  })

  it('scans only `length` bytes of its segment, from `offset` or the start', () => {
    const bytes = randomBytes(10, 2048)
    const segment = put(core(), bytes)
    const scanner = core().scanner({ kind: 'fixed', size: 512 }, KEY)
    expect([...scanner.scan(segment, 700).lengths]).toEqual([512, 188])
    expect(scanner.scan(segment, 700)).toEqual(scan({ kind: 'fixed', size: 512 }, bytes.subarray(0, 700)))
    expect(scanner.scan(segment, 700, 33)).toEqual(scan({ kind: 'fixed', size: 512 }, bytes.subarray(33, 733)))
  })

  it('tags chunks of known lengths as a scan does', () => {
    const bytes = volumeBytes(11, 60_000)
    const segment = put(core(), bytes)
    const scanner = core().scanner(FASTCDC, KEY)
    const { lengths, zero, changeTags } = scanner.scan(segment, 59_000, 1000)
    expect(zero).toContain(1)
    expect(zero).toContain(0)
    expect(scanner.tag(segment, 1000, lengths)).toEqual({ zero, changeTags })
    expect(scanner.tag(segment, 1000, lengths.subarray(0, 0))).toEqual({ zero: new Uint8Array(0), changeTags: new Uint8Array(0) })
  })

  it('gives another change tag for another byte, length, padding or key, and none for zeros', () => {
    const tagOf = (bytes: Uint8Array, key = KEY) => {
      const segment = put(core(), bytes)
      return toHex(core().scanner(FASTCDC, key).tag(segment, 0, Uint32Array.of(bytes.length)).changeTags)
    }
    const bytes = randomBytes(12, 2500)
    const changed = bytes.slice()
    changed[2499]! ^= 128
    const padded = concatBytes([bytes, new Uint8Array(1)])
    const swapped = concatBytes([bytes.subarray(1024, 2048), bytes.subarray(0, 1024), bytes.subarray(2048)])
    const tags = [bytes, changed, padded, swapped, bytes.subarray(1)].map((bytes) => tagOf(bytes))
    expect(new Set([...tags, tagOf(bytes, new Uint8Array(32))]).size).toBe(6)
    expect(tagOf(bytes.slice())).toBe(tags[0])
    expect(tagOf(new Uint8Array(2500))).toBe('00'.repeat(CHANGE_TAG_BYTES))
  })

  it.each([
    { min: 64, average: 64, max: 64, length: 1000 },
    { min: 64, average: 256, max: 1024, length: 40_000 },
    { min: 64, average: 90, max: 4096, length: 20_000 },
    { min: 64, average: 91, max: 4096, length: 20_000 },
    { min: 1000, average: 1000, max: 3000, length: 40_000 },
    { min: 200, average: 5000, max: 5000, length: 40_000 },
    { min: 4096, average: 16_384, max: 65_536, length: 200_000 },
    { min: 64, average: 4 << 20, max: 4 << 20, length: 100_000 },
  ])('cuts $length bytes by FastCDC as defined: $min, $average, $max', ({ length, ...sizes }) => {
    const bytes = volumeBytes(length, length)
    expect([...scan({ kind: 'fastcdc', ...sizes }, bytes).lengths]).toEqual(fastCdcAsDefined(bytes, sizes, GEAR))
  })

  it('finds the same chunks again behind an inserted byte', () => {
    const bytes = randomBytes(2, 100_000)
    const fingerprintsOf = (found: Scan) => Array.from({ length: found.count }, (_, index) => fingerprintAt(found, index))
    const before = fingerprintsOf(scan(FASTCDC, bytes))
    const after = new Set(fingerprintsOf(scan(FASTCDC, Uint8Array.of(7, ...bytes))))
    expect(before.filter((fingerprint) => after.has(fingerprint)).length).toBeGreaterThan(before.length - 5)
  })

  it('cuts elsewhere under another key', () => {
    const bytes = randomBytes(3, 20_000)
    expect(scan(FASTCDC, bytes, new Uint8Array(32)).lengths).not.toEqual(scan(FASTCDC, bytes).lengths)
  })

  it('flags chunks of zeros, leaves their fingerprint zero, and no others', () => {
    const bytes = new Uint8Array(512 * 6)
    bytes[512] = 1
    bytes[512 * 3 - 1] = 1
    bytes[512 * 3 + 300] = 128
    const found = scan({ kind: 'fixed', size: 512 }, bytes.subarray(0, 512 * 6 - 1))
    expect([...found.zero]).toEqual([1, 0, 0, 0, 1, 1])
    const empty = '00'.repeat(FINGERPRINT_BYTES)
    expect(Array.from({ length: 6 }, (_, index) => fingerprintAt(found, index) === empty)).toEqual([true, false, false, false, true, true])
  })

  it('gives each chunk the fingerprint that its bytes have alone', () => {
    const bytes = randomBytes(4, 10_000)
    const segment = put(core(), bytes)
    const found = scan(FASTCDC, bytes)
    let start = 0
    for (let index = 0; index < found.count; index++) {
      expect(fingerprintAt(found, index)).toBe(toHex(core().fingerprint(KEY, segment, start, found.lengths[index]!)))
      start += found.lengths[index]!
    }
    expect(start).toBe(bytes.length)
  })

  it('keeps an earlier result when it scans again', () => {
    const scanner = core().scanner(FASTCDC, KEY)
    const first = scanner.scan(put(core(), volumeBytes(5, 30_000)), 30_000)
    const copy = structuredClone(first)
    scanner.scan(put(core(), volumeBytes(6, 50_000)), 50_000)
    expect(first).toEqual(copy)
  })

  it('does not follow a key that its caller wipes', () => {
    const key = KEY.slice()
    const bytes = randomBytes(7, 5000)
    const scanner = core().scanner(FASTCDC, key)
    key.fill(0)
    expect(scanner.scan(put(core(), bytes), bytes.length)).toEqual(scan(FASTCDC, bytes))
  })

  it.each<ChunkerOptions>([
    { kind: 'fixed', size: 511 },
    { kind: 'fixed', size: (4 << 20) + 1 },
    { kind: 'fastcdc', min: 63, average: 256, max: 1024 },
    { kind: 'fastcdc', min: 257, average: 256, max: 1024 },
    { kind: 'fastcdc', min: 64, average: 1025, max: 1024 },
    { kind: 'fastcdc', min: 64, average: 256, max: (4 << 20) + 1 },
  ])('refuses sizes out of bounds or order: %o', (chunker) => {
    expect(() => core().scanner(chunker, KEY)).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })

  it('refuses a key of another length, a segment above the bound and one longer than its buffer', () => {
    const internal = expect.objectContaining({ code: 'INTERNAL' })
    const segment = core().buffer(1000)
    expect(() => core().scanner(FASTCDC, KEY.subarray(1))).toThrow(internal)
    expect(() => core().scanner({ kind: 'fixed', size: 512 }, KEY.subarray(1))).toThrow(internal)
    expect(() => core().fingerprint(KEY.subarray(1), segment, 0, 10)).toThrow(internal)
    expect(() => core().scanner(FASTCDC, KEY).scan(segment, 1001)).toThrow(internal)
    expect(() => core().scanner(FASTCDC, KEY).scan(segment, 900, 101)).toThrow(internal)
    expect(() => core().scanner(FASTCDC, KEY).tag(segment, 101, Uint32Array.of(400, 500))).toThrow(internal)
    const large = core().buffer(SEGMENT_BYTES_MAX + 1)
    expect(() =>
      core()
        .scanner(FASTCDC, KEY)
        .scan(large, SEGMENT_BYTES_MAX + 1),
    ).toThrow(internal)
    large.free()
  })

  it.each(BLAKE3_KEYED)('fingerprints $length bytes as BLAKE3 does', ({ length, start }) => {
    const bytes = Uint8Array.from({ length: length + 3 }, (_, index) => (index + 251 - 3) % 251)
    const key = new TextEncoder().encode('whats the Elvish word for friend')
    const fingerprint = core().fingerprint(key, put(core(), bytes), 3, length)
    expect(fingerprint).toHaveLength(FINGERPRINT_BYTES)
    expect(toHex(fingerprint).slice(0, start.length)).toBe(start)
  })
}

/** From test_vectors.json of BLAKE3: keyed_hash over bytes that count up to 250 and begin again. */
const BLAKE3_KEYED = [
  { length: 0, start: '92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26' },
  { length: 1, start: '6d7878dfff2f485635d39013278ae14f1454b8c0a3a2d34bc1ab38228a80c95b' },
  { length: 1023, start: 'c951ecdf03288d0fcc96ee3413563d8a6d3589547f2c2fb36d9786470f1b9d6e' },
  { length: 1024, start: '75c46f6f3d9eb4f55ecaaee480db732e6c2105546f1e675003687c31719c7ba4' },
  { length: 1025, start: '357dc55de0c7e382c900fd6e320acc04146be01db6a8ce7210b7189bd664ea69' },
  { length: 4097, start: '00df940cd36bb9fa7cbbc3556744e0dbc8191401afe70520ba292ee3ca80abbc' },
  { length: 7169, start: 'ed9b1a922c046fdb3d423ae34e143b05ca1bf28b710432857bf738bcedbfa511' },
]

const GEAR = BigUint64Array.from({ length: 256 }, (_, index) => new DataView(GEAR_BYTES.buffer, GEAR_BYTES.byteOffset).getBigUint64(index * 8, true))

function fastCdcAsDefined(bytes: Uint8Array, { min, average, max }: { min: number; average: number; max: number }, gear: BigUint64Array): number[] {
  const bits = BigInt(Math.round(Math.log2(average)))
  const top = (count: bigint) => ((1n << count) - 1n) << (64n - count)
  const lengths: number[] = []
  for (let start = 0; start < bytes.length; start += lengths.at(-1)!) lengths.push(lengthAt(start))
  return lengths

  function lengthAt(start: number): number {
    const left = bytes.length - start
    if (left <= min) return left
    let hash = 0n
    for (let index = min; index < Math.min(max, left); index++) {
      hash = BigInt.asUintN(64, (hash << 1n) + gear[bytes[start + index]!]!)
      if ((hash & top(index < average ? bits + 2n : bits - 2n)) === 0n) return index + 1
    }
    return Math.min(max, left)
  }
}

function fingerprintAt(found: Scan, index: number): string {
  return toHex(found.fingerprints.subarray(index * FINGERPRINT_BYTES, (index + 1) * FINGERPRINT_BYTES))
}
