/** One object as it is decoded in a worker. See `object-decode-operations.ts` for what it keeps. */
import type { Core, CoreBuffer, StreamCodec } from '../contract/core.ts'
import { BlockvaultError } from '../contract/errors.ts'
import { concatBytes, equalBytes } from '../core/bytes.ts'
import type { OpenVolumes } from '../io/volume-operations.ts'
import type { BlockHasher } from './block-hashes.ts'
import type { GrowingBuffer } from './growing-buffer.ts'
import type { ObjectDigests } from './object-digests.ts'
import { createObjectSink, type SinkOptions } from './object-sink.ts'
import { copyOut } from './spare-buffers.ts'

export interface DecoderOptions {
  /** `undefined`: the object is stored as it is. */
  codec: StreamCodec | undefined
  /** Most plain bytes the object may have; one more is damage. */
  bytesMax: number
  /** Compute the object's MD5. */
  digest: boolean
  /** Return all plain bytes too, for somebody else to digest. False by default. */
  copies?: boolean
  /** Compute SHA-256 of its blocks of this length. At most `BLOCK_BYTES_MAX`. */
  blockBytes?: number
  /** Key of the change tags of stored pieces; none are computed without it. 32 bytes. */
  tagKey?: Uint8Array
  /** Where the plain bytes go: nowhere without it. */
  sink?: SinkOptions
}

export interface DecodedObjectPart {
  /** True when all stored bytes that are here are decoded. With the last of them, the object is whole and forgotten here. */
  drained: boolean
  /** Plain bytes of the object so far, and written of them, zeros aside. */
  plainBytes: number
  writtenBytes: number
  /** Of the stored bytes of this call, when tags are asked for. */
  tag: Uint8Array<ArrayBuffer>
  /** Of the blocks that this call completed, when they are asked for. */
  sha256s: Uint8Array<ArrayBuffer>
  /** Wanted bytes that came out, when no volume takes them. */
  collected: Uint8Array<ArrayBuffer>
  /** The plain bytes that were passed on, when copies are asked for. */
  copies: Uint8Array<ArrayBuffer>[]
  /** Of the whole object, in hex, at its end. */
  md5?: string
}

/** What is decoded by one call. */
export interface DecodeStep {
  /** The object's next stored bytes; empty to go on with those that are still here. */
  bytes: Uint8Array
  /** These are its last. */
  last: boolean
  /** The change tag that these stored bytes had before: throws OBJECT_DAMAGED, and decodes nothing of them, when it is another. */
  tag?: Uint8Array
  /** Stop when so many plain bytes came out, or up to a segment more. */
  stopBytes: number
  /** For a copy. */
  spare?: ArrayBuffer | undefined
}

/** What the decoders of a worker share. */
export interface DecoderContext {
  core: Core
  open: OpenVolumes
  digests: ObjectDigests
  hasher: BlockHasher
  /** Holds the stored bytes that are being decoded. */
  stored: GrowingBuffer
}

export interface ObjectDecoder {
  decode(step: DecodeStep): Promise<DecodedObjectPart>
  free(): void
}

/** Plain bytes that are digested, hashed and written at once. */
const PLAIN_BYTES = 4 * 1024 * 1024
/** A larger hash unit than this has no use, and a few of them fill a worker's memory. */
export const BLOCK_BYTES_MAX = 64 * 1024 * 1024

