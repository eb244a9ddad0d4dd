/** What every database keeps when backups are deleted and revived, and of the count of their children. */
import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Database } from '../../../src/contract/database.ts'
import type { BackupRecord } from '../../../src/contract/records.ts'
import type { DatabaseUnderTest } from './place.ts'
import { backupRecord, code, fullBackup } from './records.ts'

export function deletionClaims(place: () => DatabaseUnderTest): void {
  let database: Database
  beforeEach(() => {
    database = place().database
  })
  const made = async (changes?: Partial<BackupRecord>) => {
    const record = backupRecord(changes)
    await database.createBackup(record)
    return record
  }

  describe('deleting a backup', () => {
    it('keeps its row, which only readDeleted shows', async () => {
      const record = await made(fullBackup({ parentId: null }))
      await database.deleteBackup(record.id, '2026-02-01T00:00:00.000Z')
      await expect(database.backup(record.id)).rejects.toEqual(code('BackupNotFound'))
      expect(await database.backups()).toEqual([])
      expect(await database.backup(record.id, { readDeleted: true })).toEqual({
        ...record,
        status: 'deleted',
        deleted: true,
        deletedAt: '2026-02-01T00:00:00.000Z',
      })
      await expect(database.deleteBackup(record.id, '2026-03-01T00:00:00.000Z')).rejects.toEqual(code('BackupNotFound'))
      await expect(database.addDependent(record.id)).rejects.toEqual(code('BackupNotFound'))
    })

    it('makes room for its id: a record imported again revives it, with nothing of the old one', async () => {
      const old = await made(fullBackup())
      await database.deleteBackup(old.id, '2026-02-01T00:00:00.000Z')
      const revived = backupRecord({ id: old.id, displayName: 'imported' })
      await database.createBackup(revived)
      expect(await database.backup(old.id)).toEqual(revived)
      expect(await database.backups()).toEqual([revived])
    })

    it('is done by exactly one of many callers, and so is reviving', async () => {
      const other = await place().again()
      const parent = await made()
      const child = await made({ parentId: parent.id })
      const outcomes = (tries: Promise<void>[]) =>
        Promise.all(
          tries.map((each) =>
            each.then(
              () => 'done',
              (error: unknown) => error,
            ),
          ),
        )
      const both = (index: number) => [database, other][index % 2]!
      const deleted = await outcomes(Array.from({ length: 6 }, (_, index) => both(index).deleteBackup(child.id, '2026-02-01T00:00:00.000Z')))
      expect(deleted.filter((each) => each === 'done')).toHaveLength(1)
      expect(deleted.filter((each) => each !== 'done')).toEqual(Array(5).fill(code('BackupNotFound')))
      const revived = await outcomes(Array.from({ length: 6 }, (_, index) => both(index).createBackup({ ...child, displayName: `reviver ${index}` })))
      expect(revived.filter((each) => each === 'done')).toHaveLength(1)
      expect(revived.filter((each) => each !== 'done')).toEqual(Array(5).fill(code('InvalidBackup')))
      expect((await database.backup(child.id)).displayName).toBe(`reviver ${revived.indexOf('done')}`)
      await other.close()
    })
  })

  describe('the number of dependent backups', () => {
    it('grows by one a call, also when many call at once', async () => {
      const other = await place().again()
      const { id } = await made()
      await Promise.all(Array.from({ length: 20 }, (_, index) => [database, other][index % 2]!.addDependent(id)))
      expect((await database.backup(id)).numDependentBackups).toBe(20)
      await other.close()
    })

    it('is what is left after a child was deleted, also when a failed child was never counted', async () => {
      const parent = await made()
      const [good, failed] = [await made({ parentId: parent.id }), await made({ parentId: parent.id, status: 'error' })]
      await database.addDependent(parent.id)
      await database.deleteBackup(failed.id, '2026-02-01T00:00:00.000Z')
      expect((await database.backup(parent.id)).numDependentBackups).toBe(1)
      await database.deleteBackup(good.id, '2026-02-01T00:00:00.000Z')
      expect((await database.backup(parent.id)).numDependentBackups).toBe(0)
    })

    it('is 0 when all children were deleted at once', async () => {
      const other = await place().again()
      const parent = await made()
      const children = []
      for (let index = 0; index < 12; index++) {
        children.push(await made({ parentId: parent.id }))
        await database.addDependent(parent.id)
      }
      await Promise.all(children.map(({ id }, index) => [database, other][index % 2]!.deleteBackup(id, '2026-02-01T00:00:00.000Z')))
      expect((await database.backup(parent.id)).numDependentBackups).toBe(0)
      await other.close()
    })

    it('needs no parent row: an imported child may have none, or one that is gone', async () => {
      const orphan = await made({ parentId: randomUUID() })
      await database.deleteBackup(orphan.id, '2026-02-01T00:00:00.000Z')
      const parent = await made()
      const child = await made({ parentId: parent.id })
      await database.deleteBackup(parent.id, '2026-02-01T00:00:00.000Z')
      await database.deleteBackup(child.id, '2026-02-01T00:00:00.000Z')
      expect(await database.backups()).toEqual([])
    })
  })
}
