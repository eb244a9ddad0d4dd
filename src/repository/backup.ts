/**
 * One backup. A byte's way: volume → worker's WASM memory (scan) → only fingerprints here → chunks nobody holds are gathered
 * and sealed by the same worker → pack → index → manifest.
 *
 * Order of durability: every pack, then the index that names them, then the manifest. A crash between any two leaves packs and
 * indexes that the next backup uses, never a backup that is not whole.
 */
import type { BackupInfo, BackupOptions } from '../contract/backup.ts'
import { FINGERPRINT_BYTES, type Scan } from '../contract/core.ts'
import { BlockvaultError, isBlockvaultError, throwIfCancelled } from '../contract/errors.ts'
import type { VolumeFile } from '../contract/volume.ts'
import { invoke } from '../io/operation.ts'
import type { PooledVolume } from '../io/pool.ts'
import { closeEncoder, encodeBytes, flushFrame, openEncoder, scanSegment, type SegmentInput, shrank, takeChunks } from '../pipeline/encode-operations.ts'
import type { RepositoryContext } from './context.ts'
import { INDEX_CHUNKS } from './format.ts'
import type { BlockPart } from './index-block.ts'
import { backupInfo, type Manifest, rootRecord, writeManifest } from './manifest.ts'
import { createNodeStore } from './node-store.ts'
import { type ChunkRun, createPackWriter, type PackWriter } from './pack-writer.ts'
import { type BackupSource, openSource } from './source.ts'
import { createMapBuilder } from './volume-map.ts'
import { progressReporter } from './progress.ts'

/** Segments a worker holds at once: it scans the next while the answer for the last is on its way. */
const SLOTS = 3
/** How far a worker may run ahead of the slowest one: scans wait this long for their place in the map. */
const AHEAD_MAX = 256
let encoders = 0

interface Lane {
  encoder: number
  port: RepositoryContext['pool']['ports'][number]
  packs: PackWriter
}

