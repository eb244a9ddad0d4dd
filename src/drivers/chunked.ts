/**
 * Cinder's chunked drivers: a backup is objects in a container, one for each stretch of the volume, and two JSON objects that describe
 * them (cinder/backup/chunkeddriver.py, `ChunkedBackupDriver`).
 *
 * Invariants:
 * - container and prefix are in the row before an object is stored: whatever happens then, the row tells where the objects are;
 * - what speaks against a restore is found before its first byte is written;
 * - `deleteBackup` removes this backup's objects by their exact names, and says so when it can not.
 */
import { type BackupPlace, type KnownBackup, loadChain } from '../cinder/chain.ts'
import { compressionOption, type CompressionName } from '../cinder/compression.ts'
import { pythonDateTime } from '../cinder/created-at.ts'
import { checkListing } from '../cinder/listing.ts'
import { measureLengths } from '../cinder/measure-lengths.ts'
import { MANIFEST_VERSION } from '../cinder/metadata.ts'
import { removeBackup } from '../cinder/remove-backup.ts'
import { restoreChain } from '../cinder/restore-chain.ts'
import { planRestore } from '../cinder/restore-plan.ts'
import { writeBackup } from '../cinder/write-backup.ts'
import { checkSizes } from '../cinder/write-checks.ts'
import type { JobOptions } from '../contract/backup.ts'
import type { BackupContext } from '../contract/backup-context.ts'
import { BackupDriver, type BackupDriverOptions, restoreCancelled } from '../contract/backup-driver.ts'
import { BlockvaultError, isBlockvaultError } from '../contract/errors.ts'
import type { ObjectStore } from '../contract/object-store.ts'
import { BACKUP_STATUSES, type BackupRecord, type BackupUpdates, type VolumeRecord } from '../contract/records.ts'
import type { VolumeFile } from '../contract/volume.ts'
import { eachVolumeMeta } from './chain-metadata.ts'
import { knownBackup, placeOf } from './places.ts'
import { restoringStore } from './restoring-store.ts'

/** Where a driver of Cinder's layout stores, and how. */
export interface ChunkedDriverOptions {
  /** Where the containers are. It stays the caller's to close. */
  store: ObjectStore
  /** Bytes of the volume in one object, a multiple of `blockBytes`. Each driver has Cinder's default. */
  objectBytes?: number | undefined
  /** Bytes that are hashed together, and the unit of an incremental. 32768 by default. */
  blockBytes?: number | undefined
  /** Cinder's `backup_compression_algorithm`: none, off, no, zlib, gzip, bz2, bzip2 or zstd, in any case. `zlib` by default. */
  compression?: string | undefined
  /** Of the compression: zlib 0 to 9, bz2 1 to 9, zstd -7 to 19. Cinder's by default: 6, 9, 3. */
  level?: number | undefined
  /** Container of backups that name none. Each driver has Cinder's default. */
  container?: string | undefined
  /** Make containers that are not there. True by default. Cinder's `backup_create_containers`. */
  createContainers?: boolean | undefined
}

/** Cinder's defaults of a driver, where its options name nothing else. */
export interface ChunkedDefaults {
  objectBytes: number
  /** `undefined`: the driver names a container for each backup. */
  container?: string | undefined
}

export const BLOCK_BYTES = 32_768
/** Statuses of a backup that goes on: nobody deletes it. */
const WANTED = BACKUP_STATUSES.filter((status) => status !== 'deleting' && status !== 'deleted')

/** Stores volumes as Cinder's chunked drivers do: objects of equal parts, their hashes and a manifest (cinder/backup/chunkeddriver.py). */
export abstract class ChunkedBackupDriver extends BackupDriver {
  /** Version of the manifests written; the only one that is read. */
  static readonly DRIVER_VERSION = MANIFEST_VERSION
  override readonly supportForceDelete: boolean = true
  readonly store: ObjectStore
  readonly objectBytes: number
  readonly blockBytes: number
  readonly compression: CompressionName
  /** Of the compression; `undefined` is Cinder's. */
  readonly level: number | undefined
  readonly container: string | undefined
  readonly createContainers: boolean
  /** @throws InvalidConfigurationValue for a compression that Cinder does not know */
  constructor(context: BackupContext, options: ChunkedDriverOptions, defaults: ChunkedDefaults) {
    super(context)
    this.store = options.store
    this.objectBytes = options.objectBytes ?? defaults.objectBytes
    this.blockBytes = options.blockBytes ?? BLOCK_BYTES
    this.compression = compressionOption(options.compression ?? 'zlib')
    this.level = options.level
    this.container = options.container ?? defaults.container
    this.createContainers = options.createContainers ?? true
  }

