/**
 * Deletes a backup (cinder/backup/api.py, `delete`; manager.py, `delete_backup`).
 *
 * Invariants: the row goes last, so that nothing is stored that no row names; no backup goes that another builds on.
 */
import { BlockvaultError } from '../contract/errors.ts'
import type { BackupRecord } from '../contract/records.ts'
import type { ServiceContext } from './context.ts'
import { claimBackup, failReasonOf } from './statuses.ts'

/** Which backups may be deleted. */
export interface DeleteBackupOptions {
  /** In any status, also while it is created or restored: that job is cancelled. False by default: only `available` and `error`. */
  force?: boolean | undefined
}

export async function deleteBackup(service: ServiceContext, backupId: string, { force = false }: DeleteBackupOptions = {}): Promise<void> {
  const backup = await service.db.backup(backupId)
  const details = { backupId, status: backup.status }
  if (!force && backup.status !== 'available' && backup.status !== 'error')
    throw new BlockvaultError('InvalidBackup', `Backup status must be available or error, and not ${backup.status}. To delete it all the same, force it.`, {
      details,
    })
  // A row that never had a driver has nothing stored.
  const served = backup.service === null ? undefined : await service.drivers.of(backup)
  if (force && served && !served.driver.supportForceDelete)
    throw new BlockvaultError('NotSupportedOperation', `${served.name} does not support force delete. Wait until the backup is available or error.`, {
      details,
    })
  await refuseParents(service, backup)
  await claimBackup(service, backup, { status: 'deleting' })
  try {
    // Again, now that a new child sees that this backup goes.
    await refuseParents(service, backup)
  } catch (error) {
    await service.attempt(backupId, 'give the backup its status back', () =>
      service.db.updateBackup(backupId, { status: backup.status }, { from: ['deleting'] }),
    )
    throw error
  }
  await service.jobs.cancel(backupId, `Backup ${backupId} was deleted.`)
  await service.jobs.run(backupId, undefined, () => removeBackup(service, backupId))
}

async function refuseParents({ db }: ServiceContext, { id }: BackupRecord): Promise<void> {
  const children = await db.backups({ parentId: id })
  if (children.length === 0) return
  const names = children.map((child) => child.id)
  throw new BlockvaultError(
    'InvalidBackup',
    `Incremental backups exist for this backup. Delete those first: ${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''}.`,
    {
      details: { backupId: id, children: names },
    },
  )
}

/** The second half, from status `deleting` on: what a restart resumes. */
export async function removeBackup(service: ServiceContext, backupId: string): Promise<void> {
  const backup = await service.db.backup(backupId)
  service.emit('backup.delete.start', backup)
  try {
    if (backup.service !== null) await (await service.drivers.of(backup)).driver.deleteBackup(backup)
  } catch (error) {
    await service.attempt(backupId, 'tell why the delete failed', () =>
      service.db.updateBackup(backupId, { status: 'error', failReason: failReasonOf(error) }, { from: ['deleting'] }),
    )
    throw error
  }
  await service.db.deleteBackup(backupId, service.time())
  service.emit('backup.delete.end', { ...backup, status: 'deleted' })
}
