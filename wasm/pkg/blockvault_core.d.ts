/* tslint:disable */
/* eslint-disable */

export class ChunkIndex {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * The fields of `ChunkPlace` in their order, or nothing when the chunk is not held.
     */
    find(fingerprint: Uint8Array): Uint32Array | undefined;
    has(fingerprints: Uint8Array): Uint8Array;
    /**
     * Number of packs in the block; -1 when memory is out, -2 - offset when the block is damaged there.
     */
    load(block: Uint8Array): number;
    memory_bytes(): number;
    constructor();
    pack_bytes(pack: number): number | undefined;
    pack_id(pack: number): Uint8Array | undefined;
    packs(): number;
    size(): number;
}

export class Codecs {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Compressed length, or 0 when it would not be shorter than the source, or -1 when `check` is asked for and the
     * result does not give the source back, or the ranges overlap, or there is no such codec.
     */
    compress(codec: number, level: number, source: number, length: number, target: number, capacity: number, check: boolean): number;
    /**
     * True when exactly `expected` bytes came out of exactly `length` bytes.
     */
    decompress(codec: number, source: number, length: number, target: number, expected: number): boolean;
    constructor();
}

export class FingerprintSet {
    free(): void;
    [Symbol.dispose](): void;
    /**
     * For each fingerprint 1 when it was not in the set before; nothing when memory is out.
     */
    claim(fingerprints: Uint8Array): Uint8Array | undefined;
    constructor();
    size(): number;
}

export class Scanner {
    private constructor();
    free(): void;
    [Symbol.dispose](): void;
    change_tags(): number;
    /**
     * Nothing when a size or the key is out of bounds.
     */
    static fastcdc(min: number, average: number, max: number, key: Uint8Array): Scanner | undefined;
    fingerprints(): number;
    /**
     * Nothing when the size or the key is out of bounds.
     */
    static fixed(size: number, key: Uint8Array): Scanner | undefined;
    lengths(): number;
    /**
     * Scans a range and returns the number of chunks; the addresses below are of what it found, valid until the
     * next call.
     */
    scan(address: number, length: number): number;
    /**
     * Zero flags and change tags of chunks whose lengths are known; the addresses of both are valid until the next call.
     */
    tag(address: number, length: number, lengths: Uint32Array): void;
    zero(): number;
}

export class StreamDecoder {
    private constructor();
    free(): void;
    [Symbol.dispose](): void;
    static bz2(): StreamDecoder;
    consumed(): number;
    /**
     * 0 when it went well, or the number of an error; the ranges must not overlap.
     */
    decode(source: number, length: number, target: number, capacity: number): number;
    /**
     * 0 when the stream is whole, or the number of an error.
     */
    finish(): number;
    produced(): number;
    static zlib(): StreamDecoder;
    /**
     * Nothing when memory is out.
     */
    static zstd(): StreamDecoder | undefined;
}

export class StreamEncoder {
    private constructor();
    free(): void;
    [Symbol.dispose](): void;
    /**
     * Adler-32 of the plaintext of the part encoded last.
     */
    adler32(): number;
    bound(length: number): number;
    static bz2(level: number): StreamEncoder;
    /**
     * 0 when the part is encoded, or the number of an error; the ranges must not overlap. `object_bytes` is the object's length with
     * its first part, and below 0 with the others.
     */
    encode(source: number, length: number, target: number, capacity: number, object_bytes: number, last: boolean): number;
    /**
     * Bytes of the part encoded last.
     */
    length(): number;
    static zlib(level: number): StreamEncoder;
    /**
     * Nothing when memory is out.
     */
    static zstd(level: number): StreamEncoder | undefined;
}

/**
 * Address of `bytes` fresh bytes, or 0 when memory is out or `bytes` is 0. Their content is whatever was there before.
 */
export function allocate(bytes: number): number;

/**
 * Writes the key to a range of `key_bytes` bytes.
 */
export function argon2id_key(target: number, key_bytes: number): void;

/**
 * Makes up to so many blocks of 1 KiB and says whether the key is there.
 */
export function argon2id_run(blocks: number): boolean;

/**
 * False when memory is out.
 */
export function argon2id_start(passphrase: number, passphrase_bytes: number, salt: number, salt_bytes: number, memory_kib: number, passes: number, lanes: number, key_bytes: number): boolean;

/**
 * Fingerprint of a range; empty when the key is not 32 bytes.
 */
export function fingerprint(key: Uint8Array, address: number, length: number): Uint8Array;

/**
 * Gives a range back.
 */
export function release(address: number, bytes: number): void;

export type InitInput = RequestInfo | URL | Response | BufferSource | WebAssembly.Module;

