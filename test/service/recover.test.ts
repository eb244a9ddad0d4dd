/** What a restart finds and undoes: the rows of the probes that were made with Cinder 29.0.0, and what Cinder leaves undone. */
import { describe, expect, it } from 'vitest'
import { backupRecord, snapshotRecord } from '../suites/database/records.ts'
import { ExampleBackupDriver } from './example-driver.ts'
import { deferred, SERVICE, testService } from './support.ts'
import { shared } from '../contract/support.ts'

const row = (changes: Parameters<typeof backupRecord>[0]) => backupRecord({ host: 'host-1', service: SERVICE, ...changes })
const REASON = 'incomplete backup reset on manager restart'

describe('recover', () => {
  it.each([
    ['creating', 'backing-up', { status: 'error', failReason: REASON }, 'in-use'],
    ['restoring', 'restoring-backup', { status: 'available', failReason: null }, 'error_restoring'],
    ['deleting', 'available', { status: 'deleted', failReason: null }, 'available'],
    ['error', 'backing-up', { status: 'error', failReason: null }, 'backing-up'],
    ['error_deleting', 'available', { status: 'error_deleting', failReason: null }, 'available'],
    ['available', 'backing-up', { status: 'available', failReason: null }, 'backing-up'],
  ] as const)('of a backup found %s', async (was, volumeStatus, expected, volumeExpected) => {
    const test = await testService()
    const volume = await test.addVolume({ status: volumeStatus, previousStatus: 'in-use' })
    const backup = row({ status: was, volumeId: volume.id, restoreVolumeId: volume.id })
    await test.database.createBackup(backup)
    test.driver.stored.set(backup.id, { pieces: [] })
    const changed = was !== expected.status
    expect(await test.service.recover()).toEqual(changed ? [{ backupId: backup.id, was, became: expected.status }] : [])
    expect(await test.row(backup.id)).toMatchObject(expected)
    expect((await test.volume(volume.id)).status).toBe(volumeExpected)
    // Cinder leaves the objects of an unfinished backup.
    expect(test.driver.stored.has(backup.id)).toBe(was !== 'creating' && was !== 'deleting')
    expect(test.problems).toEqual([])
    expect(await test.service.recover()).toEqual([])
  })

  it('says what Cinder says', () => {
    const probes = shared('cinder/probes-29.0.0.txt')
    if (probes) expect(probes).toContain(`service restart finds creating               {"calls": [], "fail_reason": "${REASON}", "status": "error"`)
  })

  it("resumes the delete of an encrypted volume's backup, which Cinder gives up", async () => {
    const test = await testService()
    const backup = row({ status: 'deleting', encryptionKeyId: 'k1' })
    await test.database.createBackup(backup)
    await test.service.recover()
    // The id stays in the deleted row: whoever keeps the keys can delete the key.
    expect(await test.row(backup.id)).toMatchObject({ status: 'deleted', encryptionKeyId: 'k1' })
  })

  it('gives a snapshot back, and leaves its volume alone', async () => {
    const test = await testService()
    const volume = await test.addVolume({ status: 'backing-up', previousStatus: 'available' })
    const snapshot = snapshotRecord({ volumeId: volume.id, status: 'backing-up' })
    await test.database.createSnapshot(snapshot)
    await test.database.createBackup(row({ status: 'creating', volumeId: volume.id, snapshotId: snapshot.id }))
    await test.service.recover()
    expect([(await test.database.snapshot(snapshot.id)).status, (await test.volume(volume.id)).status]).toEqual(['available', 'backing-up'])
  })

  it('leaves other hosts alone, and the volumes that their jobs hold', async () => {
    const test = await testService()
    const backedUp = await test.addVolume({ status: 'backing-up', previousStatus: 'available' })
    const restored = await test.addVolume({ status: 'restoring-backup' })
    const theirs = [
      row({ host: 'host-2', status: 'creating', volumeId: backedUp.id }),
      row({ host: 'host-2', status: 'restoring', restoreVolumeId: restored.id }),
    ]
    const ours = [row({ status: 'creating', volumeId: backedUp.id }), row({ status: 'restoring', restoreVolumeId: restored.id })]
    for (const each of [...theirs, ...ours]) await test.database.createBackup(each)
    await test.service.recover()
    for (const each of theirs) expect(await test.row(each.id)).toEqual(each)
    expect((await test.row(ours[0]?.id as string)).status).toBe('error')
    expect([(await test.volume(backedUp.id)).status, (await test.volume(restored.id)).status]).toEqual(['backing-up', 'restoring-backup'])
  })

  it('leaves jobs alone that run here', async () => {
    const started = deferred()
    const goOn = deferred()
    const test = await testService({
      resolveVolume: async () => {
        started.resolve()
        await goOn.promise
        throw new Error('enough')
      },
    })
    const volume = await test.addVolume()
    const created = test.service.create({ volumeId: volume.id })
    created.catch(() => {})
    await started.promise
    expect(await test.service.recover()).toEqual([])
    expect(test.problems).toEqual([])
    expect((await test.service.list())[0]?.status).toBe('creating')
    goOn.resolve()
    await expect(created).rejects.toThrow('enough')
  })

  it('goes on where one row is trouble: a volume that is gone, a store that is away', async () => {
    class Away extends ExampleBackupDriver {
      override async deleteBackup() {
        throw new Error('the store is away')
      }
    }
    const test = await testService({ drivers: (context) => ({ [SERVICE]: new Away(context) }) })
    const rows = [
      row({ status: 'deleting' }),
      row({ status: 'creating', volumeId: 'gone' }),
      row({ status: 'restoring', restoreVolumeId: 'gone' }),
      row({ status: 'creating', service: 'another.Driver', volumeId: 'gone' }),
    ]
    for (const each of rows) await test.database.createBackup(each)
    const recovered = await test.service.recover()
    expect(recovered).toHaveLength(3)
    const statuses = await Promise.all(rows.map(async ({ id }) => (await test.row(id)).status))
    expect(statuses).toEqual(['error', 'error', 'available', 'error'])
    expect((await test.row(rows[0]?.id as string)).failReason).toBe('the store is away')
    expect(new Set(test.problems.map(({ backupId }) => backupId))).toEqual(new Set(rows.map(({ id }) => id)))
  })
})

