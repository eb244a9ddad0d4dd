/**
 * What a service tells while it works: Cinder's notifications (cinder/volume/volume_utils.py, `_usage_from_backup`), names and fields
 * as there. Percentages are of the volume's bytes, rise only, and end with 100 exactly once (Cinder's stay near 0 until the end).
 */
import type { Progress } from '../contract/backup.ts'
import type { BackupRecord } from '../contract/records.ts'

/** The types of events, by Cinder's names. */
export const BACKUP_EVENTS = [
  'backup.create.start',
  'backup.createprogress',
  'backup.create.end',
  'backup.restore.start',
  /** Cinder has none for restores. */
  'backup.restoreprogress',
  'backup.restore.end',
  'backup.delete.start',
  'backup.delete.end',
  'backup.reset_status.end',
] as const
/** One of `BACKUP_EVENTS`. */
export type BackupEventType = (typeof BACKUP_EVENTS)[number]

/** One notification. */
export interface BackupEvent {
  type: BackupEventType
  payload: BackupEventPayload
}

/** The backup as its row is now. */
export interface BackupEventPayload {
  tenantId: string
  userId: string
  availabilityZone: string | null
  backupId: string
  host: string | null
  displayName: string | null
  createdAt: string
  status: string
  volumeId: string
  /** Of the volume, in whole GiB. */
  size: number
  serviceMetadata: string | null
  service: string | null
  failReason: string | null
  parentId: string | null
  /** How many backups build on it. */
  numDependentBackups: number
  snapshotId: string | null
  /** Of progress events: whole percent, 0 to 100. */
  backupPercent?: number
}

export type Emit = (type: BackupEventType, backup: BackupRecord, more?: { backupPercent: number }) => void

/** `failed` is told what a listener throws: a listener does not stop a job. */
export function createEmit(onEvent: ((event: BackupEvent) => void) | undefined, failed: (backupId: string, error: unknown) => void): Emit {
  return (type, backup, more) => {
    try {
      onEvent?.({ type, payload: { ...payloadOf(backup), ...more } })
    } catch (error) {
      failed(backup.id, error)
    }
  }
}

function payloadOf(backup: BackupRecord): BackupEventPayload {
  return {
    tenantId: backup.projectId,
    userId: backup.userId,
    availabilityZone: backup.availabilityZone,
    backupId: backup.id,
    host: backup.host,
    displayName: backup.displayName,
    createdAt: backup.createdAt,
    status: backup.status,
    volumeId: backup.volumeId,
    size: backup.size,
    serviceMetadata: backup.serviceMetadata,
    service: backup.service,
    failReason: backup.failReason,
    parentId: backup.parentId,
    numDependentBackups: backup.numDependentBackups,
    snapshotId: backup.snapshotId,
  }
}

/** Turns a driver's progress into events, one a percent, and passes it on to the caller. 100 is told when the row is done. */
export function percentEvents(
  emit: Emit,
  type: 'backup.createprogress' | 'backup.restoreprogress',
  backup: BackupRecord,
  onProgress: ((progress: Progress) => void) | undefined,
): (progress: Progress) => void {
  let last = 0
  return (progress) => {
    onProgress?.(progress)
    const percent = progress.totalBytes > 0 ? Math.min(99, Math.floor((progress.doneBytes / progress.totalBytes) * 100)) : 0
    if (percent <= last) return
    last = percent
    emit(type, backup, { backupPercent: percent })
  }
}
