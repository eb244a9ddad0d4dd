/** @module Interface blockvault:reader/chunks@1.0.0 **/
/**
 * Keyed BLAKE3-256. Nothing when the key is not 32 bytes.
 */
export function fingerprint(key: Uint8Array, chunk: Uint8Array): Uint8Array | undefined;
/**
 * The 128-bit tag of docs/format.md, "Change tags". Nothing when the key is not 32 bytes.
 */
export function changeTag(key: Uint8Array, chunk: Uint8Array): Uint8Array | undefined;
export interface FastcdcSizes {
  min: number,
  average: number,
  max: number,
}
/**
 * Sizes are bytes.
 */
export type Chunker = ChunkerFixed | ChunkerFastcdc;
/**
 * 512 to 4 MiB.
 */
export interface ChunkerFixed {
  tag: 'fixed',
  val: number,
}
/**
 * 64 <= min <= average <= max <= 4 MiB.
 */
export interface ChunkerFastcdc {
  tag: 'fastcdc',
  val: FastcdcSizes,
}
/**
 * A chunk of a scanned segment.
 */
export interface ScannedChunk {
  length: number,
  /**
   * Every byte is zero: neither fingerprint nor change tag was computed, and both are zeros.
   */
  zero: boolean,
  /**
   * 32 bytes.
   */
  fingerprint: Uint8Array,
  /**
   * 16 bytes.
   */
  changeTag: Uint8Array,
}

export class Scanner implements Disposable {
  /**
   * This type does not have a public constructor.
   */
  private constructor();
  /**
  * Nothing when a size is out of bounds, or the fingerprint key is not 32 bytes.
  */
  static open(chunker: Chunker, key: Uint8Array): Scanner | undefined;
  /**
  * Cuts and hashes one segment.
  */
  scan(segment: Uint8Array): Array<ScannedChunk>;
  [Symbol.dispose](): void;
}
