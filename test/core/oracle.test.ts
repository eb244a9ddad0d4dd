/** Each core is the other's oracle: same answers, or same refusals, for whatever comes. fast-check prints its seed. */
import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { ChunkerOptions, ChunkIndex, Codec, Core } from '../../src/contract/core.ts'
import { BlockvaultError } from '../../src/contract/errors.ts'
import { toHex } from '../../src/core/bytes.ts'
import { createLowChecksum, type LowChecksum } from '../../src/core/fallback/zstd/checksum.ts'
import { zstdDecompress } from '../../src/core/fallback/zstd/frame.ts'
import { createFallbackCore } from '../../src/core/fallback.ts'
import { createWasmCore } from '../../src/core/wasm.ts'
import { put, randomBytes, volumeBytes } from '../suites/core/bytes.ts'
import { compressed, decompressed } from '../suites/core/codecs.ts'
import { indexBlock, packSample, withU32 } from '../suites/core/index-blocks.ts'
import { SAMPLES } from '../suites/core/samples.ts'

let wasm: Core
let fallback: Core
let checksum: LowChecksum
beforeAll(async () => {
  checksum = await createLowChecksum()
  const module = await WebAssembly.compile(await readFile(new URL('../../wasm/pkg/blockvault_core_bg.wasm', import.meta.url)))
  wasm = createWasmCore(module)
  fallback = await createFallbackCore()
})

const seed = fc.nat()
const key = seed.map((number) => randomBytes(number, 32))
/** Lengths of all magnitudes, short ones as often as long ones. */
const length = (bitsMax: number) => fc.nat({ max: bitsMax }).chain((bits) => fc.nat({ max: 2 ** bits }))
const volume = (bitsMax: number) => fc.record({ seed, length: length(bitsMax) })

const chunkSizes = fc.tuple(length(16), length(16), length(16)).map((sizes) => sizes.map((size) => 64 + size).sort((left, right) => left - right))
const chunker: fc.Arbitrary<ChunkerOptions> = fc.oneof(
  length(16).map((size) => ({ kind: 'fixed' as const, size: 512 + size })),
  chunkSizes.map(([min, average, max]) => ({ kind: 'fastcdc' as const, min: min!, average: average!, max: max! })),
)

