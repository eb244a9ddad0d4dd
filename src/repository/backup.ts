/**
 * One backup. A byte's way: volume → worker's WASM memory (scan) → only fingerprints here → chunks nobody holds are gathered
 * and sealed by the same worker → pack → index → manifest.
 *
 * Order of durability: every pack, then the index that names them, then the manifest. A crash between any two leaves packs and
 * indexes that the next backup uses, never a backup that is not whole.
 */
import type { BackupInfo, BackupOptions } from '../contract/backup.ts'
import { throwIfCancelled } from '../contract/errors.ts'
import type { VolumeFile } from '../contract/volume.ts'
import { type ChunkClaims, createChunkClaims } from './chunk-claims.ts'
import type { RepositoryContext } from './context.ts'
import { createIndexWriter, type IndexWriter } from './index-writer.ts'
import { findLastBackup, type LastBackup } from './last-backup.ts'
import { type Lanes, openLanes } from './lanes.ts'
import { backupInfo, type Manifest, rootRecord, writeManifest } from './manifest.ts'
import { createNodeStore } from './node-store.ts'
import { progressReporter } from '../pipeline/progress.ts'
import { type BackupSource, openSource } from './source.ts'
import { createMapBuilder, type MapRoot } from './volume-map.ts'

/**
 * Decoding a frame again costs two fifths of encoding it. One in eight finds what is wrong with a machine or a build within the first
 * pack; a single flipped bit it finds one time in eight, as does every copy in memory that comes before and after it.
 */
const CHECK_EVERY = 8

export async function runBackup(context: RepositoryContext, from: string | VolumeFile, options: BackupOptions & { id: string }): Promise<BackupInfo> {
  const { platform, index, storage, sealer } = context
  const startedAt = platform.now()
  throwIfCancelled(options.signal)
  const source = await openSource(context, from)
  const stop = createStop(options.signal)
  const claims = createChunkClaims(platform.core, index)
  let lanes: Lanes | undefined
  let indexes: IndexWriter | undefined
  try {
    await index.refresh(options.signal)
    indexes = createIndexWriter(index)
    lanes = await openLanes({
      context,
      encoder: encoderOptions(context, options.checkEveryFrame ?? false),
      onStored: indexes.add,
      onFailure: stop.fail,
      signal: stop.signal,
    })

    let readBytes = 0
    const state = { lanes, claims }
    const progress = progressReporter(
      options.onProgress,
      () => ({ phase: 'backup', doneBytes: readBytes, totalBytes: source.size, newBytes: state.claims.newBytes, storedBytes: state.lanes.storedBytes }),
      platform.now,
    )
    const volume = options.volume ?? source.volumeName
    const before = await findLastBackup(context, volume, options.signal)
    const root = await storeVolume(context, source, { lanes, claims, before, stop }, (bytes) => {
      readBytes += bytes
      progress()
    })
    await lanes.finish() // packs
    stop.check()
    await source.checkSize()
    await indexes.flush() // index
    stop.check()
    const manifest: Manifest = {
      version: 1,
      id: options.id,
      volume,
      createdAt: new Date(startedAt).toISOString(),
      volumeBytes: source.size,
      sourcePath: source.path,
      hostName: platform.hostName,
      tags: options.tags ?? {},
      readBytes,
      newBytes: claims.newBytes,
      storedBytes: lanes.storedBytes,
      seconds: (platform.now() - startedAt) / 1000,
      root: rootRecord(root),
      indexes: [...indexes.names],
    }
    await writeManifest(storage, sealer, platform.random(16), manifest) // commit
    progress.end()
    return backupInfo(manifest)
  } catch (error) {
    stop.fail(error)
    // What is durable gets its index even so, and the next backup uses it. Failing to do so is no second failure.
    await lanes?.abandon()
    await indexes?.flush().catch(() => {})
    stop.check()
    throw error
  } finally {
    await lanes?.close()
    claims.free()
    await source.close()
  }
}

/** Scans the volume and stores its chunks and map; the packs may still be on their way. Returns the map's root. */
async function storeVolume(
  { platform, config, sealer }: RepositoryContext,
  source: BackupSource,
  { lanes, claims, before, stop }: { lanes: Lanes; claims: ChunkClaims; before: LastBackup | undefined; stop: Stop },
  onSegment: (bytes: number) => void,
): Promise<MapRoot> {
  const nodes = createNodeStore(platform.core, sealer.keyring.fingerprintKey, config.frameBytes, claims.claimOne, lanes.encode)
  const map = createMapBuilder(nodes.add)
  const onScan = (scan: Parameters<typeof map.add>[0]) => {
    map.add(scan)
    return nodes.settle()
  }
  await lanes.run(source, claims, before, onScan, onSegment)
  stop.check()
  const root = map.finish()
  await nodes.flush()
  return root
}

function encoderOptions({ platform: { core }, config, sealer, encrypted }: RepositoryContext, checkEveryFrame: boolean) {
  return {
    chunker: config.chunker,
    fingerprintKey: sealer.keyring.fingerprintKey,
    encrypted,
    segmentBytes: config.segmentBytes,
    frameBytes: config.frameBytes,
    codec: core.writes.includes('zstd') ? ('zstd' as const) : ('deflate' as const),
    level: 1,
    checkEvery: checkEveryFrame ? 1 : CHECK_EVERY,
  }
}

interface Stop {
  /** Fires when the caller cancels or anything fails. */
  readonly signal: AbortSignal
  /** Keeps the first failure and stops everything else. */
  fail(error: unknown): void
  /** Throws the caller's cancellation or the first failure, if there is one. */
  check(): void
}

function createStop(cancel: AbortSignal | undefined): Stop {
  const controller = new AbortController()
  let failure: { error: unknown } | undefined
  return {
    signal: cancel ? AbortSignal.any([cancel, controller.signal]) : controller.signal,
    fail(error) {
      failure ??= { error }
      controller.abort(error)
    },
    check() {
      throwIfCancelled(cancel)
      if (failure) throw failure.error
    },
  }
}