export async function runBackup(context: RepositoryContext, from: string | VolumeFile, options: BackupOptions & { id: string }): Promise<BackupInfo> {
  const { platform, config, sealer, index, pool, storage } = context
  const { core } = platform
  const startedAt = platform.now()
  throwIfCancelled(options.signal)
  const source = await openSource(context, from)
  const stop = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal
  let failure: { error: unknown } | undefined
  const fail = (error: unknown) => {
    failure ??= { error }
    stop.abort(error)
  }

  const claimed = core.fingerprintSet()
  const lanes: Lane[] = []
  const waiting: BlockPart[] = []
  const indexes: string[] = []
  let waitingChunks = 0
  let writingIndex: Promise<void> = Promise.resolve()
  let readBytes = 0
  let newBytes = 0
  const storedBytes = () => lanes.reduce((sum, lane) => sum + lane.packs.storedBytes, 0)
  const progress = progressReporter(options.onProgress, () => ({ phase: 'backup', doneBytes: readBytes, totalBytes: source.size, newBytes, storedBytes: storedBytes() }), platform.now)

  /** Index objects are written one after the other; each names packs that are durable. */
  const writeIndex = (): Promise<void> => {
    const parts = waiting.splice(0)
    waitingChunks = 0
    if (parts.length > 0) writingIndex = writingIndex.then(async () => void indexes.push(await index.add(parts)))
    return writingIndex
  }
  const onStored = async (part: BlockPart) => {
    waiting.push(part)
    waitingChunks += part.record.length / FINGERPRINT_BYTES
    if (waitingChunks >= INDEX_CHUNKS) await writeIndex()
  }

  try {
    await index.refresh(options.signal)
    for (const part of index.unindexed()) waiting.push(part)
    for (const port of pool.ports) {
      const encoder = ++encoders
      await invoke(port, openEncoder, {
        encoder,
        options: {
          chunker: config.chunker,
          fingerprintKey: sealer.keyring.fingerprintKey,
          encrypted: context.encrypted,
          segmentBytes: config.segmentBytes,
          frameBytes: config.frameBytes,
          codec: core.writes.includes('zstd') ? 'zstd' : 'deflate',
          level: 1,
          check: true,
        },
      })
      lanes.push({ encoder, port, packs: await createPackWriter({ context, port, encoder, onStored, onFailure: fail, signal }) })
    }
    const [firstLane] = lanes
    if (!firstLane) throw new BlockvaultError('INTERNAL', 'A pool without workers.')

    const known = (fingerprint: Uint8Array) => index.chunks.has(fingerprint, 1)[0] === 1 || claimed.claim(fingerprint, 1)[0] === 0
    const nodes = createNodeStore(core, sealer.keyring.fingerprintKey, config.frameBytes, known, async (bytes, run) => {
      const { packs, port, encoder } = firstLane
      packs.add(await invoke(port, encodeBytes, { encoder, bytes, chunks: run.lengths.length }, [bytes.buffer]), run)
    })
    const map = createMapBuilder((node) => nodes.add(node))

    /** Chunks of a scan that neither the repository nor this backup holds: their ranges in the segment, and the run. */
    const fresh = (scan: Scan): { ranges: Uint32Array<ArrayBuffer>; run: ChunkRun } | undefined => {
      const held = index.chunks.has(scan.fingerprints, scan.count)
      const ranges: number[] = []
      const chunks: number[] = []
      for (let chunk = 0, offset = 0; chunk < scan.count; offset += scan.lengths[chunk++] as number) {
        if (scan.zero[chunk] || held[chunk]) continue
        const fingerprint = scan.fingerprints.subarray(chunk * FINGERPRINT_BYTES, (chunk + 1) * FINGERPRINT_BYTES)
        if (claimed.claim(fingerprint, 1)[0] === 0) continue
        ranges.push(offset, scan.lengths[chunk] as number)
        chunks.push(chunk)
      }
      if (chunks.length === 0) return undefined
      const run = { lengths: new Uint32Array(chunks.length), fingerprints: new Uint8Array(chunks.length * FINGERPRINT_BYTES) }
      for (const [at, chunk] of chunks.entries()) {
        run.lengths[at] = scan.lengths[chunk] as number
        run.fingerprints.set(scan.fingerprints.subarray(chunk * FINGERPRINT_BYTES, (chunk + 1) * FINGERPRINT_BYTES), at * FINGERPRINT_BYTES)
        newBytes += run.lengths[at] as number
      }
      return { ranges: Uint32Array.from(ranges), run }
    }

    const segments = Math.ceil(source.size / config.segmentBytes)
    const early = new Map<number, Scan>()
    let next = 0
    let mapped = 0
    const behind: (() => void)[] = []
    const moved = () => {
      for (const wake of behind.splice(0)) wake()
    }
    const deliver = (segment: number, scan: Scan) => {
      early.set(segment, scan)
      for (let ready = early.get(mapped); ready; ready = early.get(mapped)) {
        map.add(ready)
        early.delete(mapped++)
      }
      moved()
    }
    const nearEnough = async (segment: number) => {
      while (segment - mapped >= AHEAD_MAX && !signal.aborted) await new Promise<void>((resolve) => behind.push(resolve))
    }

    const runSegment = async (lane: Lane, slot: number, segment: number) => {
      const offset = segment * config.segmentBytes
      const length = Math.min(config.segmentBytes, source.size - offset)
      const input = await source.input(offset, length)
      const scan = await invoke(lane.port, scanSegment, { encoder: lane.encoder, slot, input }, 'bytes' in input ? [input.bytes.buffer as ArrayBuffer] : [])
      readBytes += length
      deliver(segment, scan)
      const chunks = fresh(scan)
      if (chunks) {
        await lane.packs.room()
        lane.packs.expect(chunks.run)
        lane.packs.add(await invoke(lane.port, takeChunks, { encoder: lane.encoder, slot, chunks: chunks.ranges }, [chunks.ranges.buffer]))
      }
      await nodes.settle()
      progress()
    }
    /** One slot of one lane: segments one after the other, until there are none or something failed. */
    const runSlot = async (lane: Lane, slot: number) => {
      while (next < segments && !signal.aborted) {
        const segment = next++
        await nearEnough(segment)
        if (signal.aborted) return
        await runSegment(lane, slot, segment)
      }
    }
    await Promise.all(lanes.flatMap((lane) => Array.from({ length: SLOTS }, (_, slot) => runSlot(lane, slot).catch(fail).finally(() => moved()))))
    stopIfFailed()

    const root = map.finish()
    await nodes.flush()
    for (const lane of lanes) lane.packs.add(await invoke(lane.port, flushFrame, { encoder: lane.encoder }))
    await Promise.all(lanes.map((lane) => lane.packs.finish()))
    stopIfFailed()
    await source.checkSize()
    await writeIndex()
    throwIfCancelled(options.signal)

    const manifest: Manifest = {
      version: 1,
      id: options.id,
      volume: options.volume ?? source.volumeName,
      createdAt: new Date(startedAt).toISOString(),
      volumeBytes: source.size,
      sourcePath: source.path,
      hostName: platform.hostName,
      tags: options.tags ?? {},
      readBytes,
      newBytes,
      storedBytes: storedBytes(),
      seconds: (platform.now() - startedAt) / 1000,
      root: rootRecord(root),
      indexes,
    }
    await writeManifest(storage, sealer, platform.random(16), manifest)
    progress.end()
    return backupInfo(manifest)
  } catch (error) {
    fail(error)
    // What is durable is named by an index even so: the next backup need not look for it. Failing to is no second failure.
    await Promise.all(lanes.map((lane) => lane.packs.finish().catch(() => {})))
    await writeIndex().catch(() => {})
    throwIfCancelled(options.signal)
    throw failure?.error ?? error
  } finally {
    await Promise.all(lanes.map((lane) => invoke(lane.port, closeEncoder, { encoder: lane.encoder }).catch(() => {})))
    claimed.free()
    await source.close()
  }

  function stopIfFailed(): void {
    throwIfCancelled(options.signal)
    if (failure) throw failure.error
  }
}
