/**
 * A stored backup as a volume to read from. A read walks the volume map, has workers decode and check the frames that it needs, and
 * copies its chunks out of them.
 *
 * Invariant: a read resolves only when every chunk of it was checked; otherwise it rejects, and gives no byte.
 */
import type { OpenBackupOptions } from '../contract/backup.ts'
import type { ChunkPlace } from '../contract/core.ts'
import { BlockvaultError, throwIfCancelled } from '../contract/errors.ts'
import type { VolumeFile } from '../contract/volume.ts'
import { toHex } from '../core/bytes.ts'
import { createVolumeFace } from '../io/volume-face.ts'
import { createChunkReader, createPackKeys, notHeld } from './chunk-reader.ts'
import type { RepositoryContext } from './context.ts'
import { fetchBatch } from './fetch.ts'
import { createFetchPlan, type FetchBatch } from './fetch-plan.ts'
import { type CachedFrame, createFrameCache } from './frame-cache.ts'
import { type Manifest, manifestRoot } from './manifest.ts'
import { packName } from './names.ts'
import { damaged, type ObjectKey } from './seal.ts'
import { createSegmentPieces } from './segment-pieces.ts'
import type { MapPiece } from './volume-map.ts'

const CACHE_BYTES = 32 * 1024 * 1024
/** Decoded by one call: what a read needs at once is this times the calls under way, however far frames shrank. */
const BATCH_PLAIN_BYTES = 4 * 1024 * 1024
/** One is decoded while the next is read. */
const CALLS_A_WORKER = 2
/** Segments behind a read whose chunks are checked along when they lie in a frame it decodes: as far as the workers of a backup are apart. */
const AHEAD_SEGMENTS = 4

/** A stored chunk of the volume, and where it lies. */
interface Chunk {
  offset: number
  length: number
  fingerprint: Uint8Array
  changeTag: Uint8Array | undefined
  place: ChunkPlace
}

/** Chunks by the frame that holds them: `pack id/frame number`. */
type ChunksByFrame = Map<string, Chunk[]>

