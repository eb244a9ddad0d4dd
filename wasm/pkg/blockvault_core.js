/* @ts-self-types="./blockvault_core.d.ts" */

export class ChunkIndex {
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        ChunkIndexFinalization.unregister(this);
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_chunkindex_free(ptr, 0);
    }
    /**
     * The fields of `ChunkPlace` in their order, or nothing when the chunk is not held.
     * @param {Uint8Array} fingerprint
     * @returns {Uint32Array | undefined}
     */
    find(fingerprint) {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            const ptr0 = passArray8ToWasm0(fingerprint, wasm.__wbindgen_export);
            const len0 = WASM_VECTOR_LEN;
            wasm.chunkindex_find(retptr, this.__wbg_ptr, ptr0, len0);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            let v2;
            if (r0 !== 0) {
                v2 = getArrayU32FromWasm0(r0, r1).slice();
                wasm.__wbindgen_export2(r0, r1 * 4, 4);
            }
            return v2;
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    /**
     * @param {Uint8Array} fingerprints
     * @returns {Uint8Array}
     */
    has(fingerprints) {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            const ptr0 = passArray8ToWasm0(fingerprints, wasm.__wbindgen_export);
            const len0 = WASM_VECTOR_LEN;
            wasm.chunkindex_has(retptr, this.__wbg_ptr, ptr0, len0);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            var v2 = getArrayU8FromWasm0(r0, r1).slice();
            wasm.__wbindgen_export2(r0, r1 * 1, 1);
            return v2;
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    /**
     * Number of packs in the block; -1 when memory is out, -2 - offset when the block is damaged there.
     * @param {Uint8Array} block
     * @returns {number}
     */
    load(block) {
        const ptr0 = passArray8ToWasm0(block, wasm.__wbindgen_export);
        const len0 = WASM_VECTOR_LEN;
        const ret = wasm.chunkindex_load(this.__wbg_ptr, ptr0, len0);
        return ret;
    }
    /**
     * @returns {number}
     */
    memory_bytes() {
        const ret = wasm.chunkindex_memory_bytes(this.__wbg_ptr);
        return ret >>> 0;
    }
    constructor() {
        const ret = wasm.chunkindex_new();
        this.__wbg_ptr = ret;
        ChunkIndexFinalization.register(this, this.__wbg_ptr, this);
        return this;
    }
    /**
     * @param {number} pack
     * @returns {number | undefined}
     */
    pack_bytes(pack) {
        const ret = wasm.chunkindex_pack_bytes(this.__wbg_ptr, pack);
        return ret === Number.MAX_SAFE_INTEGER ? undefined : ret;
    }
    /**
     * @param {number} pack
     * @returns {Uint8Array | undefined}
     */
    pack_id(pack) {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            wasm.chunkindex_pack_id(retptr, this.__wbg_ptr, pack);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            let v1;
            if (r0 !== 0) {
                v1 = getArrayU8FromWasm0(r0, r1).slice();
                wasm.__wbindgen_export2(r0, r1 * 1, 1);
            }
            return v1;
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    /**
     * @returns {number}
     */
    packs() {
        const ret = wasm.chunkindex_packs(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * @returns {number}
     */
    size() {
        const ret = wasm.chunkindex_size(this.__wbg_ptr);
        return ret >>> 0;
    }
}
if (Symbol.dispose) ChunkIndex.prototype[Symbol.dispose] = ChunkIndex.prototype.free;

export class Codecs {
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        CodecsFinalization.unregister(this);
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_codecs_free(ptr, 0);
    }
    /**
     * Compressed length, or 0 when it would not be shorter than the source, or -1 when `check` is asked for and the
     * result does not give the source back, or the ranges overlap, or there is no such codec.
     * @param {number} codec
     * @param {number} level
     * @param {number} source
     * @param {number} length
     * @param {number} target
     * @param {number} capacity
     * @param {boolean} check
     * @returns {number}
     */
    compress(codec, level, source, length, target, capacity, check) {
        const ret = wasm.codecs_compress(this.__wbg_ptr, codec, level, source, length, target, capacity, check);
        return ret;
    }
    /**
     * True when exactly `expected` bytes came out of exactly `length` bytes.
     * @param {number} codec
     * @param {number} source
     * @param {number} length
     * @param {number} target
     * @param {number} expected
     * @returns {boolean}
     */
    decompress(codec, source, length, target, expected) {
        const ret = wasm.codecs_decompress(this.__wbg_ptr, codec, source, length, target, expected);
        return ret !== 0;
    }
    constructor() {
        const ret = wasm.codecs_new();
        this.__wbg_ptr = ret;
        CodecsFinalization.register(this, this.__wbg_ptr, this);
        return this;
    }
}
if (Symbol.dispose) Codecs.prototype[Symbol.dispose] = Codecs.prototype.free;

export class FingerprintSet {
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        FingerprintSetFinalization.unregister(this);
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_fingerprintset_free(ptr, 0);
    }
    /**
     * For each fingerprint 1 when it was not in the set before; nothing when memory is out.
     * @param {Uint8Array} fingerprints
     * @returns {Uint8Array | undefined}
     */
    claim(fingerprints) {
        try {
            const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
            const ptr0 = passArray8ToWasm0(fingerprints, wasm.__wbindgen_export);
            const len0 = WASM_VECTOR_LEN;
            wasm.fingerprintset_claim(retptr, this.__wbg_ptr, ptr0, len0);
            var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
            var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
            let v2;
            if (r0 !== 0) {
                v2 = getArrayU8FromWasm0(r0, r1).slice();
                wasm.__wbindgen_export2(r0, r1 * 1, 1);
            }
            return v2;
        } finally {
            wasm.__wbindgen_add_to_stack_pointer(16);
        }
    }
    constructor() {
        const ret = wasm.fingerprintset_new();
        this.__wbg_ptr = ret;
        FingerprintSetFinalization.register(this, this.__wbg_ptr, this);
        return this;
    }
    /**
     * @returns {number}
     */
    size() {
        const ret = wasm.fingerprintset_size(this.__wbg_ptr);
        return ret >>> 0;
    }
}
if (Symbol.dispose) FingerprintSet.prototype[Symbol.dispose] = FingerprintSet.prototype.free;

export class Scanner {
    static __wrap(ptr) {
        const obj = Object.create(Scanner.prototype);
        obj.__wbg_ptr = ptr;
        ScannerFinalization.register(obj, obj.__wbg_ptr, obj);
        return obj;
    }
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        ScannerFinalization.unregister(this);
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_scanner_free(ptr, 0);
    }
    /**
     * @returns {number}
     */
    change_tags() {
        const ret = wasm.scanner_change_tags(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * Nothing when a size or the key is out of bounds.
     * @param {number} min
     * @param {number} average
     * @param {number} max
     * @param {Uint8Array} key
     * @returns {Scanner | undefined}
     */
    static fastcdc(min, average, max, key) {
        const ptr0 = passArray8ToWasm0(key, wasm.__wbindgen_export);
        const len0 = WASM_VECTOR_LEN;
        const ret = wasm.scanner_fastcdc(min, average, max, ptr0, len0);
        return ret === 0 ? undefined : Scanner.__wrap(ret);
    }
    /**
     * @returns {number}
     */
    fingerprints() {
        const ret = wasm.scanner_fingerprints(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * Nothing when the size or the key is out of bounds.
     * @param {number} size
     * @param {Uint8Array} key
     * @returns {Scanner | undefined}
     */
    static fixed(size, key) {
        const ptr0 = passArray8ToWasm0(key, wasm.__wbindgen_export);
        const len0 = WASM_VECTOR_LEN;
        const ret = wasm.scanner_fixed(size, ptr0, len0);
        return ret === 0 ? undefined : Scanner.__wrap(ret);
    }
    /**
     * @returns {number}
     */
    lengths() {
        const ret = wasm.scanner_lengths(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * Scans a range and returns the number of chunks; the addresses below are of what it found, valid until the
     * next call.
     * @param {number} address
     * @param {number} length
     * @returns {number}
     */
    scan(address, length) {
        const ret = wasm.scanner_scan(this.__wbg_ptr, address, length);
        return ret >>> 0;
    }
    /**
     * Zero flags and change tags of chunks whose lengths are known; the addresses of both are valid until the next call.
     * @param {number} address
     * @param {number} length
     * @param {Uint32Array} lengths
     */
    tag(address, length, lengths) {
        const ptr0 = passArray32ToWasm0(lengths, wasm.__wbindgen_export);
        const len0 = WASM_VECTOR_LEN;
        wasm.scanner_tag(this.__wbg_ptr, address, length, ptr0, len0);
    }
    /**
     * @returns {number}
     */
    zero() {
        const ret = wasm.scanner_zero(this.__wbg_ptr);
        return ret >>> 0;
    }
}
if (Symbol.dispose) Scanner.prototype[Symbol.dispose] = Scanner.prototype.free;

export class StreamDecoder {
    static __wrap(ptr) {
        const obj = Object.create(StreamDecoder.prototype);
        obj.__wbg_ptr = ptr;
        StreamDecoderFinalization.register(obj, obj.__wbg_ptr, obj);
        return obj;
    }
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        StreamDecoderFinalization.unregister(this);
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_streamdecoder_free(ptr, 0);
    }
    /**
     * @returns {StreamDecoder}
     */
    static bz2() {
        const ret = wasm.streamdecoder_bz2();
        return StreamDecoder.__wrap(ret);
    }
    /**
     * @returns {number}
     */
    consumed() {
        const ret = wasm.streamdecoder_consumed(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * 0 when it went well, or the number of an error; the ranges must not overlap.
     * @param {number} source
     * @param {number} length
     * @param {number} target
     * @param {number} capacity
     * @returns {number}
     */
    decode(source, length, target, capacity) {
        const ret = wasm.streamdecoder_decode(this.__wbg_ptr, source, length, target, capacity);
        return ret;
    }
    /**
     * 0 when the stream is whole, or the number of an error.
     * @returns {number}
     */
    finish() {
        const ret = wasm.streamdecoder_finish(this.__wbg_ptr);
        return ret;
    }
    /**
     * @returns {number}
     */
    produced() {
        const ret = wasm.streamdecoder_produced(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * @returns {StreamDecoder}
     */
    static zlib() {
        const ret = wasm.streamdecoder_zlib();
        return StreamDecoder.__wrap(ret);
    }
    /**
     * Nothing when memory is out.
     * @returns {StreamDecoder | undefined}
     */
    static zstd() {
        const ret = wasm.streamdecoder_zstd();
        return ret === 0 ? undefined : StreamDecoder.__wrap(ret);
    }
}
if (Symbol.dispose) StreamDecoder.prototype[Symbol.dispose] = StreamDecoder.prototype.free;

export class StreamEncoder {
    static __wrap(ptr) {
        const obj = Object.create(StreamEncoder.prototype);
        obj.__wbg_ptr = ptr;
        StreamEncoderFinalization.register(obj, obj.__wbg_ptr, obj);
        return obj;
    }
    __destroy_into_raw() {
        const ptr = this.__wbg_ptr;
        this.__wbg_ptr = 0;
        StreamEncoderFinalization.unregister(this);
        return ptr;
    }
    free() {
        const ptr = this.__destroy_into_raw();
        wasm.__wbg_streamencoder_free(ptr, 0);
    }
    /**
     * Adler-32 of the plaintext of the part encoded last.
     * @returns {number}
     */
    adler32() {
        const ret = wasm.streamencoder_adler32(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * @param {number} length
     * @returns {number}
     */
    bound(length) {
        const ret = wasm.streamencoder_bound(this.__wbg_ptr, length);
        return ret >>> 0;
    }
    /**
     * @param {number} level
     * @returns {StreamEncoder}
     */
    static bz2(level) {
        const ret = wasm.streamencoder_bz2(level);
        return StreamEncoder.__wrap(ret);
    }
    /**
     * 0 when the part is encoded, or the number of an error; the ranges must not overlap. `object_bytes` is the object's length with
     * its first part, and below 0 with the others.
     * @param {number} source
     * @param {number} length
     * @param {number} target
     * @param {number} capacity
     * @param {number} object_bytes
     * @param {boolean} last
     * @returns {number}
     */
    encode(source, length, target, capacity, object_bytes, last) {
        const ret = wasm.streamencoder_encode(this.__wbg_ptr, source, length, target, capacity, object_bytes, last);
        return ret;
    }
    /**
     * Bytes of the part encoded last.
     * @returns {number}
     */
    length() {
        const ret = wasm.streamencoder_length(this.__wbg_ptr);
        return ret >>> 0;
    }
    /**
     * @param {number} level
     * @returns {StreamEncoder}
     */
    static zlib(level) {
        const ret = wasm.streamencoder_zlib(level);
        return StreamEncoder.__wrap(ret);
    }
    /**
     * Nothing when memory is out.
     * @param {number} level
     * @returns {StreamEncoder | undefined}
     */
    static zstd(level) {
        const ret = wasm.streamencoder_zstd(level);
        return ret === 0 ? undefined : StreamEncoder.__wrap(ret);
    }
}
if (Symbol.dispose) StreamEncoder.prototype[Symbol.dispose] = StreamEncoder.prototype.free;

/**
 * Address of `bytes` fresh bytes, or 0 when memory is out or `bytes` is 0. Their content is whatever was there before.
 * @param {number} bytes
 * @returns {number}
 */
export function allocate(bytes) {
    const ret = wasm.allocate(bytes);
    return ret >>> 0;
}

/**
 * Writes the key to a range of `key_bytes` bytes.
 * @param {number} target
 * @param {number} key_bytes
 */
export function argon2id_key(target, key_bytes) {
    wasm.argon2id_key(target, key_bytes);
}

/**
 * Makes up to so many blocks of 1 KiB and says whether the key is there.
 * @param {number} blocks
 * @returns {boolean}
 */
export function argon2id_run(blocks) {
    const ret = wasm.argon2id_run(blocks);
    return ret !== 0;
}

/**
 * False when memory is out.
 * @param {number} passphrase
 * @param {number} passphrase_bytes
 * @param {number} salt
 * @param {number} salt_bytes
 * @param {number} memory_kib
 * @param {number} passes
 * @param {number} lanes
 * @param {number} key_bytes
 * @returns {boolean}
 */
export function argon2id_start(passphrase, passphrase_bytes, salt, salt_bytes, memory_kib, passes, lanes, key_bytes) {
    const ret = wasm.argon2id_start(passphrase, passphrase_bytes, salt, salt_bytes, memory_kib, passes, lanes, key_bytes);
    return ret !== 0;
}

/**
 * Fingerprint of a range; empty when the key is not 32 bytes.
 * @param {Uint8Array} key
 * @param {number} address
 * @param {number} length
 * @returns {Uint8Array}
 */
export function fingerprint(key, address, length) {
    try {
        const retptr = wasm.__wbindgen_add_to_stack_pointer(-16);
        const ptr0 = passArray8ToWasm0(key, wasm.__wbindgen_export);
        const len0 = WASM_VECTOR_LEN;
        wasm.fingerprint(retptr, ptr0, len0, address, length);
        var r0 = getDataViewMemory0().getInt32(retptr + 4 * 0, true);
        var r1 = getDataViewMemory0().getInt32(retptr + 4 * 1, true);
        var v2 = getArrayU8FromWasm0(r0, r1).slice();
        wasm.__wbindgen_export2(r0, r1 * 1, 1);
        return v2;
    } finally {
        wasm.__wbindgen_add_to_stack_pointer(16);
    }
}

/**
 * Gives a range back.
 * @param {number} address
 * @param {number} bytes
 */
export function release(address, bytes) {
    wasm.release(address, bytes);
}
function __wbg_get_imports() {
    const import0 = {
        __proto__: null,
        __wbg___wbindgen_throw_344f42d3211c4765: function(arg0, arg1) {
            throw new Error(getStringFromWasm0(arg0, arg1));
        },
    };
    return {
        __proto__: null,
        "./blockvault_core_bg.js": import0,
    };
}

const ChunkIndexFinalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_chunkindex_free(ptr, 1));
const CodecsFinalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_codecs_free(ptr, 1));
const FingerprintSetFinalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_fingerprintset_free(ptr, 1));
const ScannerFinalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_scanner_free(ptr, 1));
const StreamDecoderFinalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_streamdecoder_free(ptr, 1));
const StreamEncoderFinalization = (typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : new FinalizationRegistry(ptr => wasm.__wbg_streamencoder_free(ptr, 1));

function getArrayU32FromWasm0(ptr, len) {
    ptr = ptr >>> 0;
    return getUint32ArrayMemory0().subarray(ptr / 4, ptr / 4 + len);
}

function getArrayU8FromWasm0(ptr, len) {
    ptr = ptr >>> 0;
    return getUint8ArrayMemory0().subarray(ptr / 1, ptr / 1 + len);
}

let cachedDataViewMemory0 = null;
function getDataViewMemory0() {
    if (cachedDataViewMemory0 === null || cachedDataViewMemory0.buffer.detached === true || (cachedDataViewMemory0.buffer.detached === undefined && cachedDataViewMemory0.buffer !== wasm.memory.buffer)) {
        cachedDataViewMemory0 = new DataView(wasm.memory.buffer);
    }
    return cachedDataViewMemory0;
}

function getStringFromWasm0(ptr, len) {
    return decodeText(ptr >>> 0, len);
}

let cachedUint32ArrayMemory0 = null;
function getUint32ArrayMemory0() {
    if (cachedUint32ArrayMemory0 === null || cachedUint32ArrayMemory0.byteLength === 0) {
        cachedUint32ArrayMemory0 = new Uint32Array(wasm.memory.buffer);
    }
    return cachedUint32ArrayMemory0;
}

let cachedUint8ArrayMemory0 = null;
function getUint8ArrayMemory0() {
    if (cachedUint8ArrayMemory0 === null || cachedUint8ArrayMemory0.byteLength === 0) {
        cachedUint8ArrayMemory0 = new Uint8Array(wasm.memory.buffer);
    }
    return cachedUint8ArrayMemory0;
}

function passArray32ToWasm0(arg, malloc) {
    const ptr = malloc(arg.length * 4, 4) >>> 0;
    getUint32ArrayMemory0().set(arg, ptr / 4);
    WASM_VECTOR_LEN = arg.length;
    return ptr;
}

function passArray8ToWasm0(arg, malloc) {
    const ptr = malloc(arg.length * 1, 1) >>> 0;
    getUint8ArrayMemory0().set(arg, ptr / 1);
    WASM_VECTOR_LEN = arg.length;
    return ptr;
}

let cachedTextDecoder = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });
cachedTextDecoder.decode();
const MAX_SAFARI_DECODE_BYTES = 2146435072;
let numBytesDecoded = 0;
function decodeText(ptr, len) {
    numBytesDecoded += len;
    if (numBytesDecoded >= MAX_SAFARI_DECODE_BYTES) {
        cachedTextDecoder = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });
        cachedTextDecoder.decode();
        numBytesDecoded = len;
    }
    return cachedTextDecoder.decode(getUint8ArrayMemory0().subarray(ptr, ptr + len));
}

let WASM_VECTOR_LEN = 0;

let wasmModule, wasmInstance, wasm;
function __wbg_finalize_init(instance, module) {
    wasmInstance = instance;
    wasm = instance.exports;
    wasmModule = module;
    cachedDataViewMemory0 = null;
    cachedUint32ArrayMemory0 = null;
    cachedUint8ArrayMemory0 = null;
    return wasm;
}

async function __wbg_load(module, imports) {
    if (typeof Response === 'function' && module instanceof Response) {
        if (typeof WebAssembly.instantiateStreaming === 'function') {
            try {
                return await WebAssembly.instantiateStreaming(module, imports);
            } catch (e) {
                const validResponse = module.ok && expectedResponseType(module.type);

                if (validResponse && module.headers.get('Content-Type') !== 'application/wasm') {
                    console.warn("`WebAssembly.instantiateStreaming` failed because your server does not serve Wasm with `application/wasm` MIME type. Falling back to `WebAssembly.instantiate` which is slower. Original error:\n", e);

                } else { throw e; }
            }
        }

        const bytes = await module.arrayBuffer();
        return await WebAssembly.instantiate(bytes, imports);
    } else {
        const instance = await WebAssembly.instantiate(module, imports);

        if (instance instanceof WebAssembly.Instance) {
            return { instance, module };
        } else {
            return instance;
        }
    }

    function expectedResponseType(type) {
        switch (type) {
            case 'basic': case 'cors': case 'default': return true;
        }
        return false;
    }
}

function initSync(module) {
    if (wasm !== undefined) return wasm;


    if (module !== undefined) {
        if (Object.getPrototypeOf(module) === Object.prototype) {
            ({module} = module)
        } else {
            console.warn('using deprecated parameters for `initSync()`; pass a single object instead')
        }
    }

    const imports = __wbg_get_imports();
    if (!(module instanceof WebAssembly.Module)) {
        module = new WebAssembly.Module(module);
    }
    const instance = new WebAssembly.Instance(module, imports);
    return __wbg_finalize_init(instance, module);
}

async function __wbg_init(module_or_path) {
    if (wasm !== undefined) return wasm;


    if (module_or_path !== undefined) {
        if (Object.getPrototypeOf(module_or_path) === Object.prototype) {
            ({module_or_path} = module_or_path)
        } else {
            console.warn('using deprecated parameters for the initialization function; pass a single object instead')
        }
    }

    if (module_or_path === undefined) {
        module_or_path = new URL('blockvault_core_bg.wasm', import.meta.url);
    }
    const imports = __wbg_get_imports();

    if (typeof module_or_path === 'string' || (typeof Request === 'function' && module_or_path instanceof Request) || (typeof URL === 'function' && module_or_path instanceof URL)) {
        module_or_path = fetch(module_or_path);
    }

    const { instance, module } = await __wbg_load(await module_or_path, imports);

    return __wbg_finalize_init(instance, module);
}

export { initSync, __wbg_init as default };
