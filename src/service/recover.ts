/**
 * Undoes what a process that died left behind (cinder/backup/manager.py, `_cleanup_incomplete_backup_operations`): rows of this
 * host that are neither `available` nor ended, their volumes and snapshots, and what was stored of unfinished backups.
 *
 * Invariant: run while no other service of this host name runs. A row whose job runs in this process, and a volume that another
 * backup's job holds, is left alone; trouble with one row does not keep the others waiting.
 */
import type { BackupRecord, BackupStatus } from '../contract/records.ts'
import type { ServiceContext } from './context.ts'
import { removeBackup } from './delete.ts'
import { VOLUME } from './statuses.ts'

/** What was done about one row. */
export interface RecoveredBackup {
  backupId: string
  was: BackupStatus
  /** `deleted` for a delete that was resumed and done. */
  became: BackupStatus
}

/** Cinder's words. */
const INTERRUPTED = 'incomplete backup reset on manager restart'

/** @returns what was changed. Deletes come last: they take as long as the store does. */
export async function recover(service: ServiceContext): Promise<RecoveredBackup[]> {
  const recovered: RecoveredBackup[] = []
  for (const { was, step } of STEPS)
    for (const backup of await service.db.backups({ host: service.host, statuses: [was] })) {
      if (service.jobs.has(backup.id)) continue
      const run = () => service.jobs.run(backup.id, undefined, () => step(service, backup))
      const became = await service.attempt(backup.id, `recover from ${was}`, run)
      if (became) recovered.push({ backupId: backup.id, was, became })
    }
  return recovered
}

const STEPS: readonly { was: BackupStatus; step: (service: ServiceContext, backup: BackupRecord) => Promise<BackupStatus> }[] = [
  {
    was: 'creating',
    async step(service, backup) {
      await service.attempt(backup.id, 'give the volume back', () => giveVolumeBack(service, backup))
      // Cinder leaves these until the backup is deleted. Before the status changes: cut off again, it is done again.
      await service.attempt(backup.id, 'remove what was stored', async () => (await service.drivers.of(backup)).driver.deleteBackup(backup))
      await service.db.updateBackup(backup.id, { status: 'error', failReason: INTERRUPTED }, { from: ['creating'] })
      return 'error'
    },
  },
  {
    was: 'restoring',
    async step(service, backup) {
      await service.attempt(backup.id, 'set the volume', () => setRestoredVolume(service, backup))
      await service.db.updateBackup(backup.id, { status: 'available' }, { from: ['restoring'] })
      return 'available'
    },
  },
  {
    was: 'deleting',
    async step(service, backup) {
      await removeBackup(service, backup.id)
      return 'deleted'
    },
  },
]

async function giveVolumeBack({ db }: ServiceContext, backup: BackupRecord): Promise<void> {
  const others = await db.backups({ volumeId: backup.volumeId, statuses: ['creating'] })
  if (others.some(({ id, snapshotId }) => id !== backup.id && snapshotId === backup.snapshotId)) return
  if (backup.snapshotId !== null) {
    await db.updateSnapshot(backup.snapshotId, { status: 'available' }, { from: [VOLUME.backingUp] })
    return
  }
  const { previousStatus } = await db.volume(backup.volumeId)
  await db.updateVolume(backup.volumeId, { status: previousStatus ?? VOLUME.available, previousStatus: VOLUME.errorBackingUp }, { from: [VOLUME.backingUp] })
}

/** The volume of a restore that was cut off holds neither what it had nor what it should. */
async function setRestoredVolume({ db }: ServiceContext, backup: BackupRecord): Promise<void> {
  if (backup.restoreVolumeId === null) return
  const others = await db.backups({ statuses: ['restoring'] })
  if (others.some(({ id, restoreVolumeId }) => id !== backup.id && restoreVolumeId === backup.restoreVolumeId)) return
  await db.updateVolume(backup.restoreVolumeId, { status: VOLUME.errorRestoring }, { from: [VOLUME.restoring] })
}
