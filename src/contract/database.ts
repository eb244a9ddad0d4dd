/**
 * The database behind `Base`: what Cinder's drivers and backup manager ask of theirs (cinder/db/api.py).
 *
 * Invariants every implementation keeps (held by `test/suites/database.ts`): a method is one transaction; records that go in or come
 * out are the caller's own copies; deleting a backup keeps its row as `deleted`, which only `readDeleted` shows; a `from` guard makes
 * a status change happen in exactly one of two callers. Times come out with milliseconds or microseconds, ending in Z. Unknown fields and
 * values of a wrong type are refused with InvalidInput; everything else comes out as it went in. After `close`: CLOSED. What the database's
 * own failures are: DATABASE_FAILED.
 */
import type { BackupRecord, BackupStatus, BackupUpdates, SnapshotRecord, VolumeRecord, VolumeTypeRecord, VolumeUpdates } from './records.ts'

/** Where the rows of volumes and backups are. The head of this file says what every implementation keeps to. */
export interface Database extends AsyncDisposable {
  /** Adds a row. @throws InvalidVolume when the id exists. */
  createVolume(volume: VolumeRecord): Promise<void>
  /** A volume's row. @throws VolumeNotFound */
  volume(id: string): Promise<VolumeRecord>
  /**
   * Sets `updatedAt` to the database's clock when `updates` does not have it. With `from`, returns false and changes nothing when the
   * status is none of these. @throws VolumeNotFound
   */
  updateVolume(id: string, updates: VolumeUpdates, guard?: { from?: readonly string[] | undefined }): Promise<boolean>
  /** Removes the row, and its metadata with it. @throws VolumeNotFound */
  deleteVolume(id: string): Promise<void>

  /** User metadata of a volume, in the order it was written. @throws VolumeNotFound */
  volumeMetadata(volumeId: string): Promise<Record<string, string>>
  /** With `replace` (true by default) other keys are removed. @throws VolumeNotFound */
  updateVolumeMetadata(volumeId: string, metadata: Readonly<Record<string, string>>, options?: { replace?: boolean | undefined }): Promise<void>
  /** Metadata of the image a volume was made from; `undefined` when it was made from none. @throws VolumeNotFound */
  volumeGlanceMetadata(volumeId: string): Promise<Record<string, string> | undefined>
  /** Replaces all entries; an empty map removes them. @throws VolumeNotFound */
  replaceVolumeGlanceMetadata(volumeId: string, metadata: Readonly<Record<string, string>>): Promise<void>

  /** Adds a row. @throws InvalidInput when the id exists. */
  createVolumeType(type: VolumeTypeRecord): Promise<void>
  /** A volume type's row. @throws VolumeTypeNotFound */
  volumeType(id: string): Promise<VolumeTypeRecord>

  /** Adds a row. @throws InvalidSnapshot when the id exists. */
  createSnapshot(snapshot: SnapshotRecord): Promise<void>
  /** A snapshot's row. @throws InvalidSnapshot when there is none. */
  snapshot(id: string): Promise<SnapshotRecord>
  /** Guards as `updateVolume`. @throws InvalidSnapshot when there is none. */
  updateSnapshot(id: string, updates: Partial<Omit<SnapshotRecord, 'id'>>, guard?: { from?: readonly string[] | undefined }): Promise<boolean>

  /** Adds a row; a deleted one of this id becomes this one. @throws InvalidBackup when a backup of this id exists that is not deleted */
  createBackup(backup: BackupRecord): Promise<void>
  /** A backup's row; a deleted one only with `readDeleted` (false by default). @throws BackupNotFound */
  backup(id: string, options?: { readDeleted?: boolean | undefined }): Promise<BackupRecord>
  /**
   * Sets `updatedAt` and guards as `updateVolume`; to a guard, a deleted row has none of its statuses.
   * @throws BackupNotFound, also for a deleted row when there is no guard
   */
  updateBackup(id: string, updates: BackupUpdates, guard?: { from?: readonly BackupStatus[] | undefined }): Promise<boolean>
  /**
   * Marks the row `deleted`, and sets the parent's `numDependentBackups` to the number of children it has left: taking one off, as Cinder
   * does, is wrong when the deleted child failed and was never counted. @throws BackupNotFound, also for a deleted row
   */
  deleteBackup(id: string, deletedAt: string): Promise<void>
  /** Adds one to `numDependentBackups`. @throws BackupNotFound */
  addDependent(id: string): Promise<void>
  /** Rows that are not deleted and match every given field; oldest `createdAt` first, then by id. */
  backups(filter?: BackupFilter): Promise<BackupRecord[]>

  /** Ends the connection. Closing twice is no error. */
  close(): Promise<void>
}

/** Which rows `backups` gives: those that have every value given here. */
export interface BackupFilter {
  /** Of this volume. Any by default. */
  volumeId?: string | undefined
  /** Of this project. Any by default. */
  projectId?: string | undefined
  /** Built on this backup. Any by default. */
  parentId?: string | undefined
  /** Of the service of this name. Any by default. */
  host?: string | undefined
  /** In one of these statuses. Any by default. */
  statuses?: readonly BackupStatus[] | undefined
}
