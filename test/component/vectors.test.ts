/** The component as an ES module keeps the golden vectors of the core: read through a core whose work is done by it. */
import { beforeAll, describe, expect, it } from 'vitest'
import { chunks, codecs } from '../../adapters/component/index.ts'
import { type Codec, type Core, type CoreBuffer, FINGERPRINT_BYTES } from '../../src/contract/core.ts'
import { concatBytes } from '../../src/core/bytes.ts'
import { randomBytes, volumeBytes } from '../suites/core/bytes.ts'
import { vectorClaims } from '../suites/core/vectors.ts'

/** As much of a core as the vectors ask for. */
const core: Pick<Core, 'buffer' | 'scanner' | 'fingerprint' | 'decompress'> = {
  buffer: (length) => bufferOf(new Uint8Array(length)),
  fingerprint: (key, buffer, offset, length) => Uint8Array.from(chunks.fingerprint(key, buffer.bytes(offset, length)) ?? []),
  scanner(options, key) {
    const chunker =
      options.kind === 'fixed'
        ? { tag: 'fixed' as const, val: options.size }
        : { tag: 'fastcdc' as const, val: { min: options.min, average: options.average, max: options.max } }
    const scanner = chunks.Scanner.open(chunker, key)
    if (!scanner) throw new Error('a size is out of bounds')
    return {
      scan(segment, length, offset = 0) {
        const found = scanner.scan(segment.bytes(offset, length))
        return {
          count: found.length,
          lengths: Uint32Array.from(found, ({ length }) => length),
          zero: Uint8Array.from(found, ({ zero }) => Number(zero)),
          fingerprints: concatBytes(found.map(({ fingerprint }) => fingerprint)),
          changeTags: concatBytes(found.map(({ changeTag }) => changeTag)),
        }
      },
      tag(segment, offset, lengths) {
        const tags: Uint8Array[] = []
        let at = offset
        for (const length of lengths) {
          tags.push(chunks.changeTag(key, segment.bytes(at, length)) ?? new Uint8Array(0))
          at += length
        }
        return { zero: new Uint8Array(lengths.length), changeTags: concatBytes(tags) }
      },
      free: () => scanner[Symbol.dispose](),
    }
  },
  decompress(codec, source, offset, length, target, expected, targetOffset = 0) {
    const plain = codecs.decompress(codec, source.bytes(offset, length), expected)
    if (plain) target.bytes(targetOffset, expected).set(plain)
    return plain !== undefined
  },
}

function bufferOf(bytes: Uint8Array<ArrayBuffer>): CoreBuffer {
  return { length: bytes.length, bytes: (offset = 0, length = bytes.length - offset) => bytes.subarray(offset, offset + length), free: () => {} }
}

describe('the golden vectors, by the component', () => vectorClaims(() => core as Core))

describe("the component's codecs", () => {
  let plain: Uint8Array<ArrayBuffer>
  beforeAll(() => {
    plain = volumeBytes(3, 300_000)
  })

  it.each<[Codec, number]>([
    ['zstd', 1],
    ['zstd', 19],
    ['lz4', 0],
    ['deflate', 1],
    ['deflate', 9],
  ])('read what they wrote: %s at level %i', (codec, level) => {
    const packed = codecs.compress(codec, level, plain)
    expect(packed?.length).toBeLessThan(plain.length)
    expect(Buffer.compare(codecs.decompress(codec, packed!, plain.length)!, plain)).toBe(0)
    expect(codecs.decompress(codec, packed!, plain.length - 1)).toBeUndefined()
    expect(codecs.decompress(codec, packed!.subarray(1), plain.length)).toBeUndefined()
  })

  it('answer nothing for what does not get shorter, and for more than a frame has', () => {
    expect(codecs.compress('zstd', 1, randomBytes(1, 1000))).toBeUndefined()
    expect(codecs.compress('none', 1, plain)).toBeUndefined()
    expect(codecs.decompress('none', plain, 2 ** 24 + 1)).toBeUndefined()
    expect(codecs.decompress('none', plain, 2 ** 32 - 1)).toBeUndefined()
  })
})

it("the component's scanner refuses keys and sizes out of bounds", () => {
  const key = new Uint8Array(32)
  expect(chunks.Scanner.open({ tag: 'fixed', val: 4096 }, key)).toBeDefined()
  expect(chunks.Scanner.open({ tag: 'fixed', val: 511 }, key)).toBeUndefined()
  expect(chunks.Scanner.open({ tag: 'fastcdc', val: { min: 512, average: 256, max: 1024 } }, key)).toBeUndefined()
  expect(chunks.Scanner.open({ tag: 'fixed', val: 4096 }, key.subarray(1))).toBeUndefined()
  expect(chunks.fingerprint(key.subarray(1), key)).toBeUndefined()
  expect(chunks.changeTag(key.subarray(1), key)).toBeUndefined()
  expect(chunks.fingerprint(key, key)).toHaveLength(FINGERPRINT_BYTES)
})
