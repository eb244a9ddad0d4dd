/**
 * The statuses of backups and volumes, and the guarded steps between them (as cinder/backup/api.py and manager.py make them).
 *
 * Invariant: a status is changed only from the statuses that the step begins at, in one transaction with the look at it: of two
 * services, one makes the step and the other is refused.
 */
import { BlockvaultError } from '../contract/errors.ts'
import type { BackupRecord, BackupStatus, BackupUpdates, VolumeRecord } from '../contract/records.ts'
import type { ServiceContext } from './context.ts'

/** Statuses of volumes that backups set (cinder/objects/fields.py, VolumeStatus). */
export const VOLUME = {
  available: 'available',
  inUse: 'in-use',
  backingUp: 'backing-up',
  restoring: 'restoring-backup',
  error: 'error',
  errorBackingUp: 'error_backing-up',
  errorRestoring: 'error_restoring',
} as const

/** Cinder's column has so many characters. */
const FAIL_REASON_MAX = 255

export function failReasonOf(error: unknown): string {
  return [...(error instanceof Error ? error.message : String(error))].slice(0, FAIL_REASON_MAX).join('')
}

/** @throws InvalidBackup when the row has left `backup.status` meanwhile */
export async function claimBackup({ db }: ServiceContext, backup: BackupRecord, updates: BackupUpdates & { status: BackupStatus }): Promise<void> {
  if (await db.updateBackup(backup.id, updates, { from: [backup.status] })) return
  throw new BlockvaultError('InvalidBackup', `Backup ${backup.id} is no longer ${backup.status}: something else works on it. Look at it again.`, {
    details: { backupId: backup.id },
  })
}

/** @throws InvalidVolume when the row has left `volume.status` meanwhile */
export async function claimVolume({ db }: ServiceContext, volume: VolumeRecord, status: string): Promise<void> {
  if (await db.updateVolume(volume.id, { status, previousStatus: volume.status }, { from: [volume.status] })) return
  throw new BlockvaultError('InvalidVolume', `Volume ${volume.id} is no longer ${volume.status}: something else works on it. Look at it again.`, {
    details: { volumeId: volume.id },
  })
}
