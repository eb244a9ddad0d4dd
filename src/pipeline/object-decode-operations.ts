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
import { createObjectDecoder, type DecodedObjectPart, type DecoderOptions, type DecodeStep, type ObjectDecoder } from './object-decoder.ts'
import { createObjectDigests } from './object-digests.ts'

export interface DecodeRequest extends DecodeStep {
  /** The caller's number for the object, over all jobs of the process. */
  object: number
  /** With the first call for an object. */
  open?: DecoderOptions
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
    async ({ object, open: options, ...step }) => {
      if (options) decoders.set(object, createObjectDecoder(context, object, options))
      const decoder = decoders.get(object)
      if (!decoder) throw new BlockvaultError('INTERNAL', `No decoder ${object} in this worker.`)
      const decoded = await decoder.decode(step)
      if (step.last && decoded.drained) close(object)
      return decoded
    },
    ({ tag, sha256s, collected, copies }) => [tag.buffer, sha256s.buffer, collected.buffer, ...copies.map(({ buffer }) => buffer)],
  )

  handle(handlers, closeDecoder, ({ object }) => close(object))

  return () => {
    for (const object of [...decoders.keys()]) close(object)
    stored.free()
  }
}
