import { deflateSync, inflateSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../src/core/bytes.ts'
import { ADLER32_START, adler32Combine, ZLIB_FRAMING_BYTES, ZLIB_HEADER, zlibTrailer } from '../../src/core/zlib-stream.ts'

/** As zlib writes it behind a stream. */
const adler32 = (bytes: Uint8Array) => deflateSync(bytes).readUInt32BE(deflateSync(bytes).length - 4)

describe('adler32Combine', () => {
  it('is the Adler-32 of both texts', () => {
    const text = fc.oneof(
      fc.uint8Array({ maxLength: 3000 }),
      fc.nat({ max: 200_000 }).map((length) => new Uint8Array(length).fill(255)),
    )
    fc.assert(
      fc.property(text, text, (first, second) => {
        expect(adler32Combine(adler32(first), adler32(second), second.length)).toBe(adler32(concatBytes([first, second])))
      }),
      { numRuns: 300 },
    )
  })

  it('starts with that of nothing', () => {
    expect(ADLER32_START).toBe(adler32(new Uint8Array(0)))
    expect(adler32Combine(ADLER32_START, 0x11e60398, 9)).toBe(0x11e60398)
    expect(adler32Combine(0x11e60398, ADLER32_START, 0)).toBe(0x11e60398)
  })

  it('is right where a half is 0 or 65520, and for objects beyond 4 GiB', () => {
    // 65519 ones and a one before make 65520; another one makes 0.
    for (const ones of [65_519, 65_520, 65_521]) {
      const [first, second] = [new Uint8Array(ones).fill(1), new Uint8Array(5).fill(200)]
      expect(adler32Combine(adler32(first), adler32(second), 5)).toBe(adler32(concatBytes([first, second])))
      expect(adler32Combine(adler32(first), adler32(first), ones)).toBe(adler32(concatBytes([first, first])))
    }
    // Zeros leave the low half; each adds it to the high one.
    const zeros = 2 ** 40 + 3
    const ofZeros = (zeros % 65_521) * 65_536 + 1
    expect(adler32Combine(adler32(Uint8Array.of(1)), ofZeros, zeros)).toBe(((2 + 2 * zeros) % 65_521) * 65_536 + 2)
  })
})

describe('header and trailer', () => {
  it('are those of zlib at level 6', () => {
    const plain = new TextEncoder().encode('what a volume holds')
    const stream = new Uint8Array(deflateSync(plain))
    expect(stream.subarray(0, 2)).toEqual(ZLIB_HEADER)
    expect(stream.subarray(-4)).toEqual(zlibTrailer(adler32(plain)))
    expect(ZLIB_FRAMING_BYTES).toBe(6)
    expect(new Uint8Array(inflateSync(concatBytes([ZLIB_HEADER, stream.subarray(2, -4), zlibTrailer(adler32(plain))])))).toEqual(plain)
  })
})
