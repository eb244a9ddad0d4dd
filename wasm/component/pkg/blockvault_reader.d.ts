/** Cuts, fingerprints and change tags: what identifies a chunk. */
export declare namespace chunks {
  /**
   * Keyed BLAKE3-256. Nothing when the key is not 32 bytes.
   */
  export function fingerprint(key: Uint8Array, chunk: Uint8Array): Uint8Array | undefined;
  /**
   * The 128-bit tag of docs/format.md, "Change tags". Nothing when the key is not 32 bytes.
   */
  export function changeTag(key: Uint8Array, chunk: Uint8Array): Uint8Array | undefined;
  /**
   * Where content-defined cuts may fall, in bytes.
   */
  export interface FastcdcSizes {
    /**
     * Bytes, 64 or more.
     */
    min: number,
    /**
     * Bytes.
     */
    average: number,
    /**
     * Bytes, 4 MiB or less.
     */
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
    /**
     * Bytes.
     */
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

  /** Cuts segments into chunks. */
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
}

/** Compression of frames. The codecs' numbers in packs are those of their order here. */
export declare namespace codecs {
  /**
   * Nothing when the result would not be shorter than the source. `level` is zstd's or deflate's.
   */
  export function compress(codec: Codec, level: number, source: Uint8Array): Uint8Array | undefined;
  /**
   * Nothing unless exactly `expected` bytes, at most 2^24, come out of exactly these.
   */
  export function decompress(codec: Codec, source: Uint8Array, expected: number): Uint8Array | undefined;
  /**
   * How a frame is compressed.
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
}

/** Objects of a repository: opened, checked, taken apart. */
export declare namespace objects {
  /**
   * Bytes of the 24-byte header that every sealed object begins with.
   */
  export function headerBytes(): number;
  /**
   * Where a pack's sealed directory lies (offset and length), from the pack's last 8 bytes and its length.
   */
  export function directoryPlace(trailer: Uint8Array, packLength: number): [number, number];
  /** As `codecs.Codec`. */
  export type Codec = codecs.Codec;
  /**
   * Why bytes are refused.
   * # Variants
   * 
   * ## `"argument"`
   * 
   * An argument is no argument: a key that is not 32 bytes, an id that is no UUID, an empty passphrase.
   * ## `"not-an-object"`
   * 
   * Not such an object: too short, or its magic, type or version is another.
   * ## `"newer-version"`
   * 
   * Written by a newer version of the format.
   * ## `"malformed"`
   * 
   * A field, length or count is out of its bounds, or does not fit the others.
   * ## `"seal"`
   * 
   * The seal does not hold: damaged, altered, renamed, of another repository, or of another key.
   * ## `"epoch"`
   * 
   * The key does not hold the object's epoch.
   * ## `"codec"`
   * 
   * Does not decompress to exactly its length.
   * ## `"fingerprint"`
   * 
   * A chunk does not have its fingerprint.
   * ## `"costs"`
   * 
   * A key slot asks for costs outside the bounds.
   * ## `"key"`
   * 
   * No key slot opens with this key or passphrase.
   * ## `"encryption"`
   * 
   * The repository is not encrypted and a secret was given, or the other way round.
   * ## `"memory"`
   * 
   * The memory of this component is used up.
   */
  export type Problem = 'argument' | 'not-an-object' | 'newer-version' | 'malformed' | 'seal' | 'epoch' | 'codec' | 'fingerprint' | 'costs' | 'key' | 'encryption' | 'memory';
  /**
   * What opens a repository.
   */
  export type Secret = SecretNone | SecretKey | SecretPassphrase;
  /**
   * The repository is not encrypted.
   */
  export interface SecretNone {
    tag: 'none',
  }
  /**
   * The 32 bytes of a key file.
   */
  export interface SecretKey {
    tag: 'key',
    val: Uint8Array,
  }
  /**
   * Its UTF-8 bytes.
   */
  export interface SecretPassphrase {
    tag: 'passphrase',
    val: Uint8Array,
  }
  /**
   * A chunk in the plaintext of its frame.
   */
  export interface Chunk {
    /**
     * Bytes from the plaintext's start.
     */
    offset: number,
    /**
     * Bytes.
     */
    length: number,
    /**
     * 32 bytes.
     */
    fingerprint: Uint8Array,
  }
  /**
   * A sealed and compressed part of a pack.
   */
  export interface Frame {
    /**
     * Its number in its pack, from 0.
     */
    number: number,
    /**
     * Where its sealed bytes lie in the pack.
     */
    offset: number,
    storedBytes: number,
    plainBytes: number,
    codec: Codec,
    chunks: Array<Chunk>,
  }
  /**
   * What an object that holds chunks has in it.
   */
  export interface Pack {
    /**
     * The object's name.
     */
    name: string,
    /**
     * Length of the whole object.
     */
    length: number,
    frames: Array<Frame>,
  }
  /**
   * An entry of a node of the volume map.
   */
  export interface NodeEntry {
    /**
     * Bytes in a leaf, children in any other node.
     */
    count: number,
    /**
     * Fingerprint of a chunk (leaf) or node; nothing for zeros.
     */
    fingerprint?: Uint8Array,
    /**
     * Of a chunk.
     */
    changeTag?: Uint8Array,
  }

  /** An open repository: its keys, and what reads its objects. */
  export class Repository implements Disposable {
    /**
     * This type does not have a public constructor.
     */
    private constructor();
    /**
    * Opens with the bytes of `config` and of the key slots, in the order of their names. Believes `config` only once its
    * signature holds.
    */
    static open(config: Uint8Array, slots: Array<Uint8Array>, secret: Secret): Repository;
    /**
    * Its UUID, in lower case.
    */
    id(): string;
    /**
    * The 32 bytes that chunks are fingerprinted with.
    */
    fingerprintKey(): Uint8Array;
    /**
    * The JSON of a manifest, sealed object and name given.
    */
    manifest(name: string, object: Uint8Array): string;
    /**
    * The packs that an index object names.
    */
    index(name: string, object: Uint8Array): Array<Pack>;
    /**
    * What a pack's own directory says: from the pack's header (24 bytes), its sealed directory and its length.
    */
    directory(name: string, header: Uint8Array, sealed: Uint8Array, packLength: number): Pack;
    /**
    * As `directory`, from all bytes of a pack.
    */
    pack(name: string, object: Uint8Array): Pack;
    /**
    * The plaintext of a frame, from its pack's name and header and its sealed bytes. Every chunk of the frame was checked.
    */
    openFrame(packName: string, header: Uint8Array, frame: Frame, sealed: Uint8Array): Uint8Array;
    /**
    * A node of the volume map. `total` is what its counts must add up to: the bytes of the segment for level 0, the number
    * of children for the others.
    */
    node(bytes: Uint8Array, level: number, total: number): Array<NodeEntry>;
    [Symbol.dispose](): void;
  }
}
