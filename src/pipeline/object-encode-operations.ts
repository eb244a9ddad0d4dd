/**
 * The worker's side of Cinder's objects on their way out: a part of an object is read straight into the core's memory, and there its
 * blocks are hashed, the object's MD5 goes on, and it is compressed.
 *
 * Invariant: all of it is done with the bytes of one read. What is stored is what was hashed, also of a volume that changes meanwhile.
 */
import type { Core, CoreBuffer, PartPlace, StreamCodec, StreamEncoder } from '../contract/core.ts'
import type { Hashes } from '../contract/hashes.ts'
import { concatBytes } from '../core/bytes.ts'
import { ZLIB_FRAMING_BYTES } from '../core/zlib-stream.ts'
import { type Handlers, handle, operation } from '../io/operation.ts'
import type { OpenVolumes } from '../io/volume-operations.ts'
import { createBlockHasher } from './block-hashes.ts'
import { createGrowingBuffer } from './growing-buffer.ts'
import { createObjectDigests } from './object-digests.ts'
import { PIECE_BYTES } from './scan-pieces.ts'
import { type SegmentInput, segmentReader } from './segment-input.ts'
import { copyOut } from './spare-buffers.ts'

/** How an object is compressed. */
export interface ObjectCompression {
  /** `undefined`: not at all. */
  codec: StreamCodec | undefined
  /** The codec's own. */
  level: number
}

export interface PartRequest {
  /** The caller's number for the object, over all jobs of the process. */
  object: number
  compression: ObjectCompression
  place: PartPlace
  blockBytes: number
  input: SegmentInput
  /**
   * Go on with the object's MD5 here: every part before was digested here. Otherwise the plain bytes come back, to be digested elsewhere.
   */
  digest: boolean
  /** For `bytes` of the answer, and for `plain`. */
  spares: readonly (ArrayBuffer | undefined)[]
}

export interface EncodedObjectPart {
  /** What is stored of it: a part of the compressed stream, without zlib's header and trailer. */
  bytes: Uint8Array<ArrayBuffer>
  /** Of the plain bytes, for zlib's trailer. */
  adler32: number
  /** 32 bytes a block. */
  sha256s: Uint8Array<ArrayBuffer>
  /** The plain bytes, when they are still to be digested. */
  plain?: Uint8Array<ArrayBuffer>
  /** Of the object, in hex, with the last part that is digested here. */
  md5?: string
  /** The object is this one part and did not get smaller: `bytes` are the plain ones, to be stored without compression. */
  incompressible?: boolean
}

export const encodePart = operation<PartRequest, EncodedObjectPart>('object.encode')
export interface DigestedPart {
  /** Of the object, in hex, with its last part. */
  md5?: string
  /** What was digested, to be used again. */
  bytes: Uint8Array<ArrayBuffer>
}

/** Goes on with the MD5 of an object. */
export const digestPart = operation<{ object: number; bytes: Uint8Array<ArrayBuffer>; last: boolean }, DigestedPart>('object.digest')
/** Forgets what is kept for an object. */
export const closeObject = operation<{ object: number }, void>('object.close')
/** SHA-256 of each block. Returns 32 bytes a block. */
export const hashBlocks = operation<{ blockBytes: number; input: SegmentInput }, Uint8Array<ArrayBuffer>>('blocks.hash')

