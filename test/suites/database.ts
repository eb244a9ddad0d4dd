/** What every database keeps (src/contract/database.ts). A database passes with `databaseSuite(name, make)`. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { Database } from '../../src/contract/database.ts'
import { backupRowClaims } from './database/backups.ts'
import { deletionClaims } from './database/children.ts'
import type { DatabaseUnderTest } from './database/place.ts'
import { backupRecord, code, volumeRecord } from './database/records.ts'
import { volumeClaims } from './database/volumes.ts'

export function databaseSuite(name: string, make: () => Promise<DatabaseUnderTest>): void {
  describe(`the ${name} database`, () => {
    let place: DatabaseUnderTest
    beforeEach(async () => {
      place = await make()
      return () => place.database.close()
    })
    backupRowClaims(() => place)
    deletionClaims(() => place)
    volumeClaims(() => place)

    describe('a closed database', () => {
      it('answers everything with CLOSED, and is closed twice without harm', async () => {
        const { database } = place
        const [backup, volume] = [backupRecord(), volumeRecord()]
        await database.createBackup(backup)
        await database.createVolume(volume)
        await database.close()
        await database.close()
        await database[Symbol.asyncDispose]()
        const calls: Record<Exclude<keyof Database, 'close' | typeof Symbol.asyncDispose>, () => Promise<unknown>> = {
          createVolume: () => database.createVolume(volumeRecord()),
          volume: () => database.volume(volume.id),
          updateVolume: () => database.updateVolume(volume.id, {}),
          deleteVolume: () => database.deleteVolume(volume.id),
          volumeMetadata: () => database.volumeMetadata(volume.id),
          updateVolumeMetadata: () => database.updateVolumeMetadata(volume.id, {}),
          volumeGlanceMetadata: () => database.volumeGlanceMetadata(volume.id),
          replaceVolumeGlanceMetadata: () => database.replaceVolumeGlanceMetadata(volume.id, {}),
          createVolumeType: () => database.createVolumeType({ id: 'type', name: 'name' }),
          volumeType: () => database.volumeType('type'),
          createSnapshot: () => database.createSnapshot({ id: 's', volumeId: 'v', status: 'available', createdAt: '2026-01-01T00:00:00Z' }),
          snapshot: () => database.snapshot('s'),
          updateSnapshot: () => database.updateSnapshot('s', {}),
          createBackup: () => database.createBackup(backupRecord()),
          backup: () => database.backup(backup.id),
          updateBackup: () => database.updateBackup(backup.id, {}),
          deleteBackup: () => database.deleteBackup(backup.id, '2026-01-01T00:00:00Z'),
          addDependent: () => database.addDependent(backup.id),
          backups: () => database.backups(),
        }
        for (const [method, call] of Object.entries(calls)) await expect(call(), method).rejects.toEqual(code('CLOSED'))
      })
    })
  })
}