describe('both cores', () => {
  it('scan any segment alike', () => {
    fc.assert(
      fc.property(volume(18), chunker, key, ({ seed, length }, chunker, key) => {
        const bytes = volumeBytes(seed, length)
        const [left, right] = [wasm, fallback].map((core) => {
          const segment = put(core, bytes)
          const scanner = core.scanner(chunker, key)
          const offset = length >> 3
          const { lengths, zero, fingerprints, changeTags } = scanner.scan(segment, length - offset, offset)
          const again = scanner.tag(segment, offset, lengths)
          scanner.free()
          segment.free()
          // `toEqual` takes seconds for long arrays.
          return [new Uint8Array(lengths.buffer), zero, fingerprints, changeTags, again.zero, again.changeTags].map(toHex)
        })
        expect(left).toEqual(right)
      }),
      { numRuns: 120 },
    )
  })

  it('fingerprint any range alike', () => {
    fc.assert(
      fc.property(volume(17), fc.nat({ max: 200 }), key, ({ seed, length }, offset, key) => {
        const bytes = volumeBytes(seed, offset + length)
        const [left, right] = [wasm, fallback].map((core) => {
          const buffer = put(core, bytes)
          const fingerprint = core.fingerprint(key, buffer, offset, length)
          buffer.free()
          return fingerprint
        })
        expect(left).toEqual(right)
      }),
      { numRuns: 300 },
    )
  })

  it('read what the other wrote', () => {
    fc.assert(
      fc.property(fc.constantFrom('zstd', 'lz4', 'deflate'), fc.integer({ min: -7, max: 19 }), volume(18), (codec, level, { seed, length }) => {
        const plain = volumeBytes(seed, length)
        for (const [writer, reader] of [
          [wasm, fallback],
          [fallback, wasm],
        ] as const) {
          if (!writer.writes.includes(codec)) continue
          const frame = compressed(writer, codec, level, plain)
          if (frame.length > 0) expect(Buffer.compare(decompressed(reader, codec, frame, length)!, plain)).toBe(0)
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('both cores, given a damaged frame,', () => {
  /** Both refuse, or both accept with equal bytes. */
  function agree(codec: Codec, frame: Uint8Array, expected: number, what: string): void {
    const [byWasm, byFallback] = [decompressed(wasm, codec, frame, expected), decompressed(fallback, codec, frame, expected)]
    if (byWasm !== undefined && byFallback === undefined && codec === 'zstd') {
      expect(zstdRefusal(frame, expected), what).toMatch(
        /literals do not end with their bits|bits without an end mark|Huffman words too long|block longer than allowed/,
      )
      return
    }
    expect(byFallback === undefined, `${what}: the fallback refuses`).toBe(byWasm === undefined)
    if (byWasm !== undefined && byFallback !== undefined) expect(Buffer.compare(byWasm, byFallback), what).toBe(0)
  }

  /** The four things libzstd accepts and we do not (src/core/fallback/zstd/frame.ts). */
  function zstdRefusal(frame: Uint8Array, expected: number): string {
    try {
      zstdDecompress(frame, new Uint8Array(expected), checksum)
    } catch (error) {
      return (error as Error).message
    }
    return 'nothing'
  }

  it.each(SAMPLES)('answer alike for every flipped bit of $name', ({ codec, compressed, plain }) => {
    for (let bit = 0; bit < compressed.length * 8; bit++) {
      const frame = compressed.slice()
      frame[bit >> 3]! ^= 1 << (bit & 7)
      agree(codec, frame, plain.length, `bit ${bit}`)
    }
  })

  const damage = fc.record({
    kind: fc.constantFrom('flip', 'flip', 'flip', 'set', 'cut', 'remove', 'insert'),
    /** From the start: headers and tables lie there. */
    place: fc.oneof(fc.nat({ max: 60 }), fc.nat({ max: 2 ** 18 })),
    value: fc.nat({ max: 255 }),
  })

  it.each<Codec>(['zstd', 'lz4', 'deflate'])('answer alike for %s frames changed at random', (codec) => {
    fc.assert(
      fc.property(
        fc.integer({ min: -7, max: 19 }),
        volume(15),
        fc.array(fc.array(damage, { minLength: 1, maxLength: 3 }), { minLength: 30, maxLength: 30 }),
        (level, { seed, length }, damages) => {
          const written = compressed(wasm, codec, level, volumeBytes(seed, length))
          if (written.length === 0) return
          for (const changes of damages) {
            const frame = changes.reduce(damaged, written)
            agree(codec, frame, length, JSON.stringify(changes))
          }
        },
      ),
      { numRuns: 120 },
    )
  })

  function damaged(frame: Uint8Array, { kind, place, value }: { kind: string; place: number; value: number }): Uint8Array {
    if (frame.length === 0) return frame
    const at = place % frame.length
    const changed = frame.slice()
    if (kind === 'cut') return changed.subarray(0, at)
    if (kind === 'remove') return Uint8Array.from([...frame.subarray(0, at), ...frame.subarray(at + 1)])
    if (kind === 'insert') return Uint8Array.from([...frame.subarray(0, at), value, ...frame.subarray(at)])
    changed[at] = kind === 'flip' ? changed[at]! ^ (1 << (value & 7)) : value
    return changed
  }
})

describe('both chunk indexes', () => {
  /** Few enough that chunks come twice. */
  const fingerprints = Array.from({ length: 24 }, (_, number) => randomBytes(number, 32))
  const frame = fc.record({
    storedBytes: fc.integer({ min: 1, max: 5000 }),
    codec: fc.nat({ max: 3 }),
    chunks: fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 70_000 }), fingerprint: fc.constantFrom(...fingerprints) }), { minLength: 1, maxLength: 6 }),
  })
  const pack = fc.tuple(fc.nat({ max: 255 }), fc.array(frame, { minLength: 1, maxLength: 4 }), fc.nat({ max: 99 })).map((sample) => packSample(...sample))
  const block = fc.array(pack, { minLength: 1, maxLength: 4 }).map(indexBlock)

  /** What an index answered to each block, and all that it knows then. */
  function loaded(core: Core, blocks: readonly Uint8Array[]): object {
    const index = core.chunkIndex()
    const answers = blocks.map((block) => {
      try {
        return index.load(block)
      } catch (error) {
        if (!(error instanceof BlockvaultError)) throw error
        return error.code
      }
    })
    const known = { answers, ...content(index) }
    index.free()
    return known
  }

  function content(index: ChunkIndex): object {
    const batch = Uint8Array.from(fingerprints.flatMap((fingerprint) => [...fingerprint]))
    return {
      size: index.size,
      packs: Array.from({ length: index.packs }, (_, pack) => [index.packId(pack), index.packBytes(pack)]),
      has: index.has(batch, fingerprints.length),
      places: fingerprints.map((fingerprint) => index.find(fingerprint)),
    }
  }

  it('hold the same after any blocks', () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 4 }), (blocks) => {
        expect(loaded(fallback, blocks)).toEqual(loaded(wasm, blocks))
      }),
      { numRuns: 300 },
    )
  })

  it('answer alike for a block cut off at any byte', () => {
    fc.assert(
      fc.property(block, (block) => {
        const cuts = Array.from({ length: block.length }, (_, length) => block.subarray(0, length))
        expect(loaded(fallback, cuts)).toEqual(loaded(wasm, cuts))
      }),
      { numRuns: 20 },
    )
  })

  it('answer alike for blocks with flipped bits and absurd numbers', () => {
    const absurd = fc.constantFrom(0, 1, 2, 24, 65_535, 65_536, 65_537, 2 ** 24, 2 ** 26, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1)
    const change = fc.record({ place: fc.nat(), bit: fc.nat({ max: 7 }), number: fc.option(absurd) })
    fc.assert(
      fc.property(block, fc.array(fc.array(change, { minLength: 1, maxLength: 2 }), { minLength: 20, maxLength: 20 }), (block, changes) => {
        const blocks = changes.map((some) =>
          some.reduce<Uint8Array>((before, { place, bit, number }) => {
            if (number !== null) return withU32(before, place % (before.length - 3), number)
            const after = before.slice()
            after[place % after.length]! ^= 1 << bit
            return after
          }, block),
        )
        expect(loaded(fallback, [block, ...blocks, block])).toEqual(loaded(wasm, [block, ...blocks, block]))
      }),
      { numRuns: 200 },
    )
  })
})

describe('both fingerprint sets', () => {
  it('do as a Set does', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat({ max: 300 }), { maxLength: 100 }), { maxLength: 8 }), (batches) => {
        const sets = [wasm.fingerprintSet(), fallback.fingerprintSet()]
        const model = new Set<number>()
        for (const numbers of batches) {
          const batch = Uint8Array.from(numbers.flatMap((number) => [...randomBytes(number, 32)]))
          const expected = numbers.map((number) => Number(model.size < model.add(number).size))
          for (const set of sets) {
            expect([...set.claim(batch, numbers.length)]).toEqual(expected)
            expect(set.size).toBe(model.size)
          }
        }
        for (const set of sets) set.free()
      }),
      { numRuns: 200 },
    )
  })
})