export interface InitOutput {
    readonly memory: WebAssembly.Memory;
    readonly __wbg_chunkindex_free: (a: number, b: number) => void;
    readonly __wbg_codecs_free: (a: number, b: number) => void;
    readonly __wbg_fingerprintset_free: (a: number, b: number) => void;
    readonly __wbg_scanner_free: (a: number, b: number) => void;
    readonly __wbg_streamdecoder_free: (a: number, b: number) => void;
    readonly __wbg_streamencoder_free: (a: number, b: number) => void;
    readonly allocate: (a: number) => number;
    readonly argon2id_key: (a: number, b: number) => void;
    readonly argon2id_run: (a: number) => number;
    readonly argon2id_start: (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number) => number;
    readonly chunkindex_find: (a: number, b: number, c: number, d: number) => void;
    readonly chunkindex_has: (a: number, b: number, c: number, d: number) => void;
    readonly chunkindex_load: (a: number, b: number, c: number) => number;
    readonly chunkindex_memory_bytes: (a: number) => number;
    readonly chunkindex_new: () => number;
    readonly chunkindex_pack_bytes: (a: number, b: number) => number;
    readonly chunkindex_pack_id: (a: number, b: number, c: number) => void;
    readonly chunkindex_packs: (a: number) => number;
    readonly chunkindex_size: (a: number) => number;
    readonly codecs_compress: (a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number) => number;
    readonly codecs_decompress: (a: number, b: number, c: number, d: number, e: number, f: number) => number;
    readonly codecs_new: () => number;
    readonly fingerprint: (a: number, b: number, c: number, d: number, e: number) => void;
    readonly fingerprintset_claim: (a: number, b: number, c: number, d: number) => void;
    readonly fingerprintset_new: () => number;
    readonly fingerprintset_size: (a: number) => number;
    readonly release: (a: number, b: number) => void;
    readonly scanner_change_tags: (a: number) => number;
    readonly scanner_fastcdc: (a: number, b: number, c: number, d: number, e: number) => number;
    readonly scanner_fingerprints: (a: number) => number;
    readonly scanner_fixed: (a: number, b: number, c: number) => number;
    readonly scanner_lengths: (a: number) => number;
    readonly scanner_scan: (a: number, b: number, c: number) => number;
    readonly scanner_tag: (a: number, b: number, c: number, d: number, e: number) => void;
    readonly scanner_zero: (a: number) => number;
    readonly streamdecoder_bz2: () => number;
    readonly streamdecoder_consumed: (a: number) => number;
    readonly streamdecoder_decode: (a: number, b: number, c: number, d: number, e: number) => number;
    readonly streamdecoder_finish: (a: number) => number;
    readonly streamdecoder_produced: (a: number) => number;
    readonly streamdecoder_zlib: () => number;
    readonly streamdecoder_zstd: () => number;
    readonly streamencoder_adler32: (a: number) => number;
    readonly streamencoder_bound: (a: number, b: number) => number;
    readonly streamencoder_bz2: (a: number) => number;
    readonly streamencoder_encode: (a: number, b: number, c: number, d: number, e: number, f: number, g: number) => number;
    readonly streamencoder_length: (a: number) => number;
    readonly streamencoder_zlib: (a: number) => number;
    readonly streamencoder_zstd: (a: number) => number;
    readonly rust_zstd_wasm_shim_calloc: (a: number, b: number) => number;
    readonly rust_zstd_wasm_shim_free: (a: number) => void;
    readonly rust_zstd_wasm_shim_malloc: (a: number) => number;
    readonly rust_zstd_wasm_shim_memcmp: (a: number, b: number, c: number) => number;
    readonly rust_zstd_wasm_shim_memcpy: (a: number, b: number, c: number) => number;
    readonly rust_zstd_wasm_shim_memmove: (a: number, b: number, c: number) => number;
    readonly rust_zstd_wasm_shim_memset: (a: number, b: number, c: number) => number;
    readonly rust_zstd_wasm_shim_qsort: (a: number, b: number, c: number, d: number) => void;
    readonly __wbindgen_add_to_stack_pointer: (a: number) => number;
    readonly __wbindgen_export: (a: number, b: number) => number;
    readonly __wbindgen_export2: (a: number, b: number, c: number) => void;
}

export type SyncInitInput = BufferSource | WebAssembly.Module;

/**
 * Instantiates the given `module`, which can either be bytes or
 * a precompiled `WebAssembly.Module`.
 *
 * @param {{ module: SyncInitInput }} module - Passing `SyncInitInput` directly is deprecated.
 *
 * @returns {InitOutput}
 */
export function initSync(module: { module: SyncInitInput } | SyncInitInput): InitOutput;

/**
 * If `module_or_path` is {RequestInfo} or {URL}, makes a request and
 * for everything else, calls `WebAssembly.instantiate` directly.
 *
 * @param {{ module_or_path: InitInput | Promise<InitInput> }} module_or_path - Passing `InitInput` directly is deprecated.
 *
 * @returns {Promise<InitOutput>}
 */
export default function __wbg_init (module_or_path?: { module_or_path: InitInput | Promise<InitInput> } | InitInput | Promise<InitInput>): Promise<InitOutput>;
