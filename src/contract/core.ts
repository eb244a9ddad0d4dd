/**
 * The face of the hot path: one call scans a whole segment, compresses a frame, looks a batch of fingerprints up.
 * Two implementations keep it, the Rust→WASM core and `src/core/fallback.ts`; each is the other's oracle
 * (`test/suites/core.ts` runs both).
 *
 * Bytes lie in a `CoreBuffer`, which for WASM is a range of the module's own memory: a file can be read straight into it.
 */

/** Bytes of a fingerprint: keyed BLAKE3-256. */
export const FINGERPRINT_BYTES = 32
/**
 * Bytes of a change tag: 128 bits, UMAC's first layer (RFC 4418, section 5.2) under keyed BLAKE3. Two different chunks of one
 * length have equal tags with a chance of 2^-128 over the key, whoever chose them. Compared only with the tag of the same
 * place in the backup before; the identity of a chunk is its fingerprint.
 */
export const CHANGE_TAG_BYTES = 16
/** Bytes of a fingerprint or encryption key. */
export const KEY_BYTES = 32

/** How a segment is cut. Sizes are bytes. `fixed` suits block devices; `fastcdc` follows content that moves. */
export type ChunkerOptions =
  | { kind: 'fixed'; size: number }
  /** FastCDC (Xia et al., ATC '16) with normalised chunking level 2; the gear table is derived from the fingerprint key. */
  | { kind: 'fastcdc'; min: number; average: number; max: number }

/** Compression of a frame. The number is what stands in a pack: never reuse one. */
export const CODECS = { none: 0, zstd: 1, lz4: 2, deflate: 3 } as const
export type Codec = keyof typeof CODECS
export type CodecNumber = (typeof CODECS)[Codec]

/** A range of memory the core works on. 4096-byte aligned, so that O_DIRECT could read into it. */
export interface CoreBuffer {
  readonly length: number
  /**
   * The bytes now. Ask again after every call into the core: WASM memory that grew leaves old views empty.
   * `offset` and `length` default to the whole buffer.
   */
  bytes(offset?: number, length?: number): Uint8Array<ArrayBuffer>
  /** Gives the memory back; the buffer must not be used after. */
  free(): void
}

/** What a scan found, in volume order. The arrays are copies. */
export interface Scan {
  readonly count: number
  /** Bytes of each chunk; they add up to the scanned length. */
  lengths: Uint32Array<ArrayBuffer>
  /** 1 where every byte of the chunk is zero; its fingerprint is then left all zero and not computed. */
  zero: Uint8Array<ArrayBuffer>
  /** `count` × 32 bytes. */
  fingerprints: Uint8Array<ArrayBuffer>
  /** `count` × 16 bytes; all zero where the chunk is. */
  changeTags: Uint8Array<ArrayBuffer>
}

/** Whether chunks are still what they were: zero flags and change tags alone, four times as fast as a scan. */
export type ChunkTags = Pick<Scan, 'zero' | 'changeTags'>

export interface Scanner {
  /** Cuts, fingerprints and tags `length` bytes of `segment`, from `offset`, 0 by default. `length` is at most `SEGMENT_BYTES_MAX`. */
  scan(segment: CoreBuffer, length: number, offset?: number): Scan
  /** Zero flags and change tags of chunks of known `lengths` that follow each other from `offset` of `segment`. */
  tag(segment: CoreBuffer, offset: number, lengths: Uint32Array): ChunkTags
  free(): void
}

/** Where a chunk lies. Byte counts. */
export interface ChunkPlace {
  /** Number of the pack in this index, counted over all `load` calls in order. */
  pack: number
  /** Number of the frame inside its pack, from 0. */
  frame: number
  /** Where the frame starts in the pack, and how long it is there. */
  frameOffset: number
  frameStoredBytes: number
  /** Plaintext length of the whole frame. */
  framePlainBytes: number
  codec: CodecNumber
  /** Where the chunk starts in the plaintext of the frame. */
  chunkOffset: number
  chunkBytes: number
}

/**
 * Fingerprint → place, at most 40 bytes a chunk. Compares the first 24 bytes of a fingerprint (192 bits of a keyed hash);
 * restores compare all 32 with the data itself.
 */
export interface ChunkIndex {
  /** Chunks held. */
  readonly size: number
  /** Memory taken, bytes. */
  readonly memoryBytes: number
  /**
   * Adds one index block (docs/format.md, "Index block"): validated whole before anything is added. Returns how many
   * packs it names. Throws OBJECT_DAMAGED when a length, count or offset is out of bounds.
   */
  load(block: Uint8Array): number
  /** For each of `count` fingerprints: 1 when it is held. */
  has(fingerprints: Uint8Array, count: number): Uint8Array<ArrayBuffer>
  find(fingerprint: Uint8Array): ChunkPlace | undefined
  /** The 16-byte id of a pack, by its number. */
  packId(pack: number): Uint8Array<ArrayBuffer>
  /** Length of a pack object, bytes, as its index entry says. */
  packBytes(pack: number): number
  /** Packs held. */
  readonly packs: number
  free(): void
}

/** A set of fingerprints that a running backup has claimed for itself. */
export interface FingerprintSet {
  readonly size: number
  /** For each fingerprint: 1 when it was not in the set before; it is now. A repeat within the batch answers 0. */
  claim(fingerprints: Uint8Array, count: number): Uint8Array<ArrayBuffer>
  free(): void
}

