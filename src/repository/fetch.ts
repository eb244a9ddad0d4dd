/** Runs a fetch plan: ranged reads, a few at once; a worker opens, decodes, checks and (for a restore) writes each. */
import { BlockvaultError, throwIfCancelled } from '../contract/errors.ts'
import { concatBytes } from '../core/bytes.ts'
import { invoke } from '../io/operation.ts'
import { type DecodeResult, decodeFrames } from '../pipeline/decode-operations.ts'
import type { RepositoryContext } from './context.ts'
import type { FetchBatch, FetchPlan } from './fetch-plan.ts'
import { packName } from './names.ts'
import type { ObjectKey } from './seal.ts'
import { eachOf } from './stored-index.ts'

/** Batches under way a worker: one is decoded while the next is read. */
const BATCHES_A_WORKER = 2

export interface FetchOptions {
  /** Open volume that the chunks are written to. */
  volume?: number | undefined
  /** Return the plaintext of the frames. False by default. */
  collect?: boolean | undefined
  signal?: AbortSignal | undefined
}

/** Reads everything planned. `onBatch` gets each batch's result or its coded error, and may throw to stop. */
export async function drainPlan(
  context: RepositoryContext,
  plan: FetchPlan,
  packKeys: (id: string) => Promise<ObjectKey>,
  options: FetchOptions,
  onBatch: (batch: FetchBatch, outcome: DecodeResult | BlockvaultError) => void,
): Promise<void> {
  const run = async (batch: FetchBatch) => {
    throwIfCancelled(options.signal)
    const outcome = await fetchBatch(context, batch, packKeys, options).catch((error: unknown) => {
      if (error instanceof BlockvaultError) return error
      throw error
    })
    onBatch(batch, outcome)
  }
  await eachOf(plan.batches(context.index.chunks), run, (context.pool.ports.length + 1) * BATCHES_A_WORKER)
}

/** Reads one batch and has a worker decode and check it. */
export async function fetchBatch(
  { storage, pool, sealer, encrypted }: RepositoryContext,
  batch: FetchBatch,
  packKeys: (id: string) => Promise<ObjectKey>,
  { volume, collect, signal }: FetchOptions,
): Promise<DecodeResult> {
  const { key, additional } = await packKeys(batch.packId)
  const bytes = await storage.getRange(packName(batch.packId), batch.offset, batch.length, { signal })
  const argument = {
    bytes,
    frames: batch.frames.map((frame) => ({ ...frame, fingerprints: concatBytes(frame.fingerprints), changeTags: concatBytes(frame.changeTags) })),
    key: { key, additional },
    fingerprintKey: sealer.keyring.fingerprintKey,
    encrypted,
    ...(volume === undefined ? {} : { volume }),
    ...(collect ? { collect } : {}),
  }
  return invoke(volume === undefined ? pool.any() : pool.anyWriter(), decodeFrames, argument, [bytes.buffer])
}
