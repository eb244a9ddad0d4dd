/** Streams: what a core wrote comes back; what Python wrote is read, and refused where Python refuses it; in any pieces, within bounds. */
import { describe, expect, it } from 'vitest'
import { type Core, STREAM_CODECS, type StreamCodec } from '../../../src/contract/core.ts'
import { concatBytes, utf8 } from '../../../src/core/bytes.ts'
import STREAMS from '../../vectors/streams.json' with { type: 'json' }
import { fromBase64, same } from '../bytes.ts'
import { put, randomBytes, randomNumbers, volumeBytes } from './bytes.ts'
import { DEFLATE_CASES } from './deflate-streams.ts'
import { ZLIB_64_MIB_OF_ZEROS } from './other-programs.ts'
import { decoded, encoded, pieces } from './stream-runs.ts'
import { generate, type Piece } from './vectors.ts'
import { raw, repeated, zstdFrame } from './zstd-frames.ts'

const VECTORS = STREAMS as {
  streams: (Piece & { codec: StreamCodec; madeBy: string; accepted: boolean; bytes: string })[]
}
const LEVELS: Record<StreamCodec, readonly number[]> = { zlib: [0, 1, 6, 9], bz2: [1, 9], zstd: [-7, 1, 3, 19] }

const internal = expect.objectContaining({ code: 'INTERNAL' })

