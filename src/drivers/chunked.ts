/**
 * The base of the drivers that keep Cinder's layout: containers with data objects, `_sha256file` and `_metadata`
 * (cinder/backup/chunkeddriver.py, `ChunkedBackupDriver`).
 *
 * Invariants: container and prefix are in the row before the first object is stored; nothing is written to a volume before the chain,
 * the listing and every object's place were found right; what is deleted is exactly this backup's, never a neighbour's.
 */
import type { JobOptions } from '../contract/backup.ts'
import type { BackupContext } from '../contract/backup-context.ts'
import { BackupDriver, type BackupDriverOptions, restoreCancelled } from '../contract/backup-driver.ts'
import { BlockvaultError, isBlockvaultError } from '../contract/errors.ts'
import type { ObjectStore } from '../contract/object-store.ts'
import type { BackupRecord, BackupUpdates } from '../contract/records.ts'
import type { VolumeFile } from '../contract/volume.ts'
import { type BackupPlace, type ChainMember, type KnownBackup, loadChain } from '../cinder/chain.ts'
import { type CompressionName, compressionOption } from '../cinder/compression.ts'
import { pythonDateTime } from '../cinder/created-at.ts'
import { checkListing } from '../cinder/listing.ts'
import { measureLengths } from '../cinder/measure-lengths.ts'
import { MANIFEST_VERSION } from '../cinder/metadata.ts'
import { checkContainer, checkPrefix } from '../cinder/names.ts'
import { removeBackup } from '../cinder/remove-backup.ts'
import { restoreChain } from '../cinder/restore-chain.ts'
import { planRestore } from '../cinder/restore-plan.ts'
import { writeBackup } from '../cinder/write-backup.ts'

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

export abstract class ChunkedBackupDriver extends BackupDriver {
  /** Version of the manifests written; the only one that is read. */
  static readonly DRIVER_VERSION = MANIFEST_VERSION
  override readonly supportForceDelete: boolean = true
  readonly store: ObjectStore
  readonly objectBytes: number
  readonly blockBytes: number
  readonly compression: CompressionName
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

  /** The object name prefix of a new backup; saved as its `serviceMetadata`. Cinder's `_generate_object_name_prefix`. */
  abstract generateObjectNamePrefix(backup: BackupRecord): string

  /** The container of a new backup: the one it names, or the driver's. Cinder's `update_container_name`. */
  updateContainerName(backup: BackupRecord): string {
    const container = backup.container ?? this.container
    if (container) return container
    throw new BlockvaultError('InvalidConfigurationValue', 'The driver has no container: name one in its options or with the backup.')
  }

  /** JSON to keep in the manifest beside Cinder's own. Nothing by default. Cinder's `get_extra_metadata`. */
  async getExtraMetadata(_backup: BackupRecord): Promise<unknown> {
    return undefined
  }

  /** As Cinder's chunked drivers, saves the volume's metadata unless told otherwise. */
  override async backup(backup: BackupRecord, volumeFile: VolumeFile, options: BackupDriverOptions = {}): Promise<BackupUpdates | undefined> {
    const { backupMetadata = true, signal, onProgress } = options
    const volume = await this.db.volume(backup.volumeId)
    if (volume.size <= 0) throw new BlockvaultError('InvalidVolume', `Invalid volume: volume size ${volume.size} is invalid.`, { details: { id: volume.id } })
    const parent = backup.parentId === null ? undefined : await this.#parentOf(backup, backup.parentId)
    const container = checkContainer(this.updateContainerName(backup))
    const prefix = checkPrefix(this.generateObjectNamePrefix(backup))
    await this.db.updateBackup(backup.id, { container, serviceMetadata: prefix })
    await this.#openContainer(container, signal)

    const written = await writeBackup({
      store: this.store,
      ports: this.context.ports,
      container,
      prefix,
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
      volumeMeta: async () => (backupMetadata ? this.getMetadata(backup.volumeId) : null),
      extraMetadata: () => this.getExtraMetadata(backup),
      goesOn: () => this.goesOn(backup, signal),
      now: () => this.context.now(),
      signal,
      onProgress,
    })
    return written && { objectCount: written.objects.count }
  }

