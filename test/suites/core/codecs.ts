/** Compression: what a core wrote comes back; what others wrote is read; anything else is refused, quickly and in bounds. */
import { describe, expect, it } from 'vitest'
import { CODECS } from '../../../src/contract/core.ts'
import type { Codec, Core } from '../../../src/contract/core.ts'
import { concatBytes } from '../../../src/core/bytes.ts'
import { same } from '../bytes.ts'
import { put, randomBytes, volumeBytes } from './bytes.ts'
import { DEFLATE_BOMB, DEFLATE_CASES } from './deflate-streams.ts'
import * as other from './other-programs.ts'
import { SAMPLES } from './samples.ts'
import { raw, repeated, ZSTD_BOMBS, ZSTD_CASES, zstdFrame } from './zstd-frames.ts'

const ALL_CODECS = Object.keys(CODECS) as Codec[]

/** What `decompress` answers, and whether it kept its hands off the bytes after `expected`. */
export function decompressed(core: Core, codec: Codec, compressed: Uint8Array, expected: number): Uint8Array | undefined {
  const source = put(core, concatBytes([EDGE, compressed, EDGE]))
  const target = put(core, new Uint8Array(expected + GUARD_BYTES).fill(0x5a))
  const done = core.decompress(codec, source, 1, compressed.length, target, expected)
  const plain = target.bytes(0, expected).slice()
  const untouched = target.bytes(expected).every((byte) => byte === 0x5a)
  source.free()
  target.free()
  expect(untouched, 'bytes behind the expected ones stay as they were').toBe(true)
  return done ? plain : undefined
}

const GUARD_BYTES = 64
/** Frames lie in the middle of a buffer, so that an offset forgotten shows. */
const EDGE = Uint8Array.of(0xee)

export function compressed(core: Core, codec: Codec, level: number, plain: Uint8Array, targetBytes = plain.length): Uint8Array {
  const source = put(core, concatBytes([EDGE, plain]))
  const target = core.buffer(targetBytes)
  const length = core.compress(codec, level, source, 1, plain.length, target, true)
  const bytes = target.bytes(0, length).slice()
  source.free()
  target.free()
  return bytes
}