describe('a process that dies', () => {
  /** Everything it would have done after a write of the database is not done. */
  it('at any write of a create leaves what a restart sets right', async () => {
    for (let writes = 0; ; writes++) {
      const { survivor, volume, died } = await dieAfter(writes, async (test, volumeId) => void (await test.service.create({ volumeId })))
      const backups = await survivor.service.list()
      const status = (await survivor.volume(volume.id)).status
      for (const backup of backups) {
        expect([backup.status, status], `after ${writes} writes`).toEqual([expect.stringMatching(/^(available|error)$/), 'available'])
        expect(survivor.stored.has(backup.id), `after ${writes} writes`).toBe(backup.status === 'available')
      }
      expect(status, `after ${writes} writes`).toBe('available')
      if (!died) return void expect(writes).toBeGreaterThan(3)
    }
  })

  it('at any write of a delete loses the backup or keeps it', async () => {
    for (let writes = 0; ; writes++) {
      const { survivor, died } = await dieAfter(writes, async (test, volumeId) => test.service.delete((await prepared(test, volumeId)).id))
      for (const backup of await survivor.service.list())
        expect([backup.status, survivor.stored.has(backup.id)], `after ${writes} writes`).toEqual(['available', true])
      if (!died) return void expect(writes).toBeGreaterThan(1)
    }
  })

  it('at any write of a restore keeps the backup, and says that the volume is not whole', async () => {
    for (let writes = 0; ; writes++) {
      let target = ''
      const { survivor, died } = await dieAfter(writes, async (test, volumeId) => {
        const backup = await prepared(test, volumeId)
        target = (await test.addVolume()).id
        await test.service.restore(backup.id, { volumeId: target })
      })
      expect((await survivor.service.list()).map(({ status }) => status)).toEqual(['available'])
      const { status } = await survivor.volume(target)
      expect(status, `after ${writes} writes`).toMatch(/^(available|error_restoring)$/)
      if (status === 'available' && died) {
        // Either not a byte was written, or the whole backup.
        const metadata = await survivor.database.volumeMetadata(target)
        expect(survivor.touched(target), `after ${writes} writes`).toBe('src_backup_id' in metadata)
      }
      if (!died) return void expect(writes).toBeGreaterThan(3)
    }
  })

  type Test = Awaited<ReturnType<typeof testService>>

  /** What was there before the process that dies began. */
  async function prepared(test: Test, volumeId: string) {
    const alive = await testService({
      context: { database: originals.get(test.database) as Test['database'] },
      volumes: test.volumes,
      drivers: () => ({ [SERVICE]: test.driver }),
    })
    return alive.service.create({ volumeId })
  }

  const originals = new WeakMap<object, Test['database']>()

  /** Runs `work` on a database that does `writes` more writes and then nothing, ever; then starts a service on the same rows. */
  async function dieAfter(writes: number, work: (test: Test, volumeId: string) => Promise<void>) {
    const before = await testService()
    const volume = await before.addVolume()
    const pristine = new Map<string, Uint8Array>()
    let left = writes
    let died = false
    const never = new Promise<never>(() => {})
    const dying = deferred()
    const database = new Proxy(before.database, {
      get(target, name, receiver) {
        const method: unknown = Reflect.get(target, name, receiver)
        if (typeof method !== 'function' || !/^(create|update|delete|add|replace)/.test(String(name))) return method
        return async (...parameters: unknown[]) => {
          if (left === 0) {
            died = true
            dying.resolve()
            return never
          }
          left--
          return method.apply(target, parameters)
        }
      },
    })
    originals.set(database, before.database)
    const test = await testService({ context: { database }, volumes: before.volumes, drivers: () => ({ [SERVICE]: before.driver }) })
    const addVolume = async () => {
      const added = await before.addVolume()
      pristine.set(added.id, (before.volumes.get(added.id) as Uint8Array).slice())
      return added
    }
    await Promise.race([work({ ...test, driver: before.driver, addVolume }, volume.id), dying.promise])
    const survivor = await testService({ context: { database: before.database }, volumes: before.volumes, drivers: () => ({ [SERVICE]: before.driver }) })
    await survivor.service.recover()
    expect(survivor.problems).toEqual([])
    const touched = (id: string) => Buffer.compare(pristine.get(id) as Uint8Array, before.volumes.get(id) as Uint8Array) !== 0
    return { survivor: { ...survivor, stored: before.driver.stored, touched }, volume, died }
  }
})
