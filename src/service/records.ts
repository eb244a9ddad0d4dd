/**
 * Takes a backup's record out of one database and into another (cinder/backup/api.py and manager.py, `export_record`, `import_record`).
 *
 * Invariants: an import that is refused leaves no row (Cinder's leaves one in `error`, which is then in the way of the next try); a
 * record never becomes a second row for objects that a row here names already, since deleting the one would delete the other's data.
 */
import { decodeBackupUrl, encodeExportRecord, type ExportRecord, importIdentity, importUpdates } from '../cinder/export-record.ts'
import { BlockvaultError } from '../contract/errors.ts'
import type { BackupRecord, BackupUpdates } from '../contract/records.ts'
import type { ServiceContext } from './context.ts'

/** The volume of a backup whose record does not tell it (cinder/backup/api.py, IMPORT_VOLUME_ID). */
const IMPORT_VOLUME_ID = '00000000-0000-0000-0000-000000000000'

export async function exportRecord({ db, drivers }: ServiceContext, backupId: string): Promise<ExportRecord> {
  const backup = await db.backup(backupId)
  if (backup.status !== 'available')
    throw new BlockvaultError('InvalidBackup', `Backup status must be available and not ${backup.status}.`, { details: { backupId, status: backup.status } })
  const { driver } = await drivers.of(backup)
  return encodeExportRecord(backup, await driver.exportRecord(backup))
}

export async function importRecord(service: ServiceContext, record: ExportRecord): Promise<BackupRecord> {
  const { db, context, drivers } = service
  if (typeof record?.backup_service !== 'string' || typeof record.backup_url !== 'string')
    throw new BlockvaultError('InvalidInput', 'A backup record has two texts: backup_service and backup_url.')
  const decoded = decodeBackupUrl(record.backup_url)
  const { id, size } = importIdentity(decoded)
  return service.jobs.run(id, undefined, async () => {
    const { name, driver } = await drivers.named(record.backup_service)
    const updates = importUpdates(decoded, id)
    await refuseTaken(service, id, updates)
    const row: BackupRecord = { ...emptyRow, id, size, userId: context.userId, projectId: context.projectId, createdAt: service.time() }
    await db.createBackup(row)
    try {
      await driver.importRecord({ ...row, ...updates }, decoded.driverInfo)
      const own: BackupUpdates = { service: name, host: service.host, availabilityZone: context.availabilityZone, status: 'available' }
      await db.updateBackup(id, { ...updates, ...own }, { from: ['creating'] })
    } catch (error) {
      await service.attempt(id, 'take the row away', () => db.deleteBackup(id, service.time()))
      throw new BlockvaultError('InvalidBackup', `The driver did not import backup ${id}: ${error instanceof Error ? error.message : String(error)}`, {
        details: { backupId: id },
        cause: error,
      })
    }
    return db.backup(id)
  })
}

const emptyRow: Omit<BackupRecord, 'id' | 'size' | 'userId' | 'projectId' | 'createdAt'> = {
  volumeId: IMPORT_VOLUME_ID,
  host: null,
  availabilityZone: null,
  container: null,
  parentId: null,
  status: 'creating',
  failReason: null,
  displayName: null,
  displayDescription: null,
  serviceMetadata: null,
  service: null,
  objectCount: 0,
  tempVolumeId: null,
  tempSnapshotId: null,
  numDependentBackups: 0,
  snapshotId: null,
  dataTimestamp: null,
  restoreVolumeId: null,
  metadata: {},
  encryptionKeyId: null,
  updatedAt: null,
  deletedAt: null,
  deleted: false,
}

async function refuseTaken({ db }: ServiceContext, id: string, { container, serviceMetadata }: BackupUpdates): Promise<void> {
  const taken = (await db.backups()).find(
    (backup) => backup.id === id || (serviceMetadata !== null && backup.serviceMetadata === serviceMetadata && backup.container === container),
  )
  if (!taken) return
  throw new BlockvaultError(
    'InvalidBackup',
    taken.id === id
      ? 'Backup already exists in database. Delete it first to import it again.'
      : `The objects of this record are those of backup ${taken.id}, which is here already.`,
    { details: { backupId: id, taken: taken.id } },
  )
}