/** `job` runs a read as a job of the repository: closing waits for it, and ends those that come later. */
export async function openStoredBackup(
  context: RepositoryContext,
  manifest: Manifest,
  options: OpenBackupOptions,
  job: <Result>(work: () => Promise<Result>) => Promise<Result>,
): Promise<VolumeFile> {
  const { volumeBytes } = manifest
  const { segmentBytes } = context.config
  const { signal, cacheBytes = CACHE_BYTES } = options
  if (!Number.isSafeInteger(cacheBytes) || cacheBytes < 0) throw new BlockvaultError('USAGE', `cacheBytes is a whole number of bytes, not ${cacheBytes}.`)
  await context.index.refresh(signal)
  const { read: readNode } = createChunkReader(context, signal)
  const segments = createSegmentPieces(manifestRoot(manifest), { volumeBytes, segmentBytes, read: readNode })
  const packKeys = createPackKeys(context, signal)
  const cache = createFrameCache(cacheBytes)
  const inLane = createLanes((context.pool.ports.length + 1) * CALLS_A_WORKER)

  const fetchAll = (wanted: ChunksByFrame, around: ChunksByFrame): Map<string, CachedFrame> => {
    const plan = createFetchPlan(context.platform)
    const frames = new Map<string, CachedFrame>()
    const checked = new Map<string, Map<number, Uint8Array>>()
    for (const [slot, chunks] of wanted) {
      const kept = cache.find(slot, chunks)
      if (kept) {
        kept.readers++
        frames.set(slot, kept)
        continue
      }
      const known = new Map<number, Uint8Array>()
      checked.set(slot, known)
      for (const chunk of [...chunks, ...(around.get(slot) ?? [])]) {
        known.set(chunk.place.chunkOffset, chunk.fingerprint)
        plan.want(chunk.place, chunk)
      }
    }
    for (const batch of plan.batches(context.index.chunks, BATCH_PLAIN_BYTES)) {
      const decoded = inLane(() => decodeBatch(context, batch, packKeys, signal))
      for (const [position, { number, plainBytes }] of batch.frames.entries()) {
        const slot = slotOf(batch.packId, number)
        const bytes = decoded.then((plaintexts) => plaintexts[position] as Uint8Array)
        const frame: CachedFrame = { checked: checked.get(slot) ?? new Map(), plainBytes, bytes, readers: 1, dropped: false }
        frames.set(slot, frame)
        cache.keep(slot, frame)
      }
    }
    return frames
  }

  const read = async (offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> => {
    throwIfCancelled(signal)
    const end = offset + length
    const pieces = await segments.between(offset, end)
    let wanted = byFrame(context, pieces)
    let around: ChunksByFrame = new Map()
    if ([...wanted].some(([slot, chunks]) => !cache.find(slot, chunks))) {
      const from = Math.floor(offset / segmentBytes) * segmentBytes
      const to = (Math.ceil(end / segmentBytes) + AHEAD_SEGMENTS) * segmentBytes
      const nearby = await segments.between(from, to)
      // Located anew, and used without an await between: another job may make the index again, with other numbers for its packs.
      wanted = byFrame(context, pieces)
      around = byFrame(context, nearby, wanted)
    }
    const frames = fetchAll(wanted, around)
    const bytes = new Uint8Array(length)
    const copies = [...wanted].map(([slot, chunks]) => {
      const frame = frames.get(slot) as CachedFrame
      return copyChunks(frame, chunks, offset, bytes).finally(() => cache.release(frame))
    })
    // What is copied may go, before the rest has come.
    frames.clear()
    const failure = (await Promise.allSettled(copies)).find(({ status }) => status === 'rejected')
    if (failure) throw (failure as PromiseRejectedResult).reason
    return bytes
  }

  const refuse = async (): Promise<never> => {
    throw new BlockvaultError('TARGET_UNSUPPORTED', `A stored backup can not be written to: restore ${manifest.id}, and write to what was restored.`)
  }
  return createVolumeFace({
    kind: 'file',
    size: volumeBytes,
    readAt: (offset, length) =>
      job(() =>
        read(offset, length).catch((error: unknown) => {
          throwIfCancelled(signal)
          throw error
        }),
      ),
    writeAt: refuse,
    punchHole: refuse,
    flush: async () => {},
    close: async () => cache.clear(),
  })
}

function slotOf(packId: string, frame: number): string {
  return `${packId}/${frame}`
}

/** Where the pieces are stored now; with `only`, of those frames alone, and what is not stored is passed over. */
function byFrame(context: RepositoryContext, pieces: readonly MapPiece[], only?: ChunksByFrame): ChunksByFrame {
  const { chunks } = context.index
  const frames: ChunksByFrame = new Map()
  const packIds = new Map<number, string>()
  for (const { offset, length, fingerprint, changeTag } of pieces) {
    if (!fingerprint) continue
    const place = chunks.find(fingerprint)
    if (!place || place.chunkBytes !== length) {
      if (only) continue
      if (!place) throw notHeld(context, fingerprint)
      throw damaged('the volume map', `at offset ${offset} it asks for ${length} bytes of a chunk that has ${place.chunkBytes}`)
    }
    let packId = packIds.get(place.pack)
    if (packId === undefined) packIds.set(place.pack, (packId = toHex(chunks.packId(place.pack))))
    const slot = slotOf(packId, place.frame)
    if (only && !only.has(slot)) continue
    const chunk = { offset, length, fingerprint, changeTag, place }
    const others = frames.get(slot)
    if (others) others.push(chunk)
    else frames.set(slot, [chunk])
  }
  return frames
}

async function decodeBatch(
  context: RepositoryContext,
  batch: FetchBatch,
  packKeys: (id: string) => Promise<ObjectKey>,
  signal: AbortSignal | undefined,
): Promise<Uint8Array[]> {
  throwIfCancelled(signal)
  const { failures, collected } = await fetchBatch(context, batch, packKeys, { collect: true, signal })
  const [failure] = failures
  if (failure)
    throw damaged(packName(batch.packId), `frame ${batch.frames[failure.frame]?.number} can not be read (${failure.reason}); no byte of it was given`)
  return collected
}

async function copyChunks(frame: CachedFrame, chunks: readonly Chunk[], offset: number, into: Uint8Array): Promise<void> {
  const plain = await frame.bytes
  for (const chunk of chunks) {
    const from = Math.max(chunk.offset, offset)
    const to = Math.min(chunk.offset + chunk.length, offset + into.length)
    const start = chunk.place.chunkOffset + from - chunk.offset
    into.set(plain.subarray(start, start + to - from), from - offset)
  }
}

/** Runs so many calls at once; the others wait in the order they were asked for. */
function createLanes(most: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = []
  let running = 0
  return async (work) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }
}
