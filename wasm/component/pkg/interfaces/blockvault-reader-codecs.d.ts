/** @module Interface blockvault:reader/codecs@1.0.0 **/
/**
 * Nothing when the result would not be shorter than the source. `level` is zstd's or deflate's.
 */
export function compress(codec: Codec, level: number, source: Uint8Array): Uint8Array | undefined;
/**
 * Nothing unless exactly `expected` bytes, at most 2^24, come out of exactly these.
 */
export function decompress(codec: Codec, source: Uint8Array, expected: number): Uint8Array | undefined;
/**
 * # Variants
 * 
 * ## `"none"`
 * 
 * ## `"zstd"`
 * 
 * ## `"lz4"`
 * 
 * ## `"deflate"`
 */
export type Codec = 'none' | 'zstd' | 'lz4' | 'deflate';
