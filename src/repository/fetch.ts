/** Runs one batch of a fetch plan: one ranged read, then a worker opens, decodes, checks and (for a restore) writes. */
import { invoke } from '../io/operation.ts'
import { type DecodeArgument, type DecodeResult, decodeFrames } from '../pipeline/decode-operations.ts'
import type { RepositoryContext } from './context.ts'
import type { FetchBatch } from './fetch-plan.ts'
import { packName } from './names.ts'
import type { ObjectKey } from './seal.ts'

export async function runBatch(
  { storage, pool, sealer, encrypted }: RepositoryContext,
  batch: FetchBatch,
  { key, additional }: ObjectKey,
  options: { volume?: number; signal?: AbortSignal | undefined },
): Promise<DecodeResult> {
  const bytes = await storage.getRange(packName(batch.packId), batch.offset, batch.length, { signal: options.signal })
  const argument: DecodeArgument = {
    bytes,
    frames: batch.frames,
    key: { key, additional },
    fingerprintKey: sealer.keyring.fingerprintKey,
    encrypted,
    ...(options.volume === undefined ? {} : { volume: options.volume }),
  }
  return invoke(pool.any(), decodeFrames, argument, [bytes.buffer])
}