export function codecClaims(core: () => Core): void {
  const written = () => core().writes.filter((codec) => codec !== 'none')

  it('writes none and deflate at least', () => {
    expect(core().writes).toEqual(expect.arrayContaining(['none', 'deflate']))
  })

  it('gives back what it compressed, at every level and length', () => {
    for (const codec of written()) {
      for (const level of codec === 'zstd' ? [-7, -1, 1, 3, 9, 19] : codec === 'deflate' ? [1, 6, 9] : [0]) {
        for (const length of [100, 1000, 4096, 65_536, 300_000]) {
          const plain = volumeBytes(length, length).fill(3, 0, length / 2)
          const frame = compressed(core(), codec, level, plain)
          expect(frame.length, `${codec} ${level} ${length}`).toBeGreaterThan(0)
          expect(frame.length).toBeLessThan(length)
          expect(same(decompressed(core(), codec, frame, length), plain), `${codec} ${level} ${length}`).toBe(true)
        }
      }
    }
  })

  it('takes a level beyond the range as the nearest one', () => {
    const plain = volumeBytes(1, 5000)
    for (const codec of written()) {
      for (const level of [-1000, 1000]) {
        const frame = compressed(core(), codec, level, plain)
        if (frame.length > 0) expect(decompressed(core(), codec, frame, plain.length)).toEqual(plain)
      }
    }
  })

  it('answers 0 for what does not get smaller', () => {
    for (const codec of core().writes) {
      expect(compressed(core(), codec, 1, randomBytes(1, 4096)), codec).toHaveLength(0)
      expect(compressed(core(), codec, 1, Uint8Array.of(1)), codec).toHaveLength(0)
      expect(compressed(core(), codec, 1, new Uint8Array(0)), codec).toHaveLength(0)
    }
    expect(compressed(core(), 'none', 0, new Uint8Array(4096))).toHaveLength(0)
  })

  it('answers less than the length of the source, or 0, for the shortest sources', () => {
    for (const codec of core().writes) {
      for (let length = 1; length <= 64; length++) {
        expect(compressed(core(), codec, 1, new Uint8Array(length)).length, `${codec} ${length}`).toBeLessThan(length)
      }
    }
  })

  it('answers 0 when the target is too small, and works on after it', () => {
    const plain = volumeBytes(2, 50_000)
    for (const codec of written()) {
      const whole = compressed(core(), codec, 1, plain)
      expect(compressed(core(), codec, 1, plain, whole.length - 1), codec).toHaveLength(0)
      expect(compressed(core(), codec, 1, plain), codec).toEqual(whole)
    }
  })

  it('refuses to write what it does not offer', () => {
    for (const codec of ALL_CODECS.filter((codec) => !core().writes.includes(codec))) {
      expect(() => compressed(core(), codec, 1, new Uint8Array(100))).toThrow(expect.objectContaining({ code: 'USAGE' }))
    }
  })

  const zlib = [
    { name: 'node:zlib level 0', compressed: other.ZLIB_LEVEL_0 },
    { name: 'node:zlib level 1', compressed: other.ZLIB_LEVEL_1 },
    { name: 'node:zlib level 9', compressed: other.ZLIB_LEVEL_9 },
    { name: 'node:zlib, fixed codes', compressed: other.ZLIB_FIXED_CODES },
  ].map((sample) => ({ ...sample, codec: 'deflate' as const, plain: other.ZLIB_PLAIN }))
  const none = { name: 'stored as they are', codec: 'none' as const, plain: randomBytes(3, 300), compressed: randomBytes(3, 300) }

  describe.each([...SAMPLES, ...zlib, none])('$codec from another program ($name)', (sample) => {
    it('is read', () => {
      expect(same(decompressed(core(), sample.codec, sample.compressed, sample.plain.length), sample.plain)).toBe(true)
    })
    it('is refused when cut off at any byte', () => {
      for (let length = 0; length < sample.compressed.length; length++) {
        expect(decompressed(core(), sample.codec, sample.compressed.subarray(0, length), sample.plain.length), `${length} bytes`).toBeUndefined()
      }
    })
    it('is refused with a byte behind it', () => {
      for (const byte of [0, 1, 255]) {
        expect(decompressed(core(), sample.codec, Uint8Array.of(...sample.compressed, byte), sample.plain.length)).toBeUndefined()
      }
    })
    it('is refused when another length is expected', () => {
      for (const expected of [0, 1, sample.plain.length - 1, sample.plain.length + 1, sample.plain.length * 2]) {
        expect(decompressed(core(), sample.codec, sample.compressed, expected), `${expected} bytes`).toBeUndefined()
      }
    })
  })

  it.each(DEFLATE_CASES)('decides rightly on a deflate stream with $name', ({ accepted, plain, stream }) => {
    expect(decompressed(core(), 'deflate', stream, plain.length)).toEqual(accepted ? plain : undefined)
  })

  it.each(ZSTD_CASES)('decides rightly on a zstd frame with $name', ({ accepted, plain, frame }) => {
    expect(decompressed(core(), 'zstd', frame, plain.length)).toEqual(accepted ? plain : undefined)
  })

  it.each(BOMBS)('refuses $name within its bounds', ({ codec, bytes }) => {
    const started = performance.now()
    expect(decompressed(core(), codec, bytes, 100_000)).toBeUndefined()
    expect(performance.now() - started).toBeLessThan(2000)
  })

  it('reads frames of length zero where the codec has them', () => {
    expect(decompressed(core(), 'none', new Uint8Array(0), 0)).toEqual(new Uint8Array(0))
    expect(decompressed(core(), 'deflate', other.ZLIB_EMPTY, 0)).toEqual(new Uint8Array(0))
    expect(decompressed(core(), 'zstd', zstdFrame([raw(0)], { contentBytes: 0 }), 0)).toEqual(new Uint8Array(0))
  })

  it('answers false when the target is smaller than expected', () => {
    const buffer = core().buffer(10)
    expect(core().decompress('none', buffer, 0, 10, core().buffer(9), 10)).toBe(false)
    expect(core().decompress('none', buffer, 0, 10, core().buffer(19), 10, 10)).toBe(false)
  })

  it('decompresses to any place of its target and leaves the rest', () => {
    for (const { codec, compressed, plain } of [...SAMPLES, ...zlib, none]) {
      const source = put(core(), compressed)
      const target = put(core(), new Uint8Array(plain.length + 20).fill(0x5a))
      expect(core().decompress(codec, source, 0, compressed.length, target, plain.length, 13)).toBe(true)
      const around = new Uint8Array(20).fill(0x5a)
      const expected = concatBytes([around.subarray(0, 13), plain, around.subarray(13)])
      expect(same(target.bytes(), expected), codec).toBe(true)
      source.free()
      target.free()
    }
  })

  it('holds zstd to one frame without a dictionary, in a window of at most 8 MiB', () => {
    const plain = new Uint8Array(1000).fill(9)
    const accepted = (frame: Uint8Array) => decompressed(core(), 'zstd', frame, 1000) !== undefined
    const good = zstdFrame([repeated(1000)], { contentBytes: 1000 })
    expect(decompressed(core(), 'zstd', good, 1000)).toEqual(plain)
    expect(accepted(zstdFrame([repeated(1000)], { window: 13 << 3 })), '8 MiB').toBe(true)
    expect(accepted(zstdFrame([repeated(1000)], { window: (13 << 3) | 1 })), '9 MiB').toBe(false)
    expect(accepted(zstdFrame([repeated(1000)], { window: 255 })), '3.75 TiB').toBe(false)
    expect(accepted(Uint8Array.of(...good, ...good))).toBe(false)
    expect(accepted(Uint8Array.of(...good, ...SKIPPABLE))).toBe(false)
    expect(accepted(Uint8Array.of(...SKIPPABLE, ...good))).toBe(false)
    expect(accepted(zstdFrame([repeated(1000)], { contentBytes: 1001 }))).toBe(false)
    expect(accepted(zstdFrame([repeated(1000)], { contentBytes: 1000, dictionary: 5 }))).toBe(false)
    expect(accepted(zstdFrame([repeated(1000)], { contentBytes: 1000, reserved: true }))).toBe(false)
  })

  it('notices a wrong checksum', () => {
    for (const sample of SAMPLES.filter(({ name }) => name.includes('--check'))) {
      for (let back = 1; back <= 4; back++) {
        const frame = sample.compressed.slice()
        frame[frame.length - back]! ^= 1
        expect(decompressed(core(), sample.codec, frame, sample.plain.length)).toBeUndefined()
      }
    }
  })
}

const SKIPPABLE = [0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 7]

const BOMBS: { name: string; codec: Codec; bytes: Uint8Array }[] = [
  { name: 'a deflate bomb', codec: 'deflate', bytes: other.ZLIB_16_MIB_OF_ZEROS },
  { name: 'a deflate bomb of one copy over and over', codec: 'deflate', bytes: DEFLATE_BOMB },
  { name: 'an lz4 bomb', codec: 'lz4', bytes: concatBytes([Uint8Array.of(0x1f, 0, 1, 0), new Uint8Array(4 << 20).fill(255), Uint8Array.of(0, 0x10, 0)]) },
  ...ZSTD_BOMBS.map((bomb) => ({ ...bomb, codec: 'zstd' as const })),
]
