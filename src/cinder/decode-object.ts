/**
 * Reads one object of a store and has a worker decode it, piece by piece.
 *
 * Invariants: what is in memory of it is a few pieces, however long it is; when its parts come to their end, the object was whole, had the
 * length and the MD5 that its manifest says, and was, where tags are given, the one that was checked before.
 */
import { BlockvaultError, isBlockvaultError, throwIfCancelled } from '../contract/errors.ts'
import type { ObjectReader, ObjectStore } from '../contract/object-store.ts'
import type { Port } from '../contract/port.ts'
import { invoke } from '../io/operation.ts'
import { closeDecoder, decodePart } from '../pipeline/object-decode-operations.ts'
import type { DecodedObjectPart, DecoderOptions } from '../pipeline/object-decoder.ts'
import { codecOf, type CompressionName } from './compression.ts'
import { digestElsewhere } from './digest-elsewhere.ts'
import { nextObjectNumber } from './object-numbers.ts'

/** An object as a manifest describes it. */
export interface StoredObject {
  container: string
  name: string
  compression: CompressionName
  /** Plain bytes it must have; at most `bytesMax` where the manifest does not say. */
  length: number | undefined
  bytesMax: number
  /** In lower-case hex; not checked where the manifest does not say. */
  md5: string | undefined
}

/** What the stored pieces of an object were, one after the other. */
export interface ObjectTags {
  /** Stored bytes. */
  size: number
  /** One change tag a piece. */
  tags: Uint8Array<ArrayBuffer>[]
}

export interface DecodeOptions extends Pick<DecoderOptions, 'blockBytes' | 'tagKey' | 'sink'> {
  store: ObjectStore
  /** The worker that decodes it. */
  port: Port
  /** The worker that computes its MD5; the one that decodes it by default. */
  digester?: Port | undefined
  signal?: AbortSignal | undefined
  /** Asked before the object is opened, and again from time to time; what it throws ends the decoding. */
  check?: (() => Promise<void>) | undefined
  /** What the object was before. Its MD5 is not computed again then. */
  tags?: ObjectTags | undefined
  /** Plain bytes of one part, or up to 4 MiB more. 64 MiB by default. */
  stopBytes?: number | undefined
}

export interface DecodedObject extends ObjectTags {
  plainBytes: number
}

/** Stored bytes read at once. */
const PIECE_BYTES = 4 * 1024 * 1024
/** Plain bytes of one call: a tenth of a second. A piece of compressed zeros holds gigabytes. */
const STOP_BYTES = 64 * 1024 * 1024
/** The same where another worker digests: the least, which is one segment. */
const STOP_BYTES_ELSEWHERE = 1
/** Parts between two questions whether to go on. */
const PARTS_A_QUESTION = 16

/** Decodes the whole object. @throws as `decodeParts`, and what `onPart` throws */
export async function decodeObject(
  stored: StoredObject,
  options: DecodeOptions,
  onPart?: (part: DecodedObjectPart) => Promise<void> | void,
): Promise<DecodedObject> {
  const parts = decodeParts(stored, options)
  for (;;) {
    const { done, value } = await parts.next()
    if (done) return value
    try {
      await onPart?.(value)
    } catch (error) {
      await parts.return(undefined as never)
      throw error
    }
  }
}

/**
 * What comes out of the object, part by part.
 * @throws OBJECT_DAMAGED, OBJECT_MISSING with the object's name in `details.object`, CANCELLED, or what `check` throws
 */