/** Returns what gives the memory back. */
export function addObjectEncodeOperations(handlers: Handlers, core: Core, hashes: Hashes, open: OpenVolumes): () => void {
  const hasher = createBlockHasher(hashes)
  const digests = createObjectDigests()
  const encoders = createEncoders(core)
  // One of each for all objects: a call leaves nothing in them for the next.
  const plainBuffer = createGrowingBuffer(core)
  const packedBuffer = createGrowingBuffer(core)
  const pieceBytes = (blockBytes: number) => Math.max(blockBytes, PIECE_BYTES - (PIECE_BYTES % blockBytes))

  handle(
    handlers,
    encodePart,
    async ({ object, compression, place, blockBytes, input, digest, spares }): Promise<EncodedObjectPart> => {
      const reader = segmentReader(input, open)
      const { length } = reader
      const plain = plainBuffer.atLeast(length)
      const sha256s: Uint8Array[] = []
      // In pieces that stay in the processor's cache between reading, hashing and digesting.
      for (let at = 0; at < length; at += pieceBytes(blockBytes)) {
        const count = Math.min(pieceBytes(blockBytes), length - at)
        await reader.read(plain, at, at, count)
        const piece = plain.bytes(at, count)
        sha256s.push(hasher.hash(piece, blockBytes))
        if (digest) await digests.update(object, piece)
      }
      return {
        ...encode(compression, place, plain, length, spares[0]),
        sha256s: concatBytes(sha256s),
        ...(digest ? {} : { plain: copyOut(plain.bytes(0, length), spares[1], length) }),
        ...(digest && place.last ? { md5: await digests.finish(object) } : {}),
      }
    },
    ({ bytes, sha256s, plain }) => [bytes.buffer, sha256s.buffer, ...(plain ? [plain.buffer] : [])],
  )

  const encode = ({ codec, level }: ObjectCompression, place: PartPlace, plain: CoreBuffer, length: number, spare: ArrayBuffer | undefined) => {
    if (codec === undefined) return { bytes: copyOut(plain.bytes(0, length), spare, length), adler32: 0 }
    const { packed, part } = encoders.use(codec, level, (encoder) => {
      const packed = packedBuffer.atLeast(encoder.bound(length))
      return { packed, part: encoder.encode(plain, 0, length, packed, place) }
    })
    const framing = codec === 'zlib' ? ZLIB_FRAMING_BYTES : 0
    if (length === place.objectBytes && part.length + framing >= length) {
      return { bytes: copyOut(plain.bytes(0, length), spare, length), adler32: 0, incompressible: true }
    }
    return { bytes: copyOut(packed.bytes(0, part.length), spare, length), adler32: part.adler32 }
  }

  handle(
    handlers,
    digestPart,
    async ({ object, bytes, last }): Promise<DigestedPart> => {
      await digests.update(object, bytes)
      return { bytes, ...(last ? { md5: await digests.finish(object) } : {}) }
    },
    ({ bytes }) => [bytes.buffer],
  )

  handle(
    handlers,
    hashBlocks,
    async ({ blockBytes, input }) => {
      const reader = segmentReader(input, open)
      const step = pieceBytes(blockBytes)
      const piece = plainBuffer.atLeast(Math.min(step, reader.length))
      const sha256s: Uint8Array[] = []
      for (let from = 0; from < reader.length; from += step) {
        const count = Math.min(step, reader.length - from)
        await reader.read(piece, 0, from, count)
        sha256s.push(hasher.hash(piece.bytes(0, count), blockBytes))
      }
      return concatBytes(sha256s)
    },
    (sha256s) => [sha256s.buffer],
  )

  handle(handlers, closeObject, ({ object }) => digests.drop(object))

  return () => {
    encoders.free()
    plainBuffer.free()
    packedBuffer.free()
  }
}

/** One for all parts of each codec and level. */
function createEncoders(core: Core) {
  const encoders = new Map<string, StreamEncoder>()
  const close = (key: string) => {
    encoders.get(key)?.free()
    encoders.delete(key)
  }
  return {
    use<Result>(codec: StreamCodec, level: number, encode: (encoder: StreamEncoder) => Result): Result {
      const key = `${codec} ${level}`
      const encoder = encoders.get(key) ?? core.streamEncoder(codec, level)
      encoders.set(key, encoder)
      try {
        return encode(encoder)
      } catch (error) {
        // It may be in the middle of a part.
        close(key)
        throw error
      }
    },
    free() {
      for (const key of [...encoders.keys()]) close(key)
    },
  }
}
