/**
 * The rows behind the driver contract: Cinder's Backup and Volume objects (cinder/objects/backup.py, cinder/db/sqlalchemy/models.py)
 * with its field names in camel case. Sizes of rows are GiB, as Cinder's are; times are ISO 8601 in UTC, with milliseconds or microseconds.
 */

/** cinder/objects/fields.py, BackupStatus. */
export const BACKUP_STATUSES = ['creating', 'available', 'deleting', 'deleted', 'restoring', 'error', 'error_deleting'] as const
/** One of `BACKUP_STATUSES`. */
export type BackupStatus = (typeof BACKUP_STATUSES)[number]

/** One backup: every field of Cinder's Backup object but `parent`. */
export interface BackupRecord {
  id: string
  userId: string
  projectId: string
  volumeId: string
  /** The backup service's host. */
  host: string | null
  availabilityZone: string | null
  /** Directory or bucket the driver chose; saved before any object is written. */
  container: string | null
  /** `null` for a full backup. */
  parentId: string | null
  status: BackupStatus
  failReason: string | null
  /** Of the volume, in whole GiB. */
  size: number
  displayName: string | null
  displayDescription: string | null
  /** The driver's own: the object name prefix of chunked drivers, the manifest's id of `RepositoryBackupDriver`. */
  serviceMetadata: string | null
  /** Class path of the driver, e.g. `cinder.backup.drivers.posix.PosixBackupDriver`. */
  service: string | null
  /** Data objects. */
  objectCount: number
  tempVolumeId: string | null
  tempSnapshotId: string | null
  /** How many backups that are not deleted have this one as their parent. */
  numDependentBackups: number
  snapshotId: string | null
  /** The moment the data is of: the row's creation, or the snapshot's. */
  dataTimestamp: string | null
  restoreVolumeId: string | null
  metadata: Readonly<Record<string, string>>
  encryptionKeyId: string | null
  createdAt: string
  updatedAt: string | null
  deletedAt: string | null
  deleted: boolean
}

/** What a driver or the service changes in a row. */
export type BackupUpdates = Partial<Omit<BackupRecord, 'id'>>

/** One volume: the fields that backups touch, and whatever else the row has under `others`. */
export interface VolumeRecord {
  id: string
  userId: string
  projectId: string
  /** Of the volume, in whole GiB. */
  size: number
  status: string
  previousStatus: string | null
  displayName: string | null
  displayDescription: string | null
  host: string | null
  availabilityZone: string | null
  volumeTypeId: string | null
  encryptionKeyId: string | null
  snapshotId: string | null
  bootable: boolean
  createdAt: string
  updatedAt: string | null
  /** Further columns by Cinder's own names (`attach_status`, `multiattach`, …): kept, and saved in a backup's metadata. JSON values. */
  others: Readonly<Record<string, unknown>>
}

/** What a driver or the service changes in a volume's row. */
export type VolumeUpdates = Partial<Omit<VolumeRecord, 'id'>>

/** A volume type, as far as backups need it: metadata names it. */
export interface VolumeTypeRecord {
  id: string
  name: string
}

/** A snapshot of a volume, as far as backups of one need it. */
export interface SnapshotRecord {
  id: string
  volumeId: string
  status: string
  createdAt: string
}

/** A volume's row: what is not given is as Cinder's is for a new volume that nobody attached. `available`, made now. */
export function volumeRecord(fields: Pick<VolumeRecord, 'id' | 'size'> & Partial<VolumeRecord>): VolumeRecord {
  return {
    userId: '',
    projectId: '',
    status: 'available',
    previousStatus: null,
    displayName: null,
    displayDescription: null,
    host: null,
    availabilityZone: null,
    volumeTypeId: null,
    encryptionKeyId: null,
    snapshotId: null,
    bootable: false,
    createdAt: new Date().toISOString(),
    updatedAt: null,
    others: {},
    ...fields,
  }
}
