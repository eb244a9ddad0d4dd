/** The repository driver keeps what every driver keeps, and what our repository adds. */
import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Repository } from '../../src/contract/backup.ts'
import { createMemoryDatabase } from '../../src/database/memory.ts'
import { RepositoryBackupDriver } from '../../src/drivers/repository.ts'
import { openRepository } from '../../src/repository/open.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { namesUnder, newRepository, platform, type TestRepository } from '../repository/support/repositories.ts'
import { memoryContext } from '../contract/support.ts'
import { noise } from '../repository/support/random.ts'
import { memoryVolume } from '../suites/backup-driver/memory-volume.ts'
import { type DriverPlace, driverPlace, type StoreUnderTest } from '../suites/backup-driver/place.ts'
import { code } from '../suites/database/records.ts'
import { backupDriverSuite } from '../suites/backup-driver.ts'

async function repositoryStore(place: TestRepository): Promise<StoreUnderTest & { repository: Repository }> {
  const repository = await openRepository(platform, createMemoryStorage(place.objects), place.options)
  return {
    repository,
    driver: (context) => new RepositoryBackupDriver(context, { repository }),
    stored: async ({ id }) => namesUnder(place.objects, `backups/${id}`),
    async damage() {
      // The one that was stored last; the map of the volume is at its end.
      const pack = [...place.objects].filter(([name]) => name.startsWith('packs/')).at(-1)![1]
      pack[pack.length >> 2]! ^= 1
    },
    close: () => repository.close(),
  }
}

backupDriverSuite('repository', async () => repositoryStore(await newRepository()))
backupDriverSuite('unencrypted repository', async () => repositoryStore(await newRepository({ encryption: false })))