  /** The object name prefix of a new backup; saved as its `serviceMetadata`. Nobody parses it. Cinder's `_generate_object_name_prefix`. */
  abstract generateObjectNamePrefix(backup: BackupRecord): string

  /** The container of a new backup: the one it names, or the driver's. Cinder's `update_container_name`. */
  updateContainerName(backup: BackupRecord): string {
    const container = backup.container || this.container
    if (container) return container
    throw new BlockvaultError('InvalidConfigurationValue', 'The driver has no container: name one in its options or with the backup.')
  }

  /** JSON to keep in the manifest beside Cinder's own; `storeToRead` gets it back. Nothing by default. Cinder's `get_extra_metadata`. */
  async getExtraMetadata(_backup: BackupRecord, _volume: VolumeRecord): Promise<unknown> {
    return undefined
  }

  /** The store to read a backup's data objects from, by what `getExtraMetadata` kept. Cinder hands that to its `get_object_reader`. */
  storeToRead(_extraMetadata: unknown): ObjectStore {
    return this.store
  }

  /**
   * Saves the volume's metadata by default, as Cinder's do.
   * @throws InvalidBackup, InvalidVolume, BackupNotFound for a parent that is gone, BackupDriverException for a container that is not there
   * and may not be made, SOURCE_*, CANCELLED, or the store's own error
   */
  async backup(
    backup: BackupRecord,
    volumeFile: VolumeFile,
    { backupMetadata = true, signal, onProgress }: BackupDriverOptions = {},
  ): Promise<BackupUpdates | undefined> {
    const place = { container: this.updateContainerName(backup), prefix: this.generateObjectNamePrefix(backup) }
    checkSizes({ ...place, objectBytes: this.objectBytes, blockBytes: this.blockBytes })
    const parent = await this.#parentOf(backup)
    const volume = await this.db.volume(backup.volumeId)
    if (volume.size <= 0)
      throw new BlockvaultError('InvalidVolume', `Volume ${volume.id} has a size of ${volume.size} GiB: set its size first.`, { details: { id: volume.id } })
    const saved = { container: place.container, serviceMetadata: place.prefix }
    if (!(await this.db.updateBackup(backup.id, saved, { from: WANTED }))) return undefined
    await this.#prepareContainer(place.container, signal)

    const written = await writeBackup({
      ...place,
      store: this.store,
      ports: this.context.ports,
      source: volumeFile,
      description: {
        version: MANIFEST_VERSION,
        backupId: backup.id,
        volumeId: backup.volumeId,
        backupName: backup.displayName,
        backupDescription: backup.displayDescription,
        createdAt: pythonDateTime(backup.createdAt),
      },
      parent,
      objectBytes: this.objectBytes,
      blockBytes: this.blockBytes,
      compression: this.compression,
      level: this.level,
      ...(backupMetadata ? { volumeMeta: () => this.getMetadata(backup.volumeId) } : {}),
      extraMetadata: () => this.getExtraMetadata(backup, volume),
      goesOn: () => this.goesOn(backup, signal),
      now: () => this.context.now(),
      signal,
      onProgress,
    })
    return written && { ...saved, objectCount: written.objects.count }
  }

