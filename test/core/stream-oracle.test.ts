/** Each core's streams are the other's oracle, and zlib and bzip2 as other programs have them. fast-check prints its seed. */
import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { deflateSync, inflateSync } from 'node:zlib'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Core, StreamCodec } from '../../src/contract/core.ts'
import { createFallbackCore } from '../../src/core/fallback.ts'
import { createWasmCore } from '../../src/core/wasm.ts'
import { put, volumeBytes } from '../suites/core/bytes.ts'
import { decoded, encoded, pieces } from '../suites/core/stream-runs.ts'

let wasm: Core
let fallback: Core
beforeAll(async () => {
  const module = await WebAssembly.compile(await readFile(new URL('../../wasm/pkg/blockvault_core_bg.wasm', import.meta.url)))
  wasm = createWasmCore(module)
  fallback = await createFallbackCore()
})

const seed = fc.nat()
/** Lengths of all magnitudes, short ones as often as long ones. */
const length = (bitsMax: number) => fc.nat({ max: bitsMax }).chain((bits) => fc.nat({ max: 2 ** bits }))
const volume = (bitsMax: number) => fc.record({ seed, length: length(bitsMax) }).map(({ seed, length }) => volumeBytes(seed, length))
/** Lengths that take turns. */
const lengths = (bitsMax: number) =>
  fc.array(
    length(bitsMax).map((length) => 1 + length),
    { minLength: 1, maxLength: 5 },
  )

function inTurns(lengths: readonly number[]): () => number {
  let turn = 0
  return () => lengths[turn++ % lengths.length]!
}

