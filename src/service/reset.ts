/** An administrator sets a backup's status (cinder/backup/manager.py, `reset_status`): the way out when a row no longer tells the truth. */
import { BlockvaultError } from '../contract/errors.ts'
import type { ServiceContext } from './context.ts'
import { claimBackup } from './statuses.ts'

/** What Cinder's API allows (cinder/api/schemas/admin_actions.py, `reset_status_backup`). */
export const RESET_STATUSES = ['available', 'error'] as const
/** One of `RESET_STATUSES`. */
export type ResetStatus = (typeof RESET_STATUSES)[number]

/** A job that runs here for this backup is cancelled first: it would set the status again when it ends. */
export async function resetStatus(service: ServiceContext, backupId: string, status: ResetStatus): Promise<void> {
  if (!RESET_STATUSES.includes(status))
    throw new BlockvaultError('InvalidInput', `A backup can be reset to ${RESET_STATUSES.join(' or ')}, not to ${JSON.stringify(status)}.`)
  const backup = await service.db.backup(backupId)
  await service.drivers.of(backup)
  await claimBackup(service, backup, { status })
  await service.jobs.cancel(backupId, `Backup ${backupId} was reset to ${status}.`)
  await service.db.updateBackup(backupId, { status }, { from: ['creating', 'available', 'restoring', 'error', 'error_deleting'] })
  service.emit('backup.reset_status.end', { ...backup, status })
}