export function createObjectDecoder({ core, open, digests, hasher, stored }: DecoderContext, object: number, options: DecoderOptions): ObjectDecoder {
  const { codec, bytesMax, blockBytes = 1 } = options
  const stream = codec && core.streamDecoder(codec)
  const tagger = options.tagKey && core.scanner({ kind: 'fixed', size: 64 * 1024 }, options.tagKey)
  const sink = options.sink && createObjectSink(options.sink, open)
  let plain: CoreBuffer | undefined
  /** Plain bytes that are in the buffer, and those before that went on. */
  let held = 0
  let passed = 0
  /** Stored bytes that are still to be decoded: pieces, and how much of the first is done. */
  const pending: Uint8Array[] = []
  let done = 0
  let staged: Uint8Array | undefined
  /** The decoder may have more to give without more input. */
  let waiting = false
  let sha256s: Uint8Array[] = []
  let copies: Uint8Array<ArrayBuffer>[] = []
  let spare: ArrayBuffer | undefined

  const stage = (piece: Uint8Array): CoreBuffer => {
    const buffer = stored.atLeast(piece.length)
    if (staged !== piece) buffer.bytes(0, piece.length).set(piece)
    staged = piece
    return buffer
  }
  const count = (bytes: number) => {
    if (passed + held + bytes > bytesMax) throw damaged(`gives more than the ${bytesMax} bytes it should have`)
  }
  const pass = async (buffer: CoreBuffer, length: number) => {
    if (options.digest) await digests.update(object, buffer.bytes(0, length))
    if (options.copies) copies.push(copyOut(buffer.bytes(0, length), spare, PLAIN_BYTES))
    spare = undefined
    if (options.blockBytes) sha256s.push(hasher.hash(buffer.bytes(0, length), blockBytes))
    await sink?.pass(buffer, 0, length, passed)
    passed += length
  }
  const passHeld = async () => {
    if (!plain || held === 0) return
    const length = held
    held = 0
    await pass(plain, length)
  }
  const plainBuffer = () => (plain ??= core.buffer(Math.max(1, Math.min(bytesMax, wholeBlocks(blockBytes)))))

  /** Decodes from the first piece until it, or the room for plain bytes, is used up. */
  const step = () => {
    const target = plainBuffer()
    const [piece = new Uint8Array(0)] = pending
    const source = stage(piece)
    const { consumed, produced } = stream
      ? stream.decode(source, done, piece.length - done, target, held)
      : copy(source, done, Math.min(piece.length - done, target.length - held), target, held)
    count(produced)
    if (consumed + produced === 0 && done < piece.length) throw new BlockvaultError('INTERNAL', 'A decoder stopped before its input ended.')
    done += consumed
    held += produced
    waiting = stream !== undefined && held === target.length
    if (done === piece.length) {
      pending.shift()
      done = 0
    }
  }

  return {
    async decode({ bytes, last, tag: expectedTag, stopBytes, spare: given }) {
      const start = passed
      spare = given
      const tag = bytes.length > 0 && tagger ? tagger.tag(stage(bytes), 0, Uint32Array.of(bytes.length)).changeTags : new Uint8Array(0)
      if (expectedTag && !equalBytes(tag, expectedTag)) throw damaged('is not what it was when it was checked')
      if (bytes.length > 0) pending.push(bytes)
      while ((pending.length > 0 || waiting) && passed - start < stopBytes) {
        const [piece] = pending
        // What is stored as it is needs no other place, unless blocks have to be put together.
        if (!stream && piece && held === 0 && done === 0 && (piece.length % blockBytes === 0 || (last && pending.length === 1))) {
          count(piece.length)
          await pass(stage(piece), piece.length)
          pending.shift()
          continue
        }
        step()
        if (held === plain?.length) await passHeld()
      }
      const drained = pending.length === 0 && !waiting
      const ended = last && drained
      if (ended) {
        stream?.finish()
        await passHeld()
      }
      staged = undefined
      const hashes = sha256s
      sha256s = []
      const copied = copies
      copies = []
      return {
        drained,
        plainBytes: passed + held,
        writtenBytes: sink?.writtenBytes ?? 0,
        tag,
        sha256s: concatBytes(hashes),
        collected: concatBytes(sink?.take() ?? []),
        copies: copied,
        ...(ended && options.digest ? { md5: await digests.finish(object) } : {}),
      }
    },
    free() {
      digests.drop(object)
      stream?.free()
      tagger?.free()
      plain?.free()
    },
  }
}

/** As many bytes as are passed on at once, in whole blocks. */
function wholeBlocks(blockBytes: number): number {
  return Math.max(blockBytes, PLAIN_BYTES - (PLAIN_BYTES % blockBytes))
}

function copy(source: CoreBuffer, offset: number, length: number, target: CoreBuffer, targetOffset: number) {
  target.bytes(targetOffset, length).set(source.bytes(offset, length))
  return { consumed: length, produced: length }
}

function damaged(what: string): BlockvaultError {
  return new BlockvaultError('OBJECT_DAMAGED', `The object ${what}.`)
}