  override async restore(backup: BackupRecord, volumeId: string, volumeFile: VolumeFile, volumeIsNew: boolean, options: JobOptions = {}): Promise<void> {
    const { signal, onProgress } = options
    const check = () => this.checkRestoring(backup, volumeId, signal)
    const { store, context } = this
    try {
      await check()
      const chain = await loadChain(store, backup.id, { locate: (id) => this.#locate(id), signal })
      await checkListing(store, chain, { signal })
      await measureLengths(chain, { store, ports: context.ports, signal, volumeBytes: volumeFile.size, check })
      const plan = planRestore(chain)
      await this.#eachMetadata(chain, (json) => this.backupMetadataApi.check(volumeId, json))
      await restoreChain(plan, {
        store,
        ports: context.ports,
        target: volumeFile,
        startsZero: volumeIsNew,
        // A new volume that could not be filled is thrown away; reading everything twice would protect nothing.
        checkFirst: !volumeIsNew,
        check,
        signal,
        onProgress,
        now: () => context.now(),
        random: (length) => context.random(length),
      })
      await this.#eachMetadata(chain, (json) => this.putMetadata(volumeId, json))
    } catch (error) {
      if (isBlockvaultError(error, 'CANCELLED')) throw restoreCancelled(backup.id, volumeId, 'its signal fired', error)
      throw error
    }
  }

  /** Unlike Cinder's, rejects when the objects can not be listed: they would stay for ever. Containers stay, as they do there. */
  override async deleteBackup(backup: BackupRecord): Promise<void> {
    const { container, serviceMetadata: prefix } = backup
    if (container && prefix) await removeBackup(this.store, { container, prefix })
  }

  /** Oldest first, so that the newest backup's values stay. A container that no version here restores is Cinder's `BackupOperationError`. */
  async #eachMetadata(chain: readonly ChainMember[], put: (json: string) => Promise<void>): Promise<void> {
    for (const { manifest } of chain) {
      if (!manifest.volumeMeta) continue
      await put(manifest.volumeMeta).catch((error: unknown) => {
        if (!isBlockvaultError(error, 'BackupMetadataUnsupportedVersion')) throw error
        throw new BlockvaultError('BackupOperationError', `Metadata restore failed due to incompatible version: ${error.message}`, { cause: error })
      })
    }
  }

  async #parentOf(backup: BackupRecord, id: string): Promise<BackupPlace & { id: string }> {
    const parent = await this.db.backup(id)
    if (backup.size > parent.size) {
      throw new BlockvaultError('InvalidBackup', 'Invalid backup: Volume size increased since the last backup. Do a full backup.', {
        details: { parentId: id, size: backup.size, parentSize: parent.size },
      })
    }
    return placeOf(parent)
  }

  async #locate(id: string): Promise<KnownBackup | undefined> {
    const row = await this.db.backup(id).catch((error: unknown) => {
      if (isBlockvaultError(error, 'BackupNotFound')) return undefined
      throw error
    })
    return row && { ...placeOf(row), parentId: row.parentId }
  }

  async #openContainer(container: string, signal: AbortSignal | undefined): Promise<void> {
    if (this.createContainers) return this.store.createContainer(container, { signal })
    if (await this.store.containerExists(container, { signal })) return
    throw new BlockvaultError('BackupDriverException', `There is no container ${container} in ${this.store.description}, and the driver may not make one.`, {
      details: { container },
    })
  }
}

function placeOf({ id, container, serviceMetadata: prefix }: BackupRecord): BackupPlace & { id: string } {
  if (container && prefix) return { id, container, prefix }
  throw new BlockvaultError('InvalidBackup', `Invalid backup: the row of ${id} does not say where its objects are. Import its record again.`, {
    details: { id },
  })
}
