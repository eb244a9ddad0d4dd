/** What the suite of backup drivers needs to know of a driver, and a place where it works. */
import { randomUUID } from 'node:crypto'
import type { BackupContext } from '../../../src/contract/backup-context.ts'
import type { BackupDriver } from '../../../src/contract/backup-driver.ts'
import type { BackupRecord, VolumeRecord } from '../../../src/contract/records.ts'
import { PROJECT, USER } from '../../contract/support.ts'
import { backupRecord, volumeRecord } from '../database/records.ts'
import { type MemoryVolume, memoryVolume } from './memory-volume.ts'

/** An empty store, and a driver for it in each context: as two services, or one before and after a restart, have it. */
export interface StoreUnderTest {
  driver(context: BackupContext): BackupDriver
  /** Everything stored that belongs to this backup or could be taken for it: none after a delete. */
  stored(backup: BackupRecord): Promise<readonly string[]>
  /** Alters a byte near the end of the data of the backup, as a bad disk would. */
  damage(backup: BackupRecord): Promise<void>
  close(): Promise<void>
}

export type DriverPlace = ReturnType<typeof driverPlace>

/** A driver in a context, with the rows that it and its service work on. */
export function driverPlace(store: StoreUnderTest, context: BackupContext) {
  const { database } = context
  const driver = store.driver(context)
  return {
    store,
    context,
    database,
    driver,
    async volume(changes: Partial<VolumeRecord> = {}): Promise<VolumeRecord> {
      const volume = volumeRecord({ size: 1, userId: USER, projectId: PROJECT, ...changes })
      await database.createVolume(volume)
      return volume
    },
    /** A row as the service makes it before it calls the driver. */
    async row(volume: VolumeRecord, changes: Partial<BackupRecord> = {}): Promise<BackupRecord> {
      const row = backupRecord({ id: randomUUID(), volumeId: volume.id, userId: USER, projectId: PROJECT, displayName: 'a backup', ...changes })
      await database.createBackup(row)
      return row
    },
    /** What the service makes of a backup: the row afterwards. */
    async backedUp(volume: VolumeRecord, bytes: Uint8Array<ArrayBuffer>, changes: Partial<BackupRecord> = {}): Promise<BackupRecord> {
      const row = await this.row(volume, changes)
      const updates = await driver.backup(row, memoryVolume(bytes))
      await database.updateBackup(row.id, { ...updates, status: 'available' }, { from: ['creating'] })
      return database.backup(row.id)
    },
    /** As the service restores: the row is `restoring`, and then `available` again. */
    async restored(
      backup: BackupRecord,
      onto: Uint8Array<ArrayBuffer> | MemoryVolume,
      { isNew = false, ...options }: { isNew?: boolean; volumeId?: string } & Parameters<BackupDriver['restore']>[4] = {},
    ): Promise<void> {
      await database.updateBackup(backup.id, { status: 'restoring' })
      try {
        const row = await database.backup(backup.id)
        await driver.restore(row, options.volumeId ?? backup.volumeId, onto instanceof Uint8Array ? memoryVolume(onto) : onto, isNew, options)
      } finally {
        await database.updateBackup(backup.id, { status: 'available' }, { from: ['restoring'] })
      }
    },
  }
}