export async function* decodeParts(stored: StoredObject, options: DecodeOptions): AsyncGenerator<DecodedObjectPart, DecodedObject, void> {
  const { store, port, signal, check, tags: expected } = options
  await check?.()
  throwIfCancelled(signal)
  const reader = await store.open(stored.container, stored.name, { signal })
  const object = nextObjectNumber()
  const digests = stored.md5 !== undefined && expected === undefined
  const elsewhere = digests && options.digester ? digestElsewhere(options.digester, object) : undefined
  const tags: Uint8Array<ArrayBuffer>[] = []
  let opened = false
  let ended = false
  const call = async (bytes: Uint8Array<ArrayBuffer>, last: boolean): Promise<DecodedObjectPart> => {
    // Empty once it has moved to the worker.
    const isPiece = bytes.length > 0
    const tag = isPiece && expected ? (expected.tags[tags.length] ?? new Uint8Array(0)) : undefined
    const open = opened ? {} : { open: decoderOptions(stored, options, { digest: digests && !elsewhere, copies: elsewhere !== undefined }) }
    const spare = elsewhere?.takeSpare()
    opened = true
    const stopBytes = elsewhere ? STOP_BYTES_ELSEWHERE : (options.stopBytes ?? STOP_BYTES)
    const request = { object, ...open, bytes, last, ...(tag ? { tag } : {}), stopBytes, spare }
    const part = await invoke(port, decodePart, request, spare ? [bytes.buffer, spare] : [bytes.buffer])
    if (isPiece) tags.push(part.tag)
    ended = last && part.drained
    for (const copy of part.copies) await elsewhere?.add(copy)
    return ended && elsewhere ? { ...part, md5: await elsewhere.finish() } : part
  }
  try {
    checkSize(stored, reader.size, expected)
    let parts = 0
    for await (const { bytes, last } of pieces(reader)) {
      let part = await call(bytes, last)
      for (;;) {
        if (ended) checkWhole(stored, part)
        yield part
        throwIfCancelled(signal)
        if (++parts % PARTS_A_QUESTION === 0) await check?.()
        if (part.drained) break
        part = await call(new Uint8Array(0), last)
      }
      if (last) return { size: reader.size, tags, plainBytes: part.plainBytes }
    }
    throw new BlockvaultError('INTERNAL', 'An object has no last piece.')
  } catch (error) {
    throw named(stored, error)
  } finally {
    if (opened && !ended) await invoke(port, closeDecoder, { object }).catch(() => {})
    await elsewhere?.close()
    await reader.close()
  }
}

function decoderOptions(
  { compression, length, bytesMax }: StoredObject,
  { blockBytes, tagKey, sink }: DecodeOptions,
  digesting: Pick<DecoderOptions, 'digest' | 'copies'>,
): DecoderOptions {
  return {
    codec: codecOf(compression),
    bytesMax: length ?? bytesMax,
    ...digesting,
    ...(blockBytes === undefined ? {} : { blockBytes }),
    ...(tagKey === undefined ? {} : { tagKey }),
    ...(sink === undefined ? {} : { sink }),
  }
}

/** Pieces in order; the next one is read while one is worked on. An object of no bytes is one empty piece. */
async function* pieces(reader: ObjectReader): AsyncGenerator<{ bytes: Uint8Array<ArrayBuffer>; last: boolean }> {
  const read = (offset: number) => {
    const piece = reader.read(offset, Math.min(PIECE_BYTES, reader.size - offset))
    // Awaited in its turn.
    piece.catch(() => {})
    return piece
  }
  let next = read(0)
  for (let offset = 0; ; offset += PIECE_BYTES) {
    const bytes = await next
    const last = offset + PIECE_BYTES >= reader.size
    if (!last) next = read(offset + PIECE_BYTES)
    yield { bytes, last }
    if (last) return
  }
}

/** What is wrong before anything is read. */
function checkSize(stored: StoredObject, size: number, expected: ObjectTags | undefined): void {
  const { length, bytesMax, compression } = stored
  if (codecOf(compression) === undefined && size !== (length ?? size)) throw damaged(stored, `has ${size} bytes where its manifest says ${length}`)
  if (codecOf(compression) === undefined && size > bytesMax) throw damaged(stored, `has ${size} bytes, more than the ${bytesMax} that it can have`)
  if (expected && size !== expected.size) throw damaged(stored, 'is not what it was when it was checked')
}

function checkWhole(stored: StoredObject, { plainBytes, md5 }: DecodedObjectPart): void {
  if (stored.length !== undefined && plainBytes !== stored.length) throw damaged(stored, `holds ${plainBytes} bytes where its manifest says ${stored.length}`)
  if (md5 !== undefined && md5 !== stored.md5) throw damaged(stored, `has the MD5 ${md5} where its manifest says ${stored.md5}`)
}

/** The worker does not know the object's name. */
function named(stored: StoredObject, error: unknown): unknown {
  if (!isBlockvaultError(error, 'OBJECT_DAMAGED') || error.details['object'] !== undefined) return error
  return damaged(stored, `can not be decoded (${stored.compression}): ${error.message}`, error)
}

function damaged({ container, name }: StoredObject, reason: string, cause?: unknown): BlockvaultError {
  return new BlockvaultError('OBJECT_DAMAGED', `${name} in ${container} ${reason}. Put back a copy of the object, or use another backup.`, {
    details: { container, object: name },
    cause,
  })
}
