/** Which backup an incremental one builds on, and what snapshots do to that. */
import { describe, expect, it } from 'vitest'
import type { BackupRecord } from '../../src/contract/records.ts'
import { compareTimes } from '../../src/service/parent.ts'
import { PROJECT } from '../contract/support.ts'
import { coded } from '../repository/support/repositories.ts'
import { backupRecord, snapshotRecord } from '../suites/database/records.ts'
import { ExampleBackupDriver } from './example-driver.ts'
import { deferred, SERVICE, testService } from './support.ts'

async function withBackups(...changes: Partial<BackupRecord>[]) {
  const test = await testService()
  const volume = await test.addVolume()
  const rows = changes.map((each) => backupRecord({ volumeId: volume.id, projectId: PROJECT, status: 'available', service: SERVICE, ...each }))
  for (const row of rows) await test.database.createBackup(row)
  const create = (options: object = {}) => test.service.create({ volumeId: volume.id, incremental: true, ...options })
  return { ...test, addedVolume: volume, rows, create }
}

const day = (number: number) => ({ dataTimestamp: `2026-01-0${number}T00:00:00.000Z`, createdAt: `2026-01-0${number}T00:00:00.000Z` })

describe('an incremental backup', () => {
  it('builds on the latest data, not on the row made last, and counts as its dependent', async () => {
    const { create, rows, row } = await withBackups({ ...day(2), id: 'b' }, { ...day(3), id: 'c' }, { ...day(1), createdAt: '2026-01-09T00:00:00Z', id: 'a' })
    expect((await create()).parentId).toBe('c')
    expect(rows).toHaveLength(3)
    expect((await row('c')).numDependentBackups).toBe(1)
  })

  it('passes over what it can not build on', async () => {
    const { create } = await withBackups(
      { ...day(1), id: 'good' },
      { ...day(2), id: 'failed', status: 'error' },
      { ...day(3), id: 'of another project', projectId: 'another' },
      { ...day(4), id: 'of another volume', volumeId: 'another' },
      { ...day(5), id: 'of another driver', service: 'cinder.backup.drivers.ceph.CephBackupDriver' },
      { ...day(6), id: 'unfinished', status: 'creating' },
    )
    expect((await create()).parentId).toBe('good')
  })

  it('of a posix driver builds on backups of its own host', async () => {
    const posix = 'cinder.backup.drivers.posix.PosixBackupDriver'
    const test = await testService({ drivers: (context) => ({ [posix]: new ExampleBackupDriver(context) }) })
    const volume = await test.addVolume()
    const base = { volumeId: volume.id, projectId: PROJECT, status: 'available' as const, service: posix }
    await test.database.createBackup(backupRecord({ ...base, ...day(1), id: 'here', host: 'host-1' }))
    await test.database.createBackup(backupRecord({ ...base, ...day(2), id: 'there', host: 'host-2' }))
    expect((await test.service.create({ volumeId: volume.id, incremental: true })).parentId).toBe('here')
    await expect(test.service.create({ volumeId: volume.id, parentId: 'there' })).rejects.toThrow('host-2')
  })

  it('builds on the parent that is named', async () => {
    const { create } = await withBackups({ ...day(1), id: 'a' }, { ...day(2), id: 'b' })
    expect((await create({ incremental: undefined, parentId: 'a' })).parentId).toBe('a')
  })

  it('refuses a named parent that is of another volume, not available, or not its driver', async () => {
    const { create, database, addedVolume } = await withBackups(
      { id: 'v', volumeId: 'x' },
      { id: 's', status: 'restoring' },
      { id: 'd', service: 'another.Driver' },
    )
    for (const parentId of ['v', 's', 'd']) await expect(create({ parentId })).rejects.toEqual(coded('InvalidBackup'))
    expect(await database.volume(addedVolume.id)).toMatchObject({ status: 'available' })
  })

  it('leaves no row when its parent begins to be deleted meanwhile', async () => {
    const { create, database, service, addedVolume } = await withBackups({ id: 'a' })
    const insert = database.createBackup
    database.createBackup = async (row) => {
      await database.updateBackup('a', { status: 'deleting' })
      await insert(row)
    }
    await expect(create()).rejects.toEqual(coded('InvalidBackup'))
    expect((await service.list()).map(({ id }) => id)).toEqual(['a'])
    expect((await database.volume(addedVolume.id)).status).toBe('available')
  })
})

describe('a backup of a snapshot', () => {
  it('is of the data of that moment, and leaves the volume alone', async () => {
    const started = deferred()
    const goOn = deferred()
    const seen: unknown[] = []
    const test = await testService({
      resolveVolume: async (_volume, _mode, { snapshot }) => {
        seen.push(snapshot?.id)
        started.resolve()
        await goOn.promise
        throw new Error('enough')
      },
    })
    const volume = await test.addVolume({ status: 'in-use' })
    const snapshot = snapshotRecord({ volumeId: volume.id, createdAt: '2026-01-02T00:00:00.000Z' })
    await test.database.createSnapshot(snapshot)
    const created = test.service.create({ volumeId: volume.id, snapshotId: snapshot.id })
    created.catch(() => {})
    await started.promise
    expect([(await test.database.snapshot(snapshot.id)).status, (await test.volume(volume.id)).status]).toEqual(['backing-up', 'in-use'])
    await expect(test.service.create({ volumeId: volume.id, snapshotId: snapshot.id })).rejects.toEqual(coded('InvalidSnapshot'))
    goOn.resolve()
    await expect(created).rejects.toThrow('enough')
    expect((await test.database.snapshot(snapshot.id)).status).toBe('available')
    expect(seen).toEqual([snapshot.id])
    expect((await test.service.list())[0]).toMatchObject({ snapshotId: snapshot.id, dataTimestamp: snapshot.createdAt })
  })

  it('builds on data from before the snapshot only', async () => {
    const { create, database, addedVolume } = await withBackups({ ...day(1), id: 'before' }, { ...day(3), id: 'after' })
    const snapshot = snapshotRecord({ volumeId: addedVolume.id, createdAt: '2026-01-02T00:00:00.000Z' })
    await database.createSnapshot(snapshot)
    const backup = await create({ snapshotId: snapshot.id })
    expect(backup).toMatchObject({ parentId: 'before', dataTimestamp: snapshot.createdAt })
    await expect(create({ snapshotId: snapshot.id, parentId: 'after' })).rejects.toEqual(coded('InvalidBackup'))
    const early = snapshotRecord({ volumeId: addedVolume.id, createdAt: '2026-01-01T00:00:00Z' })
    await database.createSnapshot(early)
    await expect(create({ snapshotId: early.id })).rejects.toEqual(coded('InvalidBackup'))
  })
})

describe('times', () => {
  it('are compared to the microsecond, however many digits they have', () => {
    const sorted = ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000001Z', '2026-01-02T03:04:05.001Z', '2026-01-02T03:04:05.001001Z', '2026-01-02T03:04:06Z']
    expect([...sorted].reverse().sort(compareTimes)).toEqual(sorted)
    expect(compareTimes('2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000Z')).toBe(0)
  })
})