export interface Core {
  readonly kind: 'wasm' | 'fallback'
  /** Codecs this core can write; every core reads all of `CODECS`. */
  readonly writes: readonly Codec[]
  buffer(length: number): CoreBuffer
  scanner(chunker: ChunkerOptions, key: Uint8Array): Scanner
  /** Keyed BLAKE3 of a range of `buffer`, as a copy. */
  fingerprint(key: Uint8Array, buffer: CoreBuffer, offset: number, length: number): Uint8Array<ArrayBuffer>
  /**
   * Compresses `length` bytes at `offset` of `source` into `target`. Returns the compressed length, or 0 when the result
   * would not be smaller than the source: store it as `none` then. `level` is zstd's or deflate's; lz4 has none. With
   * `check` (false by default) the result is decompressed again and compared with the source; throws INTERNAL when they
   * differ, which means a defect or failing memory.
   */
  compress(codec: Codec, level: number, source: CoreBuffer, offset: number, length: number, target: CoreBuffer, check?: boolean): number
  /**
   * Decompresses into `target`, from `targetOffset` (0 by default), and returns true when exactly `expected` bytes came out
   * of exactly `length` bytes; false for anything else. Never writes or allocates beyond `expected` bytes plus a bounded window.
   */
  decompress(codec: Codec, source: CoreBuffer, offset: number, length: number, target: CoreBuffer, expected: number, targetOffset?: number): boolean
  /**
   * An encoder of parts. `level` is the codec's: zlib 0 to 9 (Cinder's is 6), bz2 1 to 9 (9), zstd -7 to 19 (3); beyond, the nearest of these.
   * Throws CORE_UNAVAILABLE for a codec this core does not write (the fallback writes zlib only).
   */
  streamEncoder(codec: StreamCodec, level: number): StreamEncoder
  /** Throws CORE_UNAVAILABLE for a codec this core does not read (the fallback: bz2). */
  streamDecoder(codec: StreamCodec): StreamDecoder
  /**
   * Argon2id (RFC 9106), version 1.3: `KEY_BYTES` bytes from a passphrase. `costs` are checked by the caller: at least 8 KiB for each lane.
   * Takes `memoryKiB` of memory while it works, and calls `turns` every few milliseconds where a core can.
   */
  argon2id(passphrase: Uint8Array, salt: Uint8Array, costs: Argon2idCosts, turns?: Turns): Promise<Uint8Array<ArrayBuffer>>
  chunkIndex(): ChunkIndex
  fingerprintSet(): FingerprintSet
}

export interface Argon2idCosts {
  memoryKiB: number
  passes: number
  lanes: number
}

/** Called between steps of long work: gives the event loop its turn when one is due. */
export type Turns = () => Promise<void>

/**
 * Compressions of Cinder's objects, by the names of its metadata with the aliases resolved (docs of cinder.backup.chunkeddriver):
 * streams of any length, where the codecs above are frames. Parts of one object can be compressed by different encoders: joined in order,
 * between header and trailer where the codec has them, they are one stream (bz2: streams that follow each other).
 */
export const STREAM_CODECS = ['zlib', 'bz2', 'zstd'] as const
export type StreamCodec = (typeof STREAM_CODECS)[number]

/** Where a part stands in its object. */
export interface PartPlace {
  /** Plain bytes of the whole object. */
  objectBytes: number
  first: boolean
  last: boolean
}

/** Compresses parts of any objects. */
export interface StreamEncoder {
  /** Longest output for a part of `length` bytes: `target` must have this much room. */
  bound(length: number): number
  /**
   * Compresses `length` bytes at `offset` of `source` into `target`, another buffer. zlib parts are raw deflate, each ended at a byte
   * boundary: `src/core/zlib-stream.ts` has header and trailer. bz2 parts are whole streams. zstd parts are blocks of one frame, with its
   * header before the first, which says `objectBytes`; none is empty, unless the object is. A part does not depend on those before it.
   * Throws INTERNAL for a part that is not so.
   */
  encode(source: CoreBuffer, offset: number, length: number, target: CoreBuffer, place: PartPlace): EncodedPart
  free(): void
}

export interface EncodedPart {
  /** Bytes in `target`. */
  length: number
  /** Adler-32 of the part's plaintext (zlib; 0 otherwise): `adler32Combine` joins them for the trailer. */
  adler32: number
}

/** Decompresses one object as it comes in. Never allocates by what the bytes ask for beyond a bounded window. */
export interface StreamDecoder {
  /**
   * Consumes up to `length` bytes at `offset` of `source` and fills `target`, another buffer, from `targetOffset`, 0 by default. It stops when all is consumed or
   * `target` is full. Was `target` filled, output may wait: call again with what was not consumed, which may be nothing. Throws OBJECT_DAMAGED
   * for anything that is no such stream, and again at each later call.
   *
   * What Python's decoders accept is accepted: bytes after a zlib stream are ignored; bz2 streams that follow each other are joined, and what
   * follows them and does not begin as a stream is ignored; zstd frames that follow each other are joined and skippable ones skipped, and anything
   * else behind them is damage. Two things Python accepts are damage here: a bz2 object of no bytes, and a bz2 stream damaged behind a whole one
   * (Python drops all of it). zstd's window is at most 128 MiB, as in the reference decoder for streams.
   */
  decode(source: CoreBuffer, offset: number, length: number, target: CoreBuffer, targetOffset?: number): DecodedPart
  /** All input was given and all output taken: throws OBJECT_DAMAGED when the stream is not whole. */
  finish(): void
  free(): void
}

export interface DecodedPart {
  consumed: number
  produced: number
}

/** A segment is at most this long: offsets inside one fit 32 bits with room, and a worker holds a few of them. */
export const SEGMENT_BYTES_MAX = 16 * 1024 * 1024
