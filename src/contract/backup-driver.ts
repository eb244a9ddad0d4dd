/**
 * The contract of a backup driver: Cinder's `cinder.backup.driver.BackupDriver`, name by name.
 *
 * Invariants a driver keeps, and the service relies on:
 * - it changes no status: it returns updates, throws, or (a backup that is being deleted) cleans up and returns nothing;
 * - what it must know to find a backup again is in the row (`container`, `serviceMetadata`) before the first object is stored, so that
 *   `deleteBackup` finds what a crash left behind;
 * - `deleteBackup` may be repeated, and of a backup that was never stored is no error.
 */
import type { JobOptions } from './backup.ts'
import type { BackupContext } from './backup-context.ts'
import { BackupMetadataAPI } from './backup-metadata-api.ts'
import { Base } from './base.ts'
import { BlockvaultError, throwIfCancelled } from './errors.ts'
import type { BackupRecord, BackupUpdates } from './records.ts'
import type { VolumeFile } from './volume.ts'

/** What `backup` of a driver takes. */
export interface BackupDriverOptions extends JobOptions {
  /** Save the volume's metadata with its data. False by default; the chunked drivers' default is true, as in Cinder. */
  backupMetadata?: boolean | undefined
}

/**
 * A store of backups. Three methods have to be written; `test/service/example-driver.ts` is a whole one.
 * Source: cinder/backup/driver.py, class `BackupDriver`; the method names are its own in camel case.
 */
export abstract class BackupDriver extends Base {
  /** Reads and restores the metadata of volumes. Cinder's `backup_meta_api`. */
  readonly backupMetadataApi: BackupMetadataAPI
  /** True when `deleteBackup` is safe in any status, a running backup's too. Cinder's `support_force_delete`, false by default. */
  readonly supportForceDelete: boolean = false

  constructor(context: BackupContext) {
    super(context)
    this.backupMetadataApi = new BackupMetadataAPI(context)
  }

  /** The metadata container of a volume as JSON. @throws VolumeNotFound */
  getMetadata(volumeId: string): Promise<string> {
    return this.backupMetadataApi.get(volumeId)
  }

  /**
   * Restores what a metadata container holds to a volume.
   * @throws InvalidInput, BackupMetadataUnsupportedVersion, EncryptedBackupOperationFailed, VolumeNotFound
   */
  putMetadata(volumeId: string, jsonMetadata: string): Promise<void> {
    return this.backupMetadataApi.put(volumeId, jsonMetadata)
  }

  /**
   * Stores the volume. `backup` is the row in status `creating`; every method of `volumeFile` runs in a worker. Returns what shall be
   * changed in the row, or `undefined`. When the row turns to `deleting` meanwhile, removes what it stored and returns `undefined`
   * (see `goesOn`).
   * @throws InvalidBackup, InvalidVolume, BackupDriverException, CANCELLED when `signal` fires, or the store's own error
   */
  abstract backup(backup: BackupRecord, volumeFile: VolumeFile, options?: BackupDriverOptions): Promise<BackupUpdates | undefined>

  /**
   * Writes the backup to `volumeFile`, the volume `volumeId`. With `volumeIsNew` the volume reads as zeros, and ranges of zeros need
   * not be written.
   * @throws BackupRestoreCancel when the row's status is no longer `restoring`, or `signal` fires (see `checkRestoring`); InvalidBackup
   */
  abstract restore(backup: BackupRecord, volumeId: string, volumeFile: VolumeFile, volumeIsNew: boolean, options?: JobOptions): Promise<void>

  /** Removes everything that was stored for this backup, and nothing else. */
  abstract deleteBackup(backup: BackupRecord): Promise<void>

  /** What the driver needs to import the backup's record elsewhere, beside the row. Nothing by default. */
  async exportRecord(_backup: BackupRecord): Promise<Readonly<Record<string, unknown>>> {
    return {}
  }

  /** Takes back what `exportRecord` gave. It comes from outside: validate it. Nothing by default. */
  async importRecord(_backup: BackupRecord, _driverInfo: Readonly<Record<string, unknown>>): Promise<void> {}

  /** Rejects when the driver can not work as it is configured. @throws InvalidConfigurationValue, or the store's own error */
  async checkForSetupError(): Promise<void> {}

  /**
   * For `backup`, before each object or every few MiB: false when the row turned to `deleting` or `deleted`; the driver then removes
   * what it stored and returns. One read of the database. @throws CANCELLED when `signal` has fired
   */
  protected async goesOn(backup: BackupRecord, signal?: AbortSignal): Promise<boolean> {
    throwIfCancelled(signal)
    const { status } = await this.db.backup(backup.id, { readDeleted: true })
    return status !== 'deleting' && status !== 'deleted'
  }

  /** For `restore`, before each object or every few MiB. One read of the database. @throws BackupRestoreCancel */
  protected async checkRestoring(backup: BackupRecord, volumeId: string, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) throw restoreCancelled(backup.id, volumeId, 'its signal fired', signal.reason)
    const { status } = await this.db.backup(backup.id, { readDeleted: true })
    if (status !== 'restoring') throw restoreCancelled(backup.id, volumeId, `the backup's status is ${status}`)
  }
}

/** Cinder's `BackupRestoreCancel`. */
export function restoreCancelled(backupId: string, volumeId: string, why: string, cause?: unknown): BlockvaultError {
  return new BlockvaultError('BackupRestoreCancel', `Canceled backup ${backupId} restore on volume ${volumeId}: ${why}. Restore the volume again.`, {
    details: { backupId, volumeId },
    cause,
  })
}
