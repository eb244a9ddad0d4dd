/**
 * The Rust→WASM core behind the contract's face. Synchronous: the host compiles the module, this instantiates it.
 *
 * One instance a thread: the generated glue keeps it, so a second call in the same thread gives the same memory.
 */
import * as glue from '../../wasm/pkg/blockvault_core.js'
import type { ChunkIndex, ChunkPlace, ChunkerOptions, Codec, CodecNumber, Core, FingerprintSet, Scanner } from '../contract/core.ts'
import { CHANGE_TAG_BYTES, CODECS, FINGERPRINT_BYTES, KEY_BYTES, SEGMENT_BYTES_MAX } from '../contract/core.ts'
import { BlockvaultError } from '../contract/errors.ts'
import { type CoreMemory, coreMemory } from './memory.ts'
import { argon2id } from './wasm-argon2id.ts'
import { streamDecoder, streamEncoder } from './wasm-streams.ts'

const WRITES: readonly Codec[] = ['none', 'zstd', 'lz4', 'deflate']

export function createWasmCore(module: WebAssembly.Module): Core {
  const memory = coreMemory({ memory: instantiate(module), allocate: glue.allocate, release: glue.release })
  const codecs = new glue.Codecs()
  return {
    kind: 'wasm',
    writes: WRITES,
    buffer: memory.buffer,
    scanner: (chunker, key) => scanner(memory, chunker, key),
    fingerprint(key, buffer, offset, length) {
      assertBytes(key, KEY_BYTES, 'key')
      return owned(glue.fingerprint(key, memory.address(buffer, offset, length), length))
    },
    compress(codec, level, source, offset, length, target, check = false) {
      const from = memory.address(source, offset, length)
      const to = memory.address(target, 0, target.length)
      const compressed = codecs.compress(CODECS[codec], level, from, length, to, target.length, check)
      if (compressed < 0) {
        throw new BlockvaultError('INTERNAL', `A frame compressed with ${codec} did not give its source back: check this machine's memory, then report this.`)
      }
      return compressed
    },
    decompress(codec, source, offset, length, target, expected, targetOffset = 0) {
      if (expected > target.length - targetOffset) return false
      return codecs.decompress(CODECS[codec], memory.address(source, offset, length), length, memory.address(target, targetOffset, expected), expected)
    },
    streamEncoder: (codec, level) => streamEncoder(memory, codec, level),
    streamDecoder: (codec) => streamDecoder(memory, codec),
    argon2id: (passphrase, salt, costs, turns = async () => {}) => argon2id(module, passphrase, salt, costs, turns),
    chunkIndex,
    fingerprintSet,
  }
}

function instantiate(module: WebAssembly.Module): WebAssembly.Memory {
  try {
    return glue.initSync({ module }).memory
  } catch (cause) {
    throw new BlockvaultError('CORE_UNAVAILABLE', 'The WebAssembly core could not be started: this runtime may lack WASM SIMD.', { cause })
  }
}

function scanner(memory: CoreMemory, options: ChunkerOptions, key: Uint8Array): Scanner {
  assertBytes(key, KEY_BYTES, 'key')
  const inner = options.kind === 'fixed' ? glue.Scanner.fixed(options.size, key) : glue.Scanner.fastcdc(options.min, options.average, options.max, key)
  if (inner === undefined) {
    throw new BlockvaultError('USAGE', 'Chunk sizes must be 512 bytes to 4 MiB for fixed, and 64 bytes <= min <= average <= max <= 4 MiB for fastcdc.')
  }
  return {
    scan(segment, length, offset = 0) {
      if (length > SEGMENT_BYTES_MAX) throw new BlockvaultError('INTERNAL', `A segment has at most ${SEGMENT_BYTES_MAX} bytes, not ${length}.`)
      const count = inner.scan(memory.address(segment, offset, length), length)
      return {
        count,
        lengths: memory.copyWords(inner.lengths(), count),
        zero: memory.copy(inner.zero(), count),
        fingerprints: memory.copy(inner.fingerprints(), count * FINGERPRINT_BYTES),
        changeTags: memory.copy(inner.change_tags(), count * CHANGE_TAG_BYTES),
      }
    },
    tag(segment, offset, lengths) {
      const length = lengths.reduce((sum, bytes) => sum + bytes, 0)
      inner.tag(memory.address(segment, offset, length), length, lengths)
      return { zero: memory.copy(inner.zero(), lengths.length), changeTags: memory.copy(inner.change_tags(), lengths.length * CHANGE_TAG_BYTES) }
    },
    free: () => inner.free(),
  }
}

function chunkIndex(): ChunkIndex {
  const inner = new glue.ChunkIndex()
  return {
    get size() {
      return inner.size()
    },
    get memoryBytes() {
      return inner.memory_bytes()
    },
    get packs() {
      return inner.packs()
    },
    load(block) {
      const packs = inner.load(block)
      if (packs >= 0) return packs
      if (packs === -1) throw new BlockvaultError('INTERNAL', 'The chunk index does not fit the memory of the WebAssembly core, 4 GiB.')
      const offset = -2 - packs
      throw new BlockvaultError('OBJECT_DAMAGED', `An index block is damaged at byte ${offset}.`, { details: { offset } })
    },
    has: (fingerprints, count) => owned(inner.has(batch(fingerprints, count))),
    find: (fingerprint) => place(inner.find(batch(fingerprint, 1))),
    packId: (pack) => owned(known(inner.pack_id(pack), pack)),
    packBytes: (pack) => known(inner.pack_bytes(pack), pack),
    free: () => inner.free(),
  }
}

function fingerprintSet(): FingerprintSet {
  const inner = new glue.FingerprintSet()
  return {
    get size() {
      return inner.size()
    },
    claim(fingerprints, count) {
      const fresh = inner.claim(batch(fingerprints, count))
      if (fresh === undefined) throw new BlockvaultError('INTERNAL', 'The claimed fingerprints do not fit the memory of the WebAssembly core, 4 GiB.')
      return owned(fresh)
    },
    free: () => inner.free(),
  }
}

function place(fields: Uint32Array | undefined): ChunkPlace | undefined {
  if (fields === undefined) return undefined
  const [pack, frame, frameOffset, frameStoredBytes, framePlainBytes, codec, chunkOffset, chunkBytes] = fields as unknown as PlaceFields
  return { pack, frame, frameOffset, frameStoredBytes, framePlainBytes, codec, chunkOffset, chunkBytes }
}

/** In the order of `find` in wasm/binding/src/index.rs. */
type PlaceFields = [number, number, number, number, number, CodecNumber, number, number]

function batch(fingerprints: Uint8Array, count: number): Uint8Array {
  const bytes = count * FINGERPRINT_BYTES
  if (!(fingerprints.length >= bytes)) throw new BlockvaultError('INTERNAL', `${count} fingerprints need ${bytes} bytes, not ${fingerprints.length}.`)
  return fingerprints.length === bytes ? fingerprints : fingerprints.subarray(0, bytes)
}

function known<Value>(value: Value | undefined, pack: number): Value {
  if (value === undefined) throw new BlockvaultError('INTERNAL', `The chunk index has no pack ${pack}.`)
  return value
}

function assertBytes(bytes: Uint8Array, length: number, name: string): void {
  if (bytes.length !== length) throw new BlockvaultError('INTERNAL', `A ${name} has ${length} bytes, not ${bytes.length}.`)
}

/** The glue's copies own their buffer; its types do not say so. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>
}