describe('both cores', () => {
  it('read what either wrote, in any parts and pieces', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<[StreamCodec, 'wasm' | 'fallback']>(['zlib', 'wasm'], ['zlib', 'fallback'], ['zstd', 'wasm']),
        fc.integer({ min: -7, max: 12 }),
        volume(18),
        lengths(17),
        lengths(15),
        fc.integer({ min: 1, max: 100_000 }),
        (by, level, plain, parts, input, targetBytes) => {
          const [codec, writer] = by
          const stream = encoded(writer === 'wasm' ? wasm : fallback, codec, level, pieces(plain, inTurns(parts)))
          for (const reader of [wasm, fallback]) {
            const out = decoded(reader, codec, pieces(stream, inTurns(input.map((bytes) => bytes + (stream.length >> 8)))), targetBytes + (plain.length >> 8))
            expect(out !== undefined && Buffer.compare(out, plain) === 0, `${reader.kind} reads`).toBe(true)
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  it('write zlib that zlib reads', () => {
    fc.assert(
      fc.property(fc.constantFrom('wasm', 'fallback'), fc.integer({ min: 0, max: 9 }), volume(18), lengths(17), (writer, level, plain, parts) => {
        const stream = encoded(writer === 'wasm' ? wasm : fallback, 'zlib', level, pieces(plain, inTurns(parts)))
        expect(Buffer.compare(inflateSync(stream), plain)).toBe(0)
      }),
      { numRuns: 200 },
    )
  })

  it('read zlib that zlib wrote', () => {
    const options = fc.record({
      level: fc.integer({ min: 0, max: 9 }),
      windowBits: fc.integer({ min: 9, max: 15 }),
      memLevel: fc.integer({ min: 1, max: 9 }),
      strategy: fc.integer({ min: 0, max: 4 }),
    })
    fc.assert(
      fc.property(options, volume(17), lengths(12), fc.integer({ min: 100, max: 100_000 }), (options, plain, input, targetBytes) => {
        const stream = new Uint8Array(deflateSync(plain, options))
        for (const core of [wasm, fallback]) {
          const out = decoded(core, 'zlib', pieces(stream, inTurns(input.map((bytes) => bytes + (stream.length >> 8)))), targetBytes)
          expect(out !== undefined && Buffer.compare(out, plain) === 0, core.kind).toBe(true)
        }
      }),
      { numRuns: 200 },
    )
  })
})

describe('both cores, given a damaged stream,', () => {
  const change = fc.record({
    kind: fc.constantFrom('flip', 'flip', 'flip', 'set', 'cut', 'remove', 'insert'),
    /** From the start: headers and tables lie there. */
    place: fc.oneof(fc.nat({ max: 60 }), fc.nat({ max: 2 ** 18 })),
    value: fc.nat({ max: 255 }),
  })
  type Change = (typeof change extends fc.Arbitrary<infer Value> ? Value : never) & object

  function changed(stream: Uint8Array, { kind, place, value }: Change): Uint8Array {
    if (stream.length === 0) return stream
    const at = place % stream.length
    if (kind === 'cut') return stream.slice(0, at)
    if (kind === 'remove') return Uint8Array.from([...stream.subarray(0, at), ...stream.subarray(at + 1)])
    if (kind === 'insert') return Uint8Array.from([...stream.subarray(0, at), value, ...stream.subarray(at)])
    const after = stream.slice()
    after[at] = kind === 'flip' ? after[at]! ^ (1 << (value & 7)) : value
    return after
  }

  /** What libzstd accepts against the RFC: src/core/fallback/zstd/frame.ts and stream.ts. */
  const LIBZSTD_ACCEPTS =
    /literals do not end with their bits|bits without an end mark|Huffman words too long|block longer than allowed|empty compressed zstd block/

  /** What the fallback says to a whole zstd stream that it refuses. */
  function refusal(stream: Uint8Array): string {
    const decoder = fallback.streamDecoder('zstd')
    const [source, target] = [put(fallback, stream), fallback.buffer(2 ** 22)]
    try {
      decoder.decode(source, 0, stream.length, target)
      decoder.finish()
    } catch (error) {
      return (error as Error).message
    }
    return 'nothing'
  }

  it.each<StreamCodec>(['zlib', 'zstd'])('answer alike for %s', (codec) => {
    fc.assert(
      fc.property(
        fc.integer({ min: -7, max: 12 }),
        volume(14),
        lengths(13),
        fc.array(fc.array(change, { minLength: 1, maxLength: 3 }), { minLength: 20, maxLength: 20 }),
        fc.integer({ min: 1, max: 20_000 }),
        (level, plain, parts, damages, pieceBytes) => {
          const written = encoded(wasm, codec, level, pieces(plain, inTurns(parts)))
          for (const changes of damages) {
            const stream = changes.reduce(changed, written)
            const input = pieces(stream, () => pieceBytes)
            const [left, right] = [wasm, fallback].map((core) => decoded(core, codec, input, 10_000, 2 ** 20))
            const case_ = JSON.stringify(changes)
            if (left !== undefined && right === undefined && codec === 'zstd') {
              expect(refusal(stream), case_).toMatch(LIBZSTD_ACCEPTS)
              continue
            }
            expect(right === undefined, `${case_}: the fallback refuses`).toBe(left === undefined)
            if (left !== undefined && right !== undefined) expect(Buffer.compare(left, right), case_).toBe(0)
          }
        },
      ),
      { numRuns: 100 },
    )
  })
})

describe('the bzip2 command', () => {
  const missing = spawnSync('bzip2', ['--help']).error !== undefined
  const bzip2 = (input: Uint8Array, ...options: string[]) => new Uint8Array(spawnSync('bzip2', ['-c', ...options], { input, maxBuffer: 2 ** 24 }).stdout)

  it.skipIf(missing)('reads what the WASM core wrote, and is read', () => {
    const sample = fc.tuple(fc.integer({ min: 1, max: 9 }), volume(19), lengths(18), lengths(16))
    fc.assert(
      fc.property(sample, ([level, plain, parts, input]) => {
        expect(Buffer.compare(bzip2(encoded(wasm, 'bz2', level, pieces(plain, inTurns(parts))), '-d'), plain)).toBe(0)
        const stream = bzip2(plain, `-${level}`)
        const out = decoded(wasm, 'bz2', pieces(stream, inTurns(input.map((bytes) => bytes + (stream.length >> 8)))), 100_000)
        expect(out !== undefined && Buffer.compare(out, plain) === 0).toBe(true)
      }),
      { numRuns: 20 },
    )
  })
})
