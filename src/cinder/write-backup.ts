/**
 * Writes one backup in Cinder's layout (cinder/backup/chunkeddriver.py, `backup`).
 *
 * Invariants:
 * - the data objects are durable before `_sha256file` is, and that before `_metadata`, which makes the backup one;
 * - whatever speaks against the backup is found before the first object is written, and when it fails or stops later, every object that
 *   it wrote is removed, by its name, and no other;
 * - memory is bounded by parts under way, whatever the length of the objects and the volume.
 */
import type { JobOptions } from '../contract/backup.ts'
import { BlockvaultError, throwIfCancelled } from '../contract/errors.ts'
import type { ObjectStore } from '../contract/object-store.ts'
import type { Port } from '../contract/port.ts'
import type { VolumeFile } from '../contract/volume.ts'
import type { BackupPlace } from './chain.ts'
import { codecOf, COMPRESSION_LEVELS, type CompressionName } from './compression.ts'
import { openHashStream } from './hash-stream.ts'
import type { BackupDescription } from './metadata.ts'
import type { ObjectList } from './object-list.ts'
import { createWorkerSeats } from './worker-seats.ts'
import { checkParent, checkSizes, checkUnused } from './write-checks.ts'
import { removeObjects, writeHashes, writeManifest } from './write-json.ts'
import { writeObjects } from './write-objects.ts'
import { createWriteProgress } from './write-progress.ts'
import { backupSource } from './write-source.ts'
import { createSpareBuffers } from '../pipeline/spare-buffers.ts'

export interface WriteBackupOptions extends JobOptions, BackupPlace {
  store: ObjectStore
  ports: readonly Port[]
  source: VolumeFile
  /** What both JSON objects say of the backup. */
  description: BackupDescription
  /** The backup to compare with, where this is an incremental. */
  parent?: (BackupPlace & { id: string; store?: ObjectStore | undefined }) | undefined
  /** Bytes of the volume that one object has at most: Cinder's `backup_file_size`, or an object store's `…_object_size`. */
  objectBytes: number
  /** Cinder's `backup_sha_block_size_bytes`. `objectBytes` is a multiple. */
  blockBytes: number
  compression: CompressionName
  /** The codec's; Cinder's by default. */
  level?: number | undefined
  /** The volume metadata container as JSON, or `null`. Asked for when all data is stored, as Cinder does. None by default. */
  volumeMeta?: (() => Promise<string | null>) | undefined
  /** JSON that goes into the manifest as `extra_metadata`; `undefined` leaves it out. None by default. */
  extraMetadata?: (() => Promise<unknown>) | undefined
  /** Asked before each read unit, every few seconds, and before the backup becomes one: false stops it. Always true by default. */
  goesOn?: (() => Promise<boolean>) | undefined
  /** Milliseconds since 1970. */
  now(): number
}

export interface WrittenBackup {
  objects: ObjectList
  /** Bytes that reached the store, without the JSON. */
  storedBytes: number
  /** Plain bytes of all objects: the volume's length, or what an incremental found changed. */
  newBytes: number
}

/** Thrown through the engine when `goesOn` says no, and caught at its edge. */
const STOPPED = Symbol('stopped')

/**
 * `undefined` when `goesOn` stopped it. The container exists.
 * @throws InvalidBackup, InvalidConfigurationValue, SOURCE_*, CANCELLED, or the store's own error
 */
export async function writeBackup(options: WriteBackupOptions): Promise<WrittenBackup | undefined> {
  const { store, container, prefix, ports, signal: cancel, description } = options
  throwIfCancelled(cancel)
  checkSizes(options)
  const source = backupSource(options.source, ports)
  if (options.parent) await checkParent(options, source.size)
  await checkUnused(store, { container, prefix }, cancel)

  const failing = new AbortController()
  const signal = cancel ? AbortSignal.any([cancel, failing.signal]) : failing.signal
  const progress = createWriteProgress(options, source.size)
  const { parent } = options
  const parentHashes = parent && openHashStream(parent.store ?? store, parent, signal)
  const hashes = await writeHashes({ ...options, signal })
  const codec = codecOf(options.compression)
  const level = options.level ?? (codec === undefined ? 0 : COMPRESSION_LEVELS[codec])
  let started = 0
  const check = async () => {
    throwIfCancelled(signal)
    if ((await options.goesOn?.()) === false) throw STOPPED
  }
  try {
    const objects = await writeObjects({
      ...options,
      signal,
      source,
      seats: createWorkerSeats(ports),
      spares: createSpareBuffers(ports.length * 4),
      compression: { name: options.compression, codec, level },
      parentHashes,
      onHashes: hashes.add,
      onStart: () => void started++,
      onFailure: (error) => failing.abort(error),
      ...progress.listeners,
      check,
    })
    await check()
    const volumeMeta = (await options.volumeMeta?.()) ?? null
    const extraMetadata = await options.extraMetadata?.()
    await hashes.finish()
    await writeManifest(
      { ...options, signal },
      { ...description, parentId: parent?.id ?? null, volumeMeta, objects, ...(extraMetadata ? { extraMetadata } : {}) },
    )
    return { objects, ...progress.end() }
  } catch (error) {
    failing.abort(error)
    await hashes.discard()
    // What failed first: the others were stopped by it, and say that they were cancelled.
    const cause = cancel?.aborted ? cancelledBy(cancel) : failing.signal.reason
    await removeObjects(store, { container, prefix }, started, cause === STOPPED ? undefined : cause)
    if (cause === STOPPED) return undefined
    throw cause
  } finally {
    await parentHashes?.close()
  }
}

function cancelledBy(signal: AbortSignal): BlockvaultError {
  return new BlockvaultError('CANCELLED', 'The backup was cancelled. What it had stored was removed.', { cause: signal.reason })
}
