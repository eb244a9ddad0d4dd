/**
 * Backups in a blockvault repository: deduplicated, compressed, encrypted. Each is whole in itself; an incremental costs what changed.
 *
 * Invariants:
 * - a backup's id is its id in the repository, its container the repository's id. Both are in the row before anything is stored, and a
 *   row that names another repository or another backup is refused: nobody else's backup is restored or removed;
 * - a volume that is not new is written only when every byte of the backup was read and found right.
 */
import * as z from 'zod'
import { pythonDateTime } from '../cinder/created-at.ts'
import { isBackupId, originOf, originTags } from '../cinder/origin.ts'
import type { BackupInfo, JobOptions, Repository } from '../contract/backup.ts'
import type { BackupContext } from '../contract/backup-context.ts'
import { BackupDriver, type BackupDriverOptions, restoreCancelled } from '../contract/backup-driver.ts'
import { BlockvaultError, isBlockvaultError, throwIfCancelled } from '../contract/errors.ts'
import { BACKUP_STATUSES, type BackupRecord, type BackupUpdates } from '../contract/records.ts'
import type { VolumeFile } from '../contract/volume.ts'
import { copyVolume } from './copy-volume.ts'
import { watched } from './watched.ts'

/** Which repository the driver stores in. */
export interface RepositoryDriverOptions {
  /** It stays the caller's to close. */
  repository: Repository
  /**
   * Read the whole backup before the first byte of a volume that is not new is written. True by default: it costs a second reading, and
   * a damaged repository costs no volume then.
   */
  checkFirst?: boolean | undefined
}

/** No backup has it. */
const NO_BACKUP = '00000000-0000-0000-0000-000000000000'
/** Statuses of a backup that goes on: nobody deletes it. */
const WANTED = BACKUP_STATUSES.filter((status) => status !== 'deleting' && status !== 'deleted')

const driverInfoSchema = z.object({ repository_id: z.string(), digest: z.string() })

/** Stores volumes in a blockvault repository, deduplicated with all that is there: the way from Cinder's contract to our format. */
export class RepositoryBackupDriver extends BackupDriver {
  override readonly supportForceDelete: boolean = true
  readonly repository: Repository
  readonly checkFirst: boolean

  constructor(context: BackupContext, { repository, checkFirst = true }: RepositoryDriverOptions) {
    super(context)
    this.repository = repository
    this.checkFirst = checkFirst
  }

