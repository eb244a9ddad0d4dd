/**
 * The worker's side of Cinder's objects on their way back: stored bytes come in piece by piece, are decompressed, counted, digested, and go
 * where they are wanted: to a volume, to the caller, or nowhere (a check).
 *
 * Invariants: an object never gives more bytes than the caller expects of it, whatever its stream says; a call decodes a bounded
 * amount, and what an object holds here between calls is bounded.
 */
import type { Core } from '../contract/core.ts'
import { BlockvaultError } from '../contract/errors.ts'
import type { Hashes } from '../contract/hashes.ts'
import { type Handlers, handle, operation } from '../io/operation.ts'
import type { OpenVolumes } from '../io/volume-operations.ts'
import { createBlockHasher } from './block-hashes.ts'
import { createGrowingBuffer } from './growing-buffer.ts'
import { createObjectDecoder, type DecodedObjectPart, type DecoderOptions, type ObjectDecoder } from './object-decoder.ts'
import { createObjectDigests } from './object-digests.ts'

export interface DecodeRequest {
  /** The caller's number for the object, over all jobs of the process. */
  object: number
  /** With the first call for an object. */
  open?: DecoderOptions
  /** The object's next stored bytes; empty to go on with those that are still here. */
  bytes: Uint8Array
  /** These are its last. */
  last: boolean
  /** The change tag that these stored bytes had before: throws OBJECT_DAMAGED, and decodes nothing of them, when it is another. */
  tag?: Uint8Array
  /** Stop when so many plain bytes came out, or up to a segment more. */
  stopBytes: number
}

export const decodePart = operation<DecodeRequest, DecodedObjectPart>('object.decode')
/** Forgets an object that was not decoded to its end. */
export const closeDecoder = operation<{ object: number }, void>('object.close-decoder')

/** Returns what gives the memory back. */
export function addObjectDecodeOperations(handlers: Handlers, core: Core, hashes: Hashes, open: OpenVolumes): () => void {
  const decoders = new Map<number, ObjectDecoder>()
  const stored = createGrowingBuffer(core)
  const context = { core, open, digests: createObjectDigests(), hasher: createBlockHasher(hashes), stored }
  const close = (object: number) => {
    decoders.get(object)?.free()
    decoders.delete(object)
  }

  handle(
    handlers,
    decodePart,
    async ({ object, open: options, bytes, last, tag, stopBytes }) => {
      if (options) decoders.set(object, createObjectDecoder(context, object, options))
      const decoder = decoders.get(object)
      if (!decoder) throw new BlockvaultError('INTERNAL', `No decoder ${object} in this worker.`)
      const decoded = await decoder.decode(bytes, last, tag, stopBytes)
      if (last && decoded.drained) close(object)
      return decoded
    },
    ({ tag, sha256s, collected }) => [tag.buffer, sha256s.buffer, collected.buffer],
  )

  handle(handlers, closeDecoder, ({ object }) => close(object))

  return () => {
    for (const object of [...decoders.keys()]) close(object)
    stored.free()
  }
}