export function streamClaims(core: () => Core, written: readonly StreamCodec[], read: readonly StreamCodec[]): void {
  it('come back from parts and pieces of any size', () => {
    const seed = Date.now() % 2 ** 31
    const below = randomNumbers(seed)
    for (const codec of written) {
      for (const level of LEVELS[codec]) {
        for (const length of [1, 2, 100, 5000, 300_000]) {
          const plain = volumeBytes(seed + length, length)
          const stream = encoded(
            core(),
            codec,
            level,
            pieces(plain, () => below(2 * length)),
          )
          const input = pieces(stream, () => below(stream.length))
          const case_ = `${codec} ${level} ${length}, seed ${seed}`
          expect(same(decoded(core(), codec, input, 1 + below(2 * length)), plain), case_).toBe(true)
        }
      }
    }
  })

  it('of no bytes, of empty parts and with an empty last part come back', () => {
    const [nothing, some] = [new Uint8Array(0), randomBytes(1, 100)]
    for (const codec of written) {
      // Parts of a zstd frame are not empty, unless it is.
      for (const parts of codec === 'zstd' ? [[nothing]] : [[nothing], [nothing, some], [some, nothing], [nothing, some, nothing, some, nothing]]) {
        expect(same(decoded(core(), codec, [encoded(core(), codec, 3, parts)], 50), concatBytes(parts)), codec).toBe(true)
      }
    }
  })

  it('are the same bytes whoever encodes a part', () => {
    const plain = volumeBytes(5, 400_000)
    for (const codec of written) {
      const parts = pieces(plain, () => 70_001)
      const stream = encoded(core(), codec, 6, parts, 'many')
      expect(same(encoded(core(), codec, 6, parts), stream), codec).toBe(true)
      expect(same(decoded(core(), codec, [stream], 100_000), plain), codec).toBe(true)
    }
  })

  it('of zlib are what zlib itself reads, and not much longer than its own', async () => {
    for (const seed of [1, 2, 3]) {
      const plain = volumeBytes(seed, 500_000)
      const stream = encoded(
        core(),
        'zlib',
        6,
        pieces(plain, () => 100_000),
      )
      expect(same(await through(new DecompressionStream('deflate'), stream), plain)).toBe(true)
      expect(stream.length).toBeLessThan((await through(new CompressionStream('deflate'), plain)).length * 1.05)
    }
  })

  it('of zstd say their length in the header and have no checksum', () => {
    for (const level of written.includes('zstd') ? [1, 3] : []) {
      const stream = encoded(core(), 'zstd', level, [new Uint8Array(300_000).fill(1), new Uint8Array(300_000)])
      // Four bytes of content size, no checksum, no dictionary (RFC 8878, 3.1.1.1.1).
      expect(stream[4]! & 0b11000111).toBe(0b10000000)
      const sizeAt = (stream[4]! & 0x20) !== 0 ? 5 : 6
      expect(new DataView(stream.buffer).getUint32(sizeAt, true)).toBe(600_000)
    }
  })

  it('of noise keep to their bound', () => {
    for (const codec of written) {
      for (const level of LEVELS[codec]) {
        for (const length of [1, 1000, 200_000]) encoded(core(), codec, level, [randomBytes(1, length), randomBytes(2, length)])
      }
    }
  })

  it('take a level beyond the range as the nearest one', () => {
    const plain = volumeBytes(1, 20_000)
    for (const codec of written) {
      for (const level of [-1000, 1000]) expect(same(decoded(core(), codec, [encoded(core(), codec, level, [plain])], 30_000), plain), codec).toBe(true)
    }
  })

  it('refuse parts that break the rules as what they are, defects', () => {
    const source = put(core(), randomBytes(1, 1000))
    const target = core().buffer(5000)
    for (const codec of written) {
      const encoder = core().streamEncoder(codec, 1)
      const place = { objectBytes: 1000, first: true, last: true }
      expect(() => encoder.encode(source, 0, 1001, target, place), codec).toThrow(internal)
      expect(() => encoder.encode(source, 0, 1000, core().buffer(100), place), codec).toThrow(internal)
      encoder.free()
    }
    if (!written.includes('zstd')) return
    const encoder = core().streamEncoder('zstd', 1)
    for (const objectBytes of [999, 1001]) {
      expect(() => encoder.encode(source, 0, 1000, target, { objectBytes, first: true, last: true })).toThrow(internal)
    }
    expect(() => encoder.encode(source, 0, 0, target, { objectBytes: 1000, first: false, last: true })).toThrow(internal)
    encoder.free()
  })

  it('that a core has not are CORE_UNAVAILABLE', () => {
    const unavailable = expect.objectContaining({ code: 'CORE_UNAVAILABLE' })
    for (const codec of STREAM_CODECS.filter((codec) => !written.includes(codec))) expect(() => core().streamEncoder(codec, 1)).toThrow(unavailable)
    for (const codec of STREAM_CODECS.filter((codec) => !read.includes(codec))) expect(() => core().streamDecoder(codec)).toThrow(unavailable)
    expect(written).toContain('zlib')
    expect(read).toEqual(expect.arrayContaining(['zlib', 'zstd']))
  })

  const vectors = VECTORS.streams.filter(({ codec }) => read.includes(codec))

  it('have as many vectors as there were', () => {
    expect(VECTORS.streams.length).toBeGreaterThanOrEqual(130)
  })

  describe.each(vectors)('$codec, by Python: $madeBy ($length $generator)', (vector) => {
    it(vector.accepted ? 'are read' : 'are refused', () => {
      const stream = fromBase64(vector.bytes)
      const plain = generate(vector)
      for (const [pieceBytes, targetBytes] of [
        [stream.length, plain.length + 1],
        [1, plain.length + 1],
        [100, 100],
        [stream.length, 7],
      ] as const) {
        if (targetBytes === 7 && plain.length > 10_000) continue
        const out = decoded(
          core(),
          vector.codec,
          pieces(stream, () => pieceBytes),
          targetBytes,
        )
        if (vector.accepted) expect(same(out, plain), `pieces of ${pieceBytes} to ${targetBytes}`).toBe(true)
        else expect(out, `pieces of ${pieceBytes} to ${targetBytes}`).toBeUndefined()
      }
    })
  })

  const small = vectors.filter(({ accepted, length, madeBy }) => accepted && length > 0 && length < 1000 && !/follow|behind|skippable/.test(madeBy))

  it('cut off at any byte are refused', () => {
    expect(new Set(small.map(({ codec }) => codec))).toEqual(new Set(read))
    for (const vector of small) {
      const stream = fromBase64(vector.bytes)
      for (let length = 0; length < stream.length; length++) {
        expect(decoded(core(), vector.codec, [stream.subarray(0, length)], 2000), `${vector.codec}, ${vector.madeBy}, ${length} bytes`).toBeUndefined()
      }
    }
  })

  it('with any bit flipped are refused, or give the same where the bit says nothing', () => {
    // zstd's have no checksum: they may give other bytes, but not more than they say.
    for (const vector of small) {
      const stream = fromBase64(vector.bytes)
      const plain = generate(vector)
      for (let bit = 0; bit < stream.length * 8; bit++) {
        const flipped = stream.slice()
        flipped[bit >> 3]! ^= 1 << (bit & 7)
        const out = decoded(core(), vector.codec, [flipped], 2000)
        if (out !== undefined && vector.codec !== 'zstd') expect(same(out, plain), `${vector.codec}, ${vector.madeBy}, bit ${bit}`).toBe(true)
      }
    }
  })

  it('stay refused once they were', () => {
    const damaged = expect.objectContaining({ code: 'OBJECT_DAMAGED' })
    const target = core().buffer(100)
    for (const codec of read) {
      const decoder = core().streamDecoder(codec)
      const good = VECTORS.streams.find((vector) => vector.codec === codec && vector.length === 500)!
      for (const bytes of [utf8('no such stream'), fromBase64(good.bytes)]) {
        expect(() => decoder.decode(put(core(), bytes), 0, bytes.length, target), codec).toThrow(damaged)
      }
      expect(() => decoder.finish(), codec).toThrow(damaged)
      decoder.free()
    }
  })

  it.each(DEFLATE_CASES)('of zlib decide rightly on $name', ({ accepted, plain, stream }) => {
    for (const pieceBytes of [1, stream.length]) {
      const out = decoded(
        core(),
        'zlib',
        pieces(stream, () => pieceBytes),
        100,
      )
      expect(out).toEqual(accepted ? plain : undefined)
    }
  })

  it('of zstd have a window of at most 128 MiB', () => {
    const window = (exponent: number, mantissa = 0) => zstdFrame([repeated(1000)], { window: ((exponent - 10) << 3) | mantissa })
    expect(same(decoded(core(), 'zstd', [window(27)], 2000), new Uint8Array(1000).fill(9))).toBe(true)
    for (const frame of [window(27, 1), window(28), window(41, 7)]) expect(decoded(core(), 'zstd', [frame], 2000)).toBeUndefined()
  })

  it('of zstd have blocks no longer than their window', () => {
    // The last one asks for more than stands in the input, so that no core takes it for a whole frame and looks less closely.
    for (const block of [repeated(1025), raw(1025)]) {
      const frame = zstdFrame([block], {})
      expect(
        decoded(
          core(),
          'zstd',
          pieces(frame, () => 10),
          2000,
        ),
      ).toBeUndefined()
    }
  })

  it('that say too little for their target wait for it, and a bomb takes no more than its target', () => {
    for (const { codec, bytes } of BOMBS.filter(({ codec }) => read.includes(codec))) {
      const before = memoryBytes(core())
      const started = performance.now()
      const decoder = core().streamDecoder(codec)
      const source = put(core(), bytes)
      const target = core().buffer(1000)
      let at = 0
      for (let call = 0; call < 1000; call++) {
        const { consumed, produced } = decoder.decode(source, at, bytes.length - at, target)
        at += consumed
        expect(produced).toBe(1000)
      }
      expect(at, codec).toBeLessThanOrEqual(bytes.length)
      decoder.free()
      source.free()
      target.free()
      expect(performance.now() - started, codec).toBeLessThan(5000)
      expect(memoryBytes(core()) - before, codec).toBeLessThan(16 << 20)
    }
  })

  it('give their memory back', () => {
    const plain = volumeBytes(1, 100_000)
    const run = () => {
      for (const codec of written) decoded(core(), codec, [encoded(core(), codec, 3, [plain])], 50_000)
    }
    run()
    const before = memoryBytes(core())
    for (let round = 0; round < 30; round++) run()
    expect(memoryBytes(core()) - before).toBeLessThan(2 << 20)
  })
}

/** Of the module, where a core has one: a buffer's memory is the module's then. */
function memoryBytes(core: Core): number {
  const buffer = core.buffer(1)
  const bytes = core.kind === 'wasm' ? buffer.bytes().buffer.byteLength : 0
  buffer.free()
  return bytes
}

/** What the runtime's own zlib makes of the bytes. */
async function through(zlib: CompressionStream | DecompressionStream, bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await new Response(new Blob([new Uint8Array(bytes)]).stream().pipeThrough(zlib)).arrayBuffer())
}

/** 64 MiB of zeros from a few bytes; of bz2 45,899,235, the most that 46 bytes can say. */
const BOMBS: { codec: StreamCodec; bytes: Uint8Array }[] = [
  { codec: 'zlib', bytes: ZLIB_64_MIB_OF_ZEROS },
  { codec: 'zstd', bytes: zstdFrame(new Array<number[]>(512).fill(repeated(128 << 10)), { window: 7 << 3 }) },
  { codec: 'bz2', bytes: fromBase64('QlpoOTFBWSZTWQ4J4t8BX45AAMAAAAggADCATUZCoCWpCoCXF3JFOFCQDgni3w==') },
]
