/**
 * Restores a backup to a volume (cinder/backup/api.py, `restore`; manager.py, `restore_backup`).
 *
 * Invariants: the backup's row names the volume before the volume's status changes, so that a restart finds what to undo; the backup
 * is `available` again however it ends, unless it is being deleted; a volume is `available` only when it holds the whole backup, or
 * not a byte of it was touched.
 */
import { restoreCancelled } from '../contract/backup-driver.ts'
import { RESTORE_NAME_PREFIX } from '../contract/backup-metadata-api.ts'
import { BlockvaultError, isBlockvaultError } from '../contract/errors.ts'
import type { BackupRecord, VolumeRecord } from '../contract/records.ts'
import type { VolumeFile } from '../contract/volume.ts'
import { uuidFrom } from '../repository/names.ts'
import type { ServiceContext } from './context.ts'
import { percentEvents } from './events.ts'
import { checkRestoreOptions, type RestoreBackupOptions } from './options.ts'
import { claimBackup, claimVolume, VOLUME } from './statuses.ts'

/** What Cinder's API answers. */
export interface RestoredBackup {
  backupId: string
  volumeId: string
  volumeName: string | null
}

export async function restoreBackup(service: ServiceContext, backupId: string, options: RestoreBackupOptions): Promise<RestoredBackup> {
  checkRestoreOptions(options)
  return service.jobs.run(backupId, options.signal, async (signal) => {
    const backup = await service.db.backup(backupId)
    if (backup.status !== 'available')
      throw new BlockvaultError('InvalidBackup', `Backup status must be available, and not ${backup.status}.`, { details: { backupId, status: backup.status } })
    const { driver } = await service.drivers.of(backup)
    const isNew = options.volumeId === undefined
    const volume = isNew ? newVolume(service, backup, options.name) : await existingVolume(service, backup, options.volumeId as string)
    await claim(service, backup, volume, isNew)
    const restoring: BackupRecord = { ...backup, status: 'restoring', restoreVolumeId: volume.id }
    service.emit('backup.restore.start', restoring)
    let touched = false
    try {
      await service.gate.pass(signal, async () => {
        const file = await service.openVolume(volume, isNew ? 'create' : 'write', { signal })
        touched = true
        const onProgress = percentEvents(service.emit, 'backup.restoreprogress', restoring, options.onProgress)
        await closing(service, backupId, file, () => driver.restore(restoring, volume.id, file, isNew, { signal, onProgress }))
      })
      await settleKeys(service, backup, volume)
      await nameSource(service, backup, volume)
      await service.db.updateVolume(volume.id, { status: VOLUME.available }, { from: [VOLUME.restoring] })
    } catch (error) {
      const cancelled = isBlockvaultError(error, 'BackupRestoreCancel') || isBlockvaultError(error, 'CANCELLED')
      const status = touched ? (cancelled ? VOLUME.error : VOLUME.errorRestoring) : isNew ? VOLUME.error : VOLUME.available
      await service.attempt(backupId, 'set the volume', () => service.db.updateVolume(volume.id, { status }, { from: [VOLUME.restoring] }))
      await giveBack(service, backupId)
      if (isBlockvaultError(error, 'CANCELLED')) throw restoreCancelled(backupId, volume.id, error.message, error)
      throw error
    }
    await giveBack(service, backupId)
    service.emit('backup.restoreprogress', { ...restoring, status: 'available' }, { backupPercent: 100 })
    service.emit('backup.restore.end', { ...restoring, status: 'available' })
    return { backupId, volumeId: volume.id, volumeName: (await service.db.volume(volume.id)).displayName }
  })
}

function newVolume({ context, time }: ServiceContext, backup: BackupRecord, name = `${RESTORE_NAME_PREFIX}${backup.id}`): VolumeRecord {
  return {
    id: uuidFrom(context.random(16)),
    userId: context.userId,
    projectId: context.projectId,
    size: backup.size,
    status: VOLUME.restoring,
    previousStatus: null,
    displayName: name,
    displayDescription: 'auto-created_from_restore_from_backup',
    host: null,
    availabilityZone: context.availabilityZone,
    volumeTypeId: null,
    encryptionKeyId: null,
    snapshotId: null,
    bootable: false,
    createdAt: time(),
    updatedAt: null,
    others: {},
  }
}

async function existingVolume({ db }: ServiceContext, backup: BackupRecord, volumeId: string): Promise<VolumeRecord> {
  const volume = await db.volume(volumeId)
  const details = { volumeId, status: volume.status, size: volume.size, needed: backup.size }
  if (volume.status !== VOLUME.available)
    throw new BlockvaultError('InvalidVolume', `Volume to be restored to must be available, but the current status is "${volume.status}".`, { details })
  if (volume.size < backup.size)
    throw new BlockvaultError(
      'InvalidVolume',
      `volume size ${volume.size} is too small to restore backup of size ${backup.size}. Name a larger volume, or none: then one is made.`,
      { details },
    )
  return volume
}

async function claim(service: ServiceContext, backup: BackupRecord, volume: VolumeRecord, isNew: boolean): Promise<void> {
  await claimBackup(service, backup, { status: 'restoring', restoreVolumeId: volume.id })
  try {
    await (isNew ? service.db.createVolume(volume) : claimVolume(service, volume, VOLUME.restoring))
  } catch (error) {
    await giveBack(service, backup.id)
    throw error
  }
}

/** Cancelling is setting another status: that one is replaced too, but not that of a backup that is being deleted. */
async function giveBack({ db, attempt }: ServiceContext, backupId: string): Promise<void> {
  await attempt(backupId, 'make the backup available again', () =>
    db.updateBackup(backupId, { status: 'available' }, { from: ['restoring', 'error', 'available'] }),
  )
}

/** Durable before it counts as restored. A close that fails after a failure does not hide it. */
async function closing(service: ServiceContext, backupId: string, file: VolumeFile, work: () => Promise<void>): Promise<void> {
  try {
    await work()
    await file.flush()
  } catch (error) {
    await service.attempt(backupId, 'close the volume', () => file.close())
    throw error
  }
  await file.close()
}

/**
 * `putMetadata` gave the volume the key of the backup's source. The backup's own is what it was encrypted with; a row from before
 * Cinder kept that takes it from the metadata. (Cinder's key manager also clones and deletes keys: here they are ids only.)
 */
async function settleKeys({ db }: ServiceContext, backup: BackupRecord, before: VolumeRecord): Promise<void> {
  const { encryptionKeyId } = await db.volume(before.id)
  if (encryptionKeyId === before.encryptionKeyId) return
  if (backup.encryptionKeyId === null) await db.updateBackup(backup.id, { encryptionKeyId })
  else await db.updateVolume(before.id, { encryptionKeyId: backup.encryptionKeyId })
}

/** A volume whose data is another's says of which backup it is. */
async function nameSource({ db }: ServiceContext, backup: BackupRecord, volume: VolumeRecord): Promise<void> {
  const { src_backup_id: before } = await db.volumeMetadata(volume.id)
  if (backup.volumeId === volume.id && (before === undefined || before === backup.id)) return
  await db.updateVolumeMetadata(volume.id, { src_backup_id: backup.id }, { replace: false })
}