describe('the repository driver', () => {
  const MIB = 1024 * 1024
  let place: TestRepository
  let store: Awaited<ReturnType<typeof repositoryStore>>
  let at: DriverPlace
  beforeEach(async () => {
    place = await newRepository()
    store = await repositoryStore(place)
    at = driverPlace(store, await memoryContext())
    return () => store.close()
  })

  it('stores what no backup has yet, whatever volume and parent it is of', async () => {
    const bytes = noise(1, 2 * MIB)
    const first = await at.backedUp(await at.volume(), bytes.slice())
    const packs = namesUnder(place.objects, 'packs/')
    const second = await at.backedUp(await at.volume(), bytes.slice())
    expect(namesUnder(place.objects, 'packs/')).toEqual(packs)
    expect(await store.repository.show(second.id)).toMatchObject({ newBytes: 0, volumeBytes: 2 * MIB })
    await at.driver.deleteBackup(first)
    const fresh = new Uint8Array(2 * MIB)
    await at.restored(second, fresh, { isNew: true })
    expect(Buffer.compare(fresh, bytes)).toBe(0)
  })

  it('makes backups that the repository shows under their ids, with what Cinder calls them', async () => {
    const volume = await at.volume()
    const parent = await at.backedUp(volume, noise(2, 1000))
    const child = await at.backedUp(volume, noise(2, 1000), {
      parentId: parent.id,
      displayName: 'nightly',
      displayDescription: 'of "x"',
      createdAt: '2026-02-03T04:05:06.789Z',
    })
    expect(child).toMatchObject({ serviceMetadata: child.id, container: store.repository.id })
    expect(await store.repository.show(child.id)).toMatchObject({
      volume: volume.id,
      tags: {
        'cinder.volume_id': volume.id,
        'cinder.parent_id': parent.id,
        'cinder.name': 'nightly',
        'cinder.description': 'of "x"',
        'cinder.created_at': '2026-02-03 04:05:06.789000+00:00',
      },
    })
    expect((await store.repository.list({ volume: volume.id })).map(({ id }) => id)).toEqual([child.id, parent.id])
  })

  it('leaves a backup alone that the repository has under this id already, in the failure’s aftermath too', async () => {
    const bytes = noise(3, MIB)
    const id = randomUUID()
    await store.repository.backup(memoryVolume(bytes), { id })
    const row = await at.row(await at.volume(), { id })
    await expect(at.driver.backup(row, memoryVolume(noise(4, MIB)))).rejects.toEqual(code('InvalidBackup'))
    await at.driver.deleteBackup(await at.database.backup(id))
    expect((await store.repository.show(id)).volumeBytes).toBe(MIB)
  })

  it('refuses an id that the repository can not keep', async () => {
    for (const id of ['x', randomUUID().toUpperCase(), `${randomUUID()}\0`, 'latest']) {
      const row = await at.row(await at.volume(), { id })
      await expect(at.driver.backup(row, memoryVolume(noise(5, 1000)))).rejects.toEqual(code('InvalidBackup'))
    }
    expect(await store.repository.list()).toEqual([])
  })

  it('refuses rows of another repository, and of a backup that is gone; the latter can be deleted', async () => {
    const backup = await at.backedUp(await at.volume(), noise(6, 1000))
    const other = await repositoryStore(await newRepository())
    await at.database.updateBackup(backup.id, { status: 'restoring' })
    const row = await at.database.backup(backup.id)
    await expect(other.driver(at.context).restore(row, backup.volumeId, memoryVolume(new Uint8Array(1000)), true)).rejects.toThrow(/of repository/)
    await expect(other.driver(at.context).deleteBackup(row)).rejects.toEqual(code('InvalidBackup'))
    await other.close()
    await store.repository.delete([backup.id])
    await expect(at.driver.restore(row, backup.volumeId, memoryVolume(new Uint8Array(1000)), true)).rejects.toThrow(/no longer has it/)
    await at.driver.deleteBackup(row)
  })

  it('of a row that names another backup’s data leaves that one whole', async () => {
    const other = await at.backedUp(await at.volume(), noise(7, MIB))
    const impostor = await at.row(await at.volume(), { container: other.container, serviceMetadata: other.serviceMetadata })
    await expect(at.driver.deleteBackup(impostor)).rejects.toEqual(code('InvalidBackup'))
    expect((await store.repository.show(other.id)).id).toBe(other.id)
  })

  it.each([
    ['of no repository', {}],
    ['of another repository', { repository_id: randomUUID() }],
    ['of other content', { digest: '00' }],
    ['with wrong types', { digest: 7 }],
  ])('does not import a record %s', async (name, changes) => {
    const backup = await at.backedUp(await at.volume(), noise(8, 1000))
    const info = name === 'of no repository' ? changes : { ...(await at.driver.exportRecord(backup)), ...changes }
    await expect(at.driver.importRecord(backup, info)).rejects.toEqual(code('InvalidBackup'))
  })

  it('refuses metadata that is too long to be kept, before anything is stored', async () => {
    const volume = await at.volume()
    await at.database.updateVolumeMetadata(volume.id, { key: 'x'.repeat(200_000) })
    const row = await at.row(volume)
    await expect(at.driver.backup(row, memoryVolume(noise(9, MIB)))).rejects.toThrow(/too long to be kept/)
    expect(namesUnder(place.objects, 'packs/')).toEqual([])
    expect(await at.driver.backup(row, memoryVolume(noise(9, MIB)), { backupMetadata: false })).toMatchObject({ serviceMetadata: row.id })
  })

  it('stops reading soon after its row turned to deleting, and a restore soon after its status changed', async () => {
    // A second passes between two looks at the clock.
    let seconds = 0
    at = driverPlace(store, await memoryContext({ now: () => 1000 * seconds++ }))
    const row = await at.row(await at.volume())
    const bytes = noise(10, 96 * MIB)
    const onRead = async () => void (await at.database.updateBackup(row.id, { status: 'deleting' }))
    const source = memoryVolume(bytes, { onRead })
    expect(await at.driver.backup(row, source)).toBeUndefined()
    expect(source.done.read).toBeLessThan(bytes.length)

    const backup = await at.backedUp(await at.volume(), bytes)
    const onWrite = async () => void (await at.database.updateBackup(backup.id, { status: 'error' }))
    const target = memoryVolume(new Uint8Array(bytes.length), { onWrite })
    await expect(at.restored(backup, target, { isNew: true })).rejects.toEqual(code('BackupRestoreCancel'))
    expect(target.done.written).toBeLessThan(bytes.length)
  })

  it('ends with the database’s failure when the row can not be looked at', async () => {
    let asked = 0
    const database = createMemoryDatabase()
    const failing = {
      ...database,
      async backup(...args: Parameters<typeof database.backup>) {
        if (asked++ > 0) throw new Error('the database fell over')
        return database.backup(...args)
      },
    }
    at = driverPlace(store, await memoryContext({ database: failing }))
    const row = await at.row(await at.volume())
    await expect(at.driver.backup(row, memoryVolume(noise(11, MIB)))).rejects.toThrow('the database fell over')
    expect(await store.repository.list()).toEqual([])
    // What is stored can not be known then: a delete that did nothing would pass for one that did all.
    await expect(at.driver.deleteBackup(row)).rejects.toThrow('the database fell over')
  })
})
