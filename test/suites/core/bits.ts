/** Bits written by hand, in the two orders that codecs have. */

/** A number of bits of a value, lowest first; or a prefix code as text. */
export type Bits = readonly (readonly [count: number, value: number] | string)[]

/** From the lowest bit of the first byte on, as deflate and zstd's table descriptions are. */
export function packed(bits: Bits): Uint8Array {
  const digits = bits.map((item) => (typeof item === 'string' ? item : reversed(item[1].toString(2).padStart(item[0], '0')))).join('')
  return Uint8Array.from({ length: Math.ceil(digits.length / 8) }, (_, byte) =>
    Number.parseInt(reversed(digits.slice(byte * 8, byte * 8 + 8).padEnd(8, '0')), 2),
  )
}

/** To be read from the end towards the start, behind an end mark, as zstd's streams are. */
export function backward(digits: string): Uint8Array {
  return packed([reversed(`1${digits}`)])
}

function reversed(digits: string): string {
  return [...digits].reverse().join('')
}
