/**
 * Makes a backup (cinder/backup/api.py, `create`; manager.py, `create_backup` to `_finish_backup`).
 *
 * Invariants: the row stands in `creating` before the volume is touched or an object stored, so that a restart finds what to undo;
 * `available` is the last change of the row; objects are removed only of a row that is known not to be `available`.
 */
import { BlockvaultError } from '../contract/errors.ts'
import type { BackupRecord, BackupUpdates } from '../contract/records.ts'
import { uuidFrom } from '../repository/names.ts'
import type { ServiceContext } from './context.ts'
import type { Service } from './drivers.ts'
import { percentEvents } from './events.ts'
import { checkCreateOptions, type CreateBackupOptions } from './options.ts'
import { chooseParent } from './parent.ts'
import { type BackupSource, findSource } from './source.ts'
import { failReasonOf } from './statuses.ts'

export async function createBackup(service: ServiceContext, options: CreateBackupOptions): Promise<BackupRecord> {
  checkCreateOptions(options)
  const id = options.id ?? uuidFrom(service.context.random(16))
  return service.jobs.run(id, options.signal, async (signal) => {
    const served = await service.drivers.forNew(options.service)
    const source = await findSource(service, options)
    const parent = await chooseParent(service, { ...source, service: served.name }, options)
    const row = newRow(service, id, served, source, parent, options)
    await claim(service, row, source)
    service.emit('backup.create.start', row)
    try {
      const updates = await service.gate.pass(signal, () => store(service, row, served, source, options, signal))
      await service.attempt(id, 'give the volume back', () => source.giveBack('backing-up'))
      await finish(service, row, source, updates)
    } catch (error) {
      await fail(service, row, served, source, error)
      throw error
    }
    if (parent) await service.attempt(id, 'count the dependent of the parent', () => service.db.addDependent(parent.id))
    const backup = await service.db.backup(id, { readDeleted: true })
    service.emit('backup.createprogress', backup, { backupPercent: 100 })
    service.emit('backup.create.end', backup)
    return backup
  })
}

function newRow(
  { context, host, time }: ServiceContext,
  id: string,
  { name: service }: Service,
  { volume, snapshot }: BackupSource,
  parent: BackupRecord | undefined,
  options: CreateBackupOptions,
): BackupRecord {
  const createdAt = time()
  return {
    id,
    userId: context.userId,
    projectId: context.projectId,
    volumeId: volume.id,
    host,
    availabilityZone: options.availabilityZone ?? context.availabilityZone,
    container: options.container ?? null,
    parentId: parent?.id ?? null,
    status: 'creating',
    failReason: null,
    size: volume.size,
    displayName: options.name ?? null,
    displayDescription: options.description ?? null,
    serviceMetadata: null,
    service,
    objectCount: 0,
    tempVolumeId: null,
    tempSnapshotId: null,
    numDependentBackups: 0,
    snapshotId: snapshot?.id ?? null,
    dataTimestamp: snapshot?.createdAt ?? createdAt,
    restoreVolumeId: null,
    metadata: options.metadata ?? {},
    encryptionKeyId: volume.encryptionKeyId,
    createdAt,
    updatedAt: null,
    deletedAt: null,
    deleted: false,
  }
}

/** Leaves no row when the volume can not be had. */
async function claim(service: ServiceContext, row: BackupRecord, source: BackupSource): Promise<void> {
  await service.db.createBackup(row)
  try {
    // Looked at again now that the row is seen: a delete of the parent either finds this child or is found here.
    if (row.parentId !== null && (await service.db.backup(row.parentId)).status !== 'available')
      throw new BlockvaultError('InvalidBackup', `Backup ${row.parentId} is no longer available to build on. Try again.`, {
        details: { parentId: row.parentId },
      })
    await source.claim()
  } catch (error) {
    await service.attempt(row.id, 'take the row away', () => service.db.deleteBackup(row.id, service.time()))
    throw error
  }
}

async function store(
  service: ServiceContext,
  row: BackupRecord,
  { driver }: Service,
  { volume, snapshot }: BackupSource,
  { backupMetadata, onProgress }: CreateBackupOptions,
  signal: AbortSignal,
): Promise<BackupUpdates | undefined> {
  const file = await service.openVolume(volume, 'read', { snapshot, signal })
  try {
    return await driver.backup(row, file, {
      ...(backupMetadata === undefined ? {} : { backupMetadata }),
      signal,
      onProgress: percentEvents(service.emit, 'backup.createprogress', row, onProgress),
    })
  } finally {
    await service.attempt(row.id, 'close the volume', () => file.close())
  }
}

async function finish(service: ServiceContext, row: BackupRecord, { volume }: BackupSource, updates: BackupUpdates = {}): Promise<void> {
  // What a driver may change: its own fields.
  const { status: _status, deleted: _deleted, deletedAt: _deletedAt, ...own } = updates
  if (await service.db.updateBackup(row.id, { ...own, size: volume.size, status: 'available' }, { from: ['creating'] })) return
  const { status } = await service.db.backup(row.id, { readDeleted: true })
  if (status !== 'deleting' && status !== 'deleted')
    throw new BlockvaultError('InvalidBackup', `Backup ${row.id} was set to ${status} while it was created: delete it.`, {
      details: { backupId: row.id, status },
    })
  throw new BlockvaultError('CANCELLED', `Backup ${row.id} was deleted while it was created.`, { details: { backupId: row.id } })
}

/** The row tells why, the volume has its status back, and what was stored is gone. */
async function fail(service: ServiceContext, row: BackupRecord, { driver }: Service, source: BackupSource, error: unknown): Promise<void> {
  const { db, attempt } = service
  await attempt(row.id, 'give the volume back', () => source.giveBack('error_backing-up'))
  await attempt(row.id, 'tell why the backup failed', () =>
    db.updateBackup(row.id, { status: 'error', failReason: failReasonOf(error) }, { from: ['creating'] }),
  )
  const now = await attempt(row.id, 'look at the row', () => db.backup(row.id, { readDeleted: true }))
  if (now && now.status !== 'available' && now.status !== 'restoring') await attempt(row.id, 'remove what was stored', () => driver.deleteBackup(now))
}