  /**
   * Saves the volume's metadata by default, as Cinder's drivers do; up to 128,000 characters of it. A parent is not needed: chunks that
   * any backup of the repository has are not stored again.
   * @throws InvalidBackup for an id that the repository can not keep or has already, SOURCE_*, STORAGE_*, CANCELLED
   */
  async backup(
    backup: BackupRecord,
    volumeFile: VolumeFile,
    { backupMetadata = true, signal, onProgress }: BackupDriverOptions = {},
  ): Promise<BackupUpdates | undefined> {
    throwIfCancelled(signal)
    // Before the row says that it is ours: it would be removed with a row that failed.
    await this.#refuseTaken(backup)
    const { tags, keepsVolumeMeta } = originTags({
      volumeId: backup.volumeId,
      parentId: backup.parentId,
      backupName: backup.displayName,
      backupDescription: backup.displayDescription,
      createdAt: pythonDateTime(backup.createdAt),
      volumeMeta: backupMetadata ? await this.getMetadata(backup.volumeId) : null,
    })
    if (!keepsVolumeMeta)
      throw invalid(backup, `The metadata of volume ${backup.volumeId} is too long to be kept: shorten it, or back up without it (backupMetadata).`)
    const place = { container: this.repository.id, serviceMetadata: backup.id }
    if (!(await this.db.updateBackup(backup.id, place, { from: WANTED }))) return undefined

    const look = async () => {
      if (!(await this.goesOn(backup, signal))) throw new Deleted()
    }
    try {
      await watched(look, { signal, onProgress, now: this.context.now }, (job) =>
        this.repository.backup(volumeFile, { id: backup.id, volume: backup.volumeId, tags, ...job }),
      )
      return place
    } catch (error) {
      // Somebody else's of the same id, made meanwhile.
      if (isBlockvaultError(error, 'OBJECT_EXISTS')) throw error
      if (error instanceof Deleted) return void (await this.#remove(backup.id))
      // Made, but not wanted after all. The backup has failed already: that it can not be removed is not what to tell.
      await this.#remove(backup.id).catch(() => {})
      throw error
    }
  }

  /**
   * Writes the volume, then its metadata. Zeros are not written to a volume that is new, and punched into another.
   * @throws InvalidBackup when the row names no backup of this repository or the volume is too small, OBJECT_DAMAGED, OBJECT_MISSING,
   * BackupOperationError for volume metadata of an unknown version, EncryptedBackupOperationFailed, BackupRestoreCancel, TARGET_*
   */
  async restore(backup: BackupRecord, volumeId: string, volumeFile: VolumeFile, volumeIsNew: boolean, options: JobOptions = {}): Promise<void> {
    const { signal, onProgress } = options
    const look = () => this.checkRestoring(backup, volumeId, signal)
    try {
      await watched(look, { signal, onProgress, now: this.context.now }, async (job) => {
        const info = await this.#find(backup)
        if (info.volumeBytes > volumeFile.size)
          throw invalid(backup, `The backup has ${info.volumeBytes} bytes and the volume ${volumeFile.size}: restore it to a larger volume.`)
        const { volumeMeta } = await originOf(info, this.repository.id)
        if (volumeMeta !== null) await this.#metadata(backup, () => this.backupMetadataApi.check(volumeId, volumeMeta))
        const source = await this.repository.openBackup(info.id, { signal: job.signal })
        try {
          await copyVolume(source, volumeFile, { ...job, checkFirst: this.checkFirst && !volumeIsNew, startsZero: volumeIsNew, now: this.context.now })
        } finally {
          await source.close()
        }
        await look()
        if (volumeMeta !== null) await this.#metadata(backup, () => this.putMetadata(volumeId, volumeMeta))
      })
    } catch (error) {
      if (signal?.aborted && isBlockvaultError(error, 'CANCELLED')) throw restoreCancelled(backup.id, volumeId, 'its signal fired', signal.reason)
      throw error
    }
  }

  /** Removes the backup from the repository. Chunks that no other backup has stay stored until the repository is pruned. */
  async deleteBackup(backup: BackupRecord): Promise<void> {
    // A record from before the backup began does not know its place yet.
    const row = backup.serviceMetadata === null ? await this.#row(backup) : backup
    if (row.serviceMetadata !== null) await this.#remove(this.#reference(row))
  }

  /** @throws InvalidBackup when the repository no longer has the backup */
  override async exportRecord(backup: BackupRecord): Promise<Readonly<Record<string, unknown>>> {
    const { digest } = await this.#find(backup)
    return { repository_id: this.repository.id, digest }
  }

  /** Takes only records of backups that this repository has, with the content that they had. @throws InvalidBackup */
  override async importRecord(backup: BackupRecord, driverInfo: Readonly<Record<string, unknown>>): Promise<void> {
    const parsed = driverInfoSchema.safeParse(driverInfo)
    if (!parsed.success) throw invalid(backup, 'The record does not say which repository has the backup: export it again with this driver.', parsed.error)
    const { digest } = await this.#find({ ...backup, container: parsed.data.repository_id })
    this.#reference(backup)
    if (digest !== parsed.data.digest) throw invalid(backup, `The repository's backup ${backup.id} is another than the record's: it has other content.`)
  }

  /** @throws CLOSED, STORAGE_* */
  override async checkForSetupError(): Promise<void> {
    await this.repository.show(NO_BACKUP).catch((error: unknown) => {
      if (!isBlockvaultError(error, 'BACKUP_NOT_FOUND')) throw error
    })
  }

  async #row(backup: BackupRecord): Promise<BackupRecord> {
    try {
      return await this.db.backup(backup.id, { readDeleted: true })
    } catch (error) {
      if (isBlockvaultError(error, 'BackupNotFound')) return backup
      throw error
    }
  }

  async #refuseTaken(backup: BackupRecord): Promise<void> {
    if (!isBackupId(backup.id)) throw invalid(backup, 'Its id is none that a repository can keep: a UUID in small letters is.')
    const taken = await this.#show(backup.id)
    if (taken) throw invalid(backup, `${this.repository.location} has a backup of this id already. Delete that one first, or choose another id.`)
  }

  /** The id of the row's backup in this repository. Rows come from imported records too. */
  #reference({ id, container, serviceMetadata }: BackupRecord): string {
    if (serviceMetadata === id && isBackupId(id) && container === this.repository.id) return id
    throw invalid({ id }, `Its row names backup ${serviceMetadata} of repository ${container}, and this is repository ${this.repository.id}.`)
  }

  async #find(backup: BackupRecord): Promise<BackupInfo> {
    const info = await this.#show(this.#reference(backup))
    if (!info) throw invalid(backup, `${this.repository.location} no longer has it. Delete it here too.`)
    return info
  }

  async #show(id: string): Promise<BackupInfo | undefined> {
    try {
      return await this.repository.show(id)
    } catch (error) {
      if (isBlockvaultError(error, 'BACKUP_NOT_FOUND')) return undefined
      throw error
    }
  }

  async #remove(id: string): Promise<void> {
    try {
      await this.repository.delete([id])
    } catch (error) {
      if (!isBlockvaultError(error, 'BACKUP_NOT_FOUND')) throw error
    }
  }

  async #metadata(backup: BackupRecord, work: () => Promise<void>): Promise<void> {
    await work().catch((error: unknown) => {
      if (!isBlockvaultError(error, 'BackupMetadataUnsupportedVersion')) throw error
      throw new BlockvaultError('BackupOperationError', `The volume metadata of backup ${backup.id} can not be restored: ${error.message}`, {
        details: { ...error.details, backupId: backup.id },
        cause: error,
      })
    })
  }
}

/** Ends a backup whose row is being deleted. */
class Deleted extends Error {}

function invalid({ id }: Pick<BackupRecord, 'id'>, reason: string, cause?: unknown): BlockvaultError {
  return new BlockvaultError('InvalidBackup', `Invalid backup ${id}: ${reason}`, { details: { backupId: id }, cause })
}
