/**
 * The core on hash-wasm, fflate and plain TypeScript: for hosts without WASM SIMD, and as oracle of the WASM core.
 *
 * Invariant: it cuts, fingerprints, reads and refuses exactly as the WASM core does; it only writes fewer codecs.
 */
import type { Core, CoreBuffer } from '../contract/core.ts'
import { BlockvaultError } from '../contract/errors.ts'
import { argon2id } from './fallback/argon2id.ts'
import { createChunkIndex } from './fallback/chunk-index.ts'
import { checkCompressed, createCodecs, WRITES } from './fallback/codecs.ts'
import { createFingerprintSet } from './fallback/fingerprint-set.ts'
import { createKeyedHash } from './fallback/keyed-hash.ts'
import { createScanner } from './fallback/scanner.ts'
import { streamDecoder, streamEncoder } from './fallback/streams.ts'
import { createLowChecksum } from './fallback/zstd/checksum.ts'

export async function createFallbackCore(): Promise<Core> {
  const [hash, checksum] = await Promise.all([createKeyedHash(), createLowChecksum()])
  const codecs = createCodecs(checksum)
  return {
    kind: 'fallback',
    writes: WRITES,
    buffer: createBuffer,
    scanner: (chunker, key) => createScanner(chunker, key, hash),
    fingerprint: (key, buffer, offset, length) => hash.fingerprint(key, buffer.bytes(offset, length)),
    compress(codec, level, source, offset, length, target, check = false) {
      const plain = source.bytes(offset, length)
      const compressed = codecs.compress(codec, level, plain)
      if (compressed === undefined || compressed.length > target.length) return 0
      if (check) checkCompressed(codecs, codec, compressed, plain)
      target.bytes().set(compressed)
      return compressed.length
    },
    decompress(codec, source, offset, length, target, expected, targetOffset = 0) {
      if (expected > target.length - targetOffset) return false
      return codecs.decompress(codec, source.bytes(offset, length), target.bytes(targetOffset, expected))
    },
    streamEncoder: (codec, level) => streamEncoder(codec, level),
    streamDecoder: (codec) => streamDecoder(codec, checksum),
    argon2id,
    chunkIndex: createChunkIndex,
    fingerprintSet: createFingerprintSet,
  }
}

function createBuffer(length: number): CoreBuffer {
  if (!Number.isInteger(length) || length < 0) throw new BlockvaultError('INTERNAL', `A buffer can not have ${length} bytes.`)
  let memory: ArrayBuffer | undefined = new ArrayBuffer(length)
  return {
    length,
    bytes(offset = 0, count = length - offset) {
      if (memory === undefined) throw new BlockvaultError('CLOSED', 'The buffer was freed: take a new one.')
      const inside = Number.isInteger(offset) && Number.isInteger(count) && offset >= 0 && count >= 0 && offset + count <= length
      if (!inside) throw new BlockvaultError('INTERNAL', `The range ${offset}+${count} is not inside a buffer of ${length} bytes.`)
      return new Uint8Array(memory, offset, count)
    },
    free() {
      memory = undefined
    },
  }
}
