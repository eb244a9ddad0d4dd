/** What every database keeps of backups: records, updates and their guards, the list. */
import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Database } from '../../../src/contract/database.ts'
import { BACKUP_STATUSES, type BackupRecord } from '../../../src/contract/records.ts'
import type { DatabaseUnderTest } from './place.ts'
import { backupRecord, code, fullBackup, HARD_TEXTS, TIME } from './records.ts'

export function backupRowClaims(place: () => DatabaseUnderTest): void {
  let database: Database
  beforeEach(() => {
    database = place().database
  })
  const made = async (changes?: Partial<BackupRecord>) => {
    const record = backupRecord(changes)
    await database.createBackup(record)
    return record
  }

  describe('a backup', () => {
    it('comes back with every field as it was written, on another connection too', async () => {
      const record = fullBackup()
      await database.createBackup(record)
      expect(await database.backup(record.id)).toEqual(record)
      const other = await place().again()
      expect(await other.backup(record.id)).toEqual(record)
      await other.close()
    })

    it.each(Object.entries(HARD_TEXTS))('keeps %s in its texts, its id and its metadata', async (_, text) => {
      const record = backupRecord({ displayName: text, failReason: text, metadata: { [text]: text, plain: text } })
      const short = text.slice(0, 100)
      await database.createBackup({ ...record, id: `${record.id}${short}`, volumeId: short })
      const found = await database.backup(`${record.id}${short}`)
      expect(found).toEqual({ ...record, id: `${record.id}${short}`, volumeId: short })
      expect((await database.backups({ volumeId: short })).map(({ id }) => id)).toEqual([found.id])
      await database.updateBackup(found.id, { failReason: `${text}!` })
      expect((await database.backup(found.id)).failReason).toBe(`${text}!`)
    })

    it('is the caller’s own copy, on the way in and out', async () => {
      const metadata = { key: 'value' }
      const record = await made({ metadata })
      metadata.key = 'changed'
      const found = await database.backup(record.id)
      Object.assign(found, { status: 'error' })
      Object.assign(found.metadata, { key: 'changed too' })
      expect(await database.backup(record.id)).toMatchObject({ status: 'creating', metadata: { key: 'value' } })
    })

    it.each([
      ['2024-01-10T00:05:09Z', '2024-01-10T00:05:09.000Z'],
      ['2024-01-10T00:05:09.5Z', '2024-01-10T00:05:09.500Z'],
      ['2024-01-10T00:05:09.123Z', '2024-01-10T00:05:09.123Z'],
      ['2024-01-10T00:05:09.123400Z', '2024-01-10T00:05:09.123400Z'],
      ['2024-02-29T23:59:59.999999Z', '2024-02-29T23:59:59.999999Z'],
    ])('keeps the time %s as %s', async (given, kept) => {
      const { id } = await made({ createdAt: given, dataTimestamp: given })
      expect(await database.backup(id)).toMatchObject({ createdAt: kept, dataTimestamp: kept })
    })

    it.each([
      ['a time without a zone', { createdAt: '2024-01-10T00:05:09' }],
      ['the 30th of February', { createdAt: '2024-02-30T00:05:09Z' }],
      ['a time that is none', { dataTimestamp: 'yesterday' }],
      ['half a GiB', { size: 0.5 }],
      ['a number too large', { objectCount: 2 ** 53 }],
      ['a number in text', { size: '1' }],
      ['a bigint', { size: 1n }],
      ['a status Cinder does not know', { status: 'done' }],
      ['null where there is always a value', { userId: null }],
      ['a flag that is a number', { deleted: 0 }],
      ['metadata that is a list', { metadata: [] }],
      ['metadata that JSON can not carry', { metadata: { size: 1n } }],
      ['a column that does not exist', { 'size" = 0; --': 1 }],
      ['an id of a parent as long as a text', { parentId: 'x'.repeat(256) }],
      ['a field of every object', { constructor: 'x' }],
    ])('is refused with %s, new or as an update', async (_, changes) => {
      const record = backupRecord()
      await expect(database.createBackup({ ...record, ...(changes as Partial<BackupRecord>) })).rejects.toEqual(code('InvalidInput'))
      await expect(database.backup(record.id)).rejects.toEqual(code('BackupNotFound'))
      await database.createBackup(record)
      await expect(database.updateBackup(record.id, changes as Partial<BackupRecord>)).rejects.toEqual(code('InvalidInput'))
      expect(await database.backup(record.id)).toEqual(record)
    })

    it('is refused without one of its fields, and its id does not change', async () => {
      const { userId, ...rest } = backupRecord()
      await expect(database.createBackup(rest as BackupRecord)).rejects.toEqual(code('InvalidInput'))
      const record = await made({ userId })
      await expect(database.updateBackup(record.id, { id: randomUUID() } as Partial<BackupRecord>)).rejects.toEqual(code('InvalidInput'))
    })

    it('takes ids of up to 255 characters, whatever they are', async () => {
      for (const [index, unit] of ['x', '\0', '\ud83d', '备'].entries()) {
        const long = unit.repeat(254) + index
        await database.createBackup(backupRecord({ id: long, volumeId: long, parentId: long }))
        expect(await database.backups({ volumeId: long, parentId: long })).toEqual([await database.backup(long)])
      }
      await expect(database.createBackup(backupRecord({ id: 'x'.repeat(256) }))).rejects.toEqual(code('InvalidInput'))
    })

    it('exists once: a second of the same id is refused, and changes nothing', async () => {
      const record = await made({ displayName: 'first' })
      await expect(database.createBackup({ ...record, displayName: 'second' })).rejects.toEqual(code('InvalidBackup'))
      expect((await database.backup(record.id)).displayName).toBe('first')
    })

    it.each(['', 'no such backup', "' OR '1'='1", '%', '\0', 'x'.repeat(10_000)])('of an unknown id is not found (%#)', async (id) => {
      await made()
      for (const asked of [
        () => database.backup(id),
        () => database.backup(id, { readDeleted: true }),
        () => database.updateBackup(id, { status: 'error' }),
        () => database.updateBackup(id, { status: 'error' }, { from: BACKUP_STATUSES }),
        () => database.deleteBackup(id, '2026-02-01T00:00:00.000Z'),
        () => database.addDependent(id),
      ]) {
        await expect(asked()).rejects.toEqual(code('BackupNotFound'))
      }
    })
  })

  describe('an update', () => {
    it('changes the given fields and updatedAt, and no other', async () => {
      const record = await made(fullBackup())
      const before = new Date().toISOString()
      expect(await database.updateBackup(record.id, { status: 'error', failReason: 'disk on fire', host: null })).toBe(true)
      const found = await database.backup(record.id)
      expect(found).toEqual({ ...record, status: 'error', failReason: 'disk on fire', host: null, updatedAt: expect.stringMatching(TIME) })
      expect(found.updatedAt?.slice(0, 19)).toSatisfy((second: string) => second >= before.slice(0, 19) && second <= new Date().toISOString().slice(0, 19))
    })

    it('keeps an updatedAt that is given, as an imported record brings it', async () => {
      const { id } = await made()
      await database.updateBackup(id, { updatedAt: '2020-01-01T00:00:00.000Z' })
      expect((await database.backup(id)).updatedAt).toBe('2020-01-01T00:00:00.000Z')
    })

    it('of no other backup touches this one', async () => {
      const [one, two] = [await made(), await made()]
      await database.updateBackup(one.id, { status: 'error' })
      expect(await database.backup(two.id)).toEqual(two)
    })

    it('happens only from the statuses of its guard', async () => {
      const { id } = await made({ status: 'creating' })
      expect(await database.updateBackup(id, { status: 'error' }, { from: ['available', 'error'] })).toBe(false)
      expect(await database.updateBackup(id, { status: 'error' }, { from: [] })).toBe(false)
      expect(await database.backup(id)).toMatchObject({ status: 'creating', updatedAt: null })
      expect(await database.updateBackup(id, { status: 'available' }, { from: ['creating', 'restoring'] })).toBe(true)
      expect((await database.backup(id)).status).toBe('available')
    })

    it('of a deleted backup happens never: not found without a guard, false with one', async () => {
      const { id } = await made()
      await database.deleteBackup(id, '2026-02-01T00:00:00.000Z')
      await expect(database.updateBackup(id, { status: 'error' })).rejects.toEqual(code('BackupNotFound'))
      expect(await database.updateBackup(id, { status: 'error' }, { from: BACKUP_STATUSES })).toBe(false)
      expect((await database.backup(id, { readDeleted: true })).status).toBe('deleted')
    })

    it('from one status succeeds for exactly one of many callers on two connections', async () => {
      const other = await place().again()
      for (let round = 0; round < 10; round++) {
        const { id } = await made({ status: 'available' })
        const tries = Array.from({ length: 8 }, (_, index) =>
          [database, other][index % 2]!.updateBackup(id, { status: 'restoring', host: `host ${index}` }, { from: ['available'] }),
        )
        const won = (await Promise.all(tries)).flatMap((done, index) => (done ? [index] : []))
        expect(won).toHaveLength(1)
        expect(await database.backup(id)).toMatchObject({ status: 'restoring', host: `host ${won[0]}` })
      }
      await other.close()
    })
  })

  describe('the list of backups', () => {
    it('is in the order of creation, whatever the digits of its times, then of ids', async () => {
      const times = ['05:09Z', '05:09.000001Z', '05:09.1Z', '05:09.123Z', '05:09.123456Z', '05:09.124Z', '05:10Z']
      const records = times.map((time) => backupRecord({ createdAt: `2024-01-10T00:${time}` }))
      const twins = [randomUUID(), randomUUID(), randomUUID()].sort().map((id) => backupRecord({ id, createdAt: '2025-01-01T00:00:00Z' }))
      for (const record of [...records, ...twins].reverse()) await database.createBackup(record)
      expect((await database.backups()).map(({ id }) => id)).toEqual([...records, ...twins].map(({ id }) => id))
    })

    it('has what matches every given field', async () => {
      const [volumeId, parentId] = [randomUUID(), randomUUID()]
      const wanted = await made({ volumeId, parentId, projectId: 'p', host: 'h', status: 'error' })
      const others = [
        await made({ parentId, projectId: 'p', host: 'h', status: 'error' }),
        await made({ volumeId, projectId: 'p', host: 'h', status: 'error' }),
        await made({ volumeId, parentId, projectId: 'q', host: 'h', status: 'error' }),
        await made({ volumeId, parentId, projectId: 'p', host: null, status: 'error' }),
        await made({ volumeId, parentId, projectId: 'p', host: 'h', status: 'available' }),
      ]
      const found = async (filter: Parameters<Database['backups']>[0]) => (await database.backups(filter)).map(({ id }) => id)
      expect(await found({ volumeId, parentId, projectId: 'p', host: 'h', statuses: ['error', 'error_deleting'] })).toEqual([wanted.id])
      expect((await found({ volumeId, parentId, projectId: 'p', host: undefined, statuses: undefined })).sort()).toEqual(
        [wanted.id, others[3]!.id, others[4]!.id].sort(),
      )
      expect(await found({ volumeId: '%' })).toEqual([])
      expect(await found({ statuses: [] })).toEqual([])
      expect(await found({})).toHaveLength(6)
    })

    it('refuses a filter it does not know, rather than to give everything', async () => {
      await expect(database.backups({ volume: 'x' } as object)).rejects.toEqual(code('InvalidInput'))
    })
  })
}
