/**
 * What stands around the parts of a zlib stream (RFC 1950): a header before, the Adler-32 of the plaintext behind. Parts by different encoders,
 * joined between the two, are one stream.
 */

/** Deflate with a window of 32 KiB, level 6: what Python's `zlib.compress` writes by default. */
export const ZLIB_HEADER: Uint8Array<ArrayBuffer> = Uint8Array.of(0x78, 0x9c)
/** Bytes of header and trailer together. */
export const ZLIB_FRAMING_BYTES = 6
/** Adler-32 of nothing: where combining starts. */
export const ADLER32_START = 1

export function zlibTrailer(adler32: number): Uint8Array<ArrayBuffer> {
  const trailer = new Uint8Array(4)
  new DataView(trailer.buffer).setUint32(0, adler32)
  return trailer
}

/** Largest prime below 2^16. */
const MODULUS = 65521

/**
 * Adler-32 of two texts that follow each other, from that of each and the length of the second, bytes. The low half is 1 and the sum of all bytes;
 * the high half sums the low one after each byte, so the second text adds what the first one's low half was, less its 1, once for each of its bytes.
 */
export function adler32Combine(first: number, second: number, secondBytes: number): number {
  const firstLow = ((first & 0xffff) + MODULUS - 1) % MODULUS
  const low = (firstLow + (second & 0xffff)) % MODULUS
  const high = ((first >>> 16) + (second >>> 16) + (secondBytes % MODULUS) * firstLow) % MODULUS
  return high * 65536 + low
}
