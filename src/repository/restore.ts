/**
 * One restore. A byte's way back: pack → worker (seal, bound, decompress, fingerprint) → target. The map is walked in windows,
 * so memory does not grow with the volume; inside a window each frame is read once and written in any order.
 */
import type { RestoreOptions, RestoreResult } from '../contract/backup.ts'
import { BlockvaultError, throwIfCancelled } from '../contract/errors.ts'
import { invoke } from '../io/operation.ts'
import { zeroVolume } from '../io/volume-operations.ts'
import { createChunkReader, createPackKeys, notHeld } from './chunk-reader.ts'
import type { RepositoryContext } from './context.ts'
import { createFetchPlan } from './fetch-plan.ts'
import { drainPlan } from './fetch.ts'
import { type Manifest, manifestRoot } from './manifest.ts'
import { packName } from './names.ts'
import { progressReporter } from '../pipeline/progress.ts'
import { damaged } from './seal.ts'
import { eachOf } from './stored-index.ts'
import { openTarget } from './target.ts'
import { walkMap } from './volume-map.ts'

export async function runRestore(context: RepositoryContext, manifest: Manifest, path: string, options: RestoreOptions): Promise<RestoreResult> {
  const { platform, config, index } = context
  const { signal } = options
  const startedAt = platform.now()
  const range = checkRange(manifest, options.range)
  throwIfCancelled(signal)
  await index.refresh(signal)
  const target = await openTarget(context, path, range.length, manifest, options)
  const { volume } = target.volume

  let doneBytes = 0
  let writtenBytes = 0
  const progress = progressReporter(
    options.onProgress,
    () => ({ phase: 'restore', doneBytes, totalBytes: range.length, newBytes: 0, storedBytes: 0 }),
    platform.now,
  )
  const packKeys = createPackKeys(context, signal)
  const plan = createFetchPlan(platform)
  const drain = () =>
    drainPlan(context, plan, packKeys, { volume, signal }, (batch, outcome) => {
      if (outcome instanceof BlockvaultError) throw outcome
      const [failure] = outcome.failures
      if (failure)
        throw damaged(packName(batch.packId), `frame ${batch.frames[failure.frame]?.number} can not be restored (${failure.reason}); no byte of it was written`)
      writtenBytes += outcome.writtenBytes
      doneBytes += outcome.writtenBytes
      progress()
    })

  try {
    const reader = createChunkReader(context, signal)
    const walk = { volumeBytes: manifest.volumeBytes, segmentBytes: config.segmentBytes, range }
    for await (const piece of walkMap(manifestRoot(manifest), reader.read, walk)) {
      throwIfCancelled(signal)
      const from = Math.max(piece.offset, range.offset)
      const length = Math.min(piece.offset + piece.length, range.offset + range.length) - from
      const to = from - range.offset
      const { fingerprint, changeTag } = piece
      if (fingerprint === undefined) {
        if (!target.startsZero) await zeros(context, volume, to, length, signal)
        doneBytes += length
        progress()
        continue
      }
      const place = index.chunks.find(fingerprint)
      if (!place) throw notHeld(context, fingerprint)
      if (place.chunkBytes !== piece.length)
        throw damaged('the volume map', `at offset ${piece.offset} it asks for ${piece.length} bytes of a chunk that has ${place.chunkBytes}`)
      plan.want(place, { fingerprint, changeTag }, { from: from - piece.offset, length, to })
      if (plan.full) await drain()
    }
    await drain()
    throwIfCancelled(signal)
    await target.commit()
  } catch (error) {
    await target.discard().catch(() => {})
    throwIfCancelled(signal)
    throw error
  }
  progress.end()
  return { id: manifest.id, target: path, bytes: range.length, writtenBytes, seconds: (platform.now() - startedAt) / 1000 }
}

/** Zeros on a target that had other content, in pieces so that a cancel is heard. */
async function zeros({ pool }: RepositoryContext, volume: number, offset: number, length: number, signal: AbortSignal | undefined): Promise<void> {
  const piece = 16 * 1024 * 1024
  const pieces = Array.from({ length: Math.ceil(length / piece) }, (_, index) => index * piece)
  await eachOf(
    pieces,
    async (at) => {
      throwIfCancelled(signal)
      await invoke(pool.any(), zeroVolume, { volume, offset: offset + at, length: Math.min(piece, length - at) })
    },
    pool.ports.length,
  )
}

function checkRange({ volumeBytes }: Manifest, range: RestoreOptions['range']): { offset: number; length: number } {
  if (!range) return { offset: 0, length: volumeBytes }
  const { offset, length } = range
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0 || offset + length > volumeBytes)
    throw new BlockvaultError('USAGE', `The range ${offset}:${length} does not lie inside the volume's ${volumeBytes} bytes.`, {
      details: { offset, length, volumeBytes },
    })
  return { offset, length }
}