  /**
   * Writes each byte of the chain once, and then the volume metadata of its members, oldest first. A volume that is not new is written only
   * when all that is needed was read and found right; a new one is checked along the way, and is of no use when the restore fails.
   * @throws BackupNotFound for an ancestor without a row, InvalidBackup, OBJECT_MISSING, OBJECT_DAMAGED, BackupOperationError for volume
   * metadata of an unknown version, EncryptedBackupOperationFailed, BackupRestoreCancel, TARGET_*, or the store's own error
   */
  async restore(backup: BackupRecord, volumeId: string, volumeFile: VolumeFile, volumeIsNew: boolean, options: JobOptions = {}): Promise<void> {
    const { signal, onProgress } = options
    const { context, store } = this
    const check = () => this.checkRestoring(backup, volumeId, signal)
    try {
      await check()
      const chain = await loadChain(store, backup.id, { locate: (id) => (id === backup.id ? knownBackup(backup) : this.#locate(id)), signal })
      await checkListing(store, chain, { signal })
      const read = { store: restoringStore(store, chain, (extraMetadata) => this.storeToRead(extraMetadata)), ports: context.ports, signal, check }
      await measureLengths(chain, { ...read, volumeBytes: volumeFile.size })
      const plan = planRestore(chain)
      await eachVolumeMeta(chain, (json) => this.backupMetadataApi.check(volumeId, json))
      await restoreChain(plan, {
        ...read,
        target: volumeFile,
        startsZero: volumeIsNew,
        checkFirst: !volumeIsNew,
        now: () => context.now(),
        random: (length) => context.random(length),
        onProgress,
      })
      await eachVolumeMeta(chain, (json) => this.putMetadata(volumeId, json))
    } catch (error) {
      if (signal?.aborted && isBlockvaultError(error, 'CANCELLED')) throw restoreCancelled(backup.id, volumeId, 'its signal fired', signal.reason)
      throw error
    }
  }

  /**
   * Removes the manifest first: what an interrupted deletion leaves is no backup. May be repeated.
   * @throws the store's own error, also when it can not be listed: Cinder logs that, and the objects stay for ever
   */
  async deleteBackup(backup: BackupRecord): Promise<void> {
    // A record from before the backup began does not know its place yet.
    const row = placeOf(backup) ? backup : await this.db.backup(backup.id, { readDeleted: true }).catch(() => backup)
    const place = placeOf(row)
    if (place) await removeBackup(this.store, place)
  }

  /** Refuses a record whose container or prefix leads out of the store. @throws InvalidInput */
  override async importRecord(backup: BackupRecord, _driverInfo: Readonly<Record<string, unknown>>): Promise<void> {
    placeOf(backup)
  }

  override async checkForSetupError(): Promise<void> {
    const { objectBytes, blockBytes } = this
    try {
      checkSizes({ container: 'any', prefix: 'any', objectBytes, blockBytes })
    } catch (error) {
      if (!isBlockvaultError(error, 'InvalidBackup')) throw error
      throw new BlockvaultError('InvalidConfigurationValue', error.message, { details: error.details, cause: error })
    }
  }

  /** Cinder compares sizes in GiB; that the file itself has not grown is seen when the hashes are read. */
  async #parentOf(backup: BackupRecord): Promise<(BackupPlace & { id: string }) | undefined> {
    if (backup.parentId === null) return undefined
    const parent = await this.db.backup(backup.parentId)
    const refuse = (reason: string) =>
      new BlockvaultError('InvalidBackup', `${reason} Do a full backup.`, { details: { backupId: backup.id, parentId: parent.id } })
    if (backup.size > parent.size) throw refuse('Volume size increased since the last backup.')
    if (parent.volumeId !== backup.volumeId) throw refuse(`The parent is a backup of another volume, ${parent.volumeId}.`)
    return knownBackup(parent)
  }

  async #locate(id: string): Promise<KnownBackup | undefined> {
    try {
      return knownBackup(await this.db.backup(id))
    } catch (error) {
      if (isBlockvaultError(error, 'BackupNotFound')) return undefined
      throw error
    }
  }

  async #prepareContainer(container: string, signal: AbortSignal | undefined): Promise<void> {
    if (this.createContainers) return this.store.createContainer(container, { signal })
    if (await this.store.containerExists(container, { signal })) return
    throw new BlockvaultError(
      'BackupDriverException',
      `There is no container ${container} in ${this.store.description}: make it, or let the driver make containers.`,
      {
        details: { container },
      },
    )
  }
}
