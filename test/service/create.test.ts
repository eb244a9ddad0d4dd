/** Making backups: what is refused before anything changes, what the rows tell while and after, and where a failure leaves them. */
import { describe, expect, it } from 'vitest'
import { coded } from '../repository/support/repositories.ts'
import { snapshotRecord } from '../suites/database/records.ts'
import { PROJECT, USER } from '../contract/support.ts'
import { ExampleBackupDriver } from './example-driver.ts'
import { deferred, errorOf, memoryVolume, SERVICE, testService } from './support.ts'

describe('create', () => {
  it('stores the volume, and fills the row as Cinder does', async () => {
    const test = await testService({ context: { now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 678) } })
    const volume = await test.addVolume({ size: 3, encryptionKeyId: 'k1' })
    const backup = await test.service.create({ volumeId: volume.id, name: 'nightly', description: 'd', container: 'c', metadata: { a: 'b' } })
    expect(backup).toMatchObject({
      userId: USER,
      projectId: PROJECT,
      volumeId: volume.id,
      host: 'host-1',
      availabilityZone: 'nova',
      container: 'c',
      parentId: null,
      status: 'available',
      failReason: null,
      size: 3,
      displayName: 'nightly',
      displayDescription: 'd',
      service: SERVICE,
      objectCount: 5,
      numDependentBackups: 0,
      snapshotId: null,
      dataTimestamp: '2026-01-02T03:04:05.678Z',
      createdAt: '2026-01-02T03:04:05.678Z',
      metadata: { a: 'b' },
      encryptionKeyId: 'k1',
    })
    expect(backup.id).toMatch(/^[0-9a-f-]{36}$/)
    expect(await test.service.show(backup.id)).toEqual(backup)
    expect(Buffer.concat(test.driver.stored.get(backup.id)?.pieces ?? []).equals(test.volumes.get(volume.id) as Uint8Array)).toBe(true)
    expect(await test.volume(volume.id)).toMatchObject({ status: 'available', previousStatus: 'backing-up' })
    expect(test.problems).toEqual([])
  })

  it('holds the volume in backing-up and the row in creating meanwhile', async () => {
    const seen: unknown[] = []
    const test = await testService({
      resolveVolume: async (volume) => {
        const { status, previousStatus } = await test.volume(volume.id)
        seen.push(status, previousStatus, ...(await test.service.list()).map((backup) => backup.status))
        return memoryVolume(new Uint8Array(1))
      },
    })
    const volume = await test.addVolume({ status: 'in-use' })
    await test.service.create({ volumeId: volume.id, force: true })
    expect(seen).toEqual(['backing-up', 'in-use', 'creating'])
  })

  it('closes the volume, whether the driver succeeds or not', async () => {
    const file = memoryVolume(new Uint8Array(10))
    const test = await testService({ resolveVolume: () => file })
    const volume = await test.addVolume()
    await test.service.create({ volumeId: volume.id })
    expect(file.closed).toBe(true)
    file.closed = false
    file.readAt = async () => {
      throw new Error('bad sector')
    }
    await errorOf(test.service.create({ volumeId: volume.id }))
    expect(file.closed).toBe(true)
  })

  it('passes backupMetadata on only when it is given', async () => {
    const given: unknown[] = []
    class Looking extends ExampleBackupDriver {
      override backup: ExampleBackupDriver['backup'] = async (_backup, _file, options) => {
        given.push(options && 'backupMetadata' in options ? options.backupMetadata : 'absent')
        return undefined
      }
    }
    const test = await testService({ drivers: (context) => ({ [SERVICE]: new Looking(context) }) })
    const volume = await test.addVolume()
    await test.service.create({ volumeId: volume.id })
    await test.service.create({ volumeId: volume.id, backupMetadata: true })
    expect(given).toEqual(['absent', true])
  })

  it('lets a driver change its own fields of the row, not the status', async () => {
    class Greedy extends ExampleBackupDriver {
      override backup: ExampleBackupDriver['backup'] = async () => ({ serviceMetadata: 'own', status: 'error', deleted: true, size: 99 })
    }
    const test = await testService({ drivers: (context) => ({ [SERVICE]: new Greedy(context) }) })
    const { id } = await test.service.create({ volumeId: (await test.addVolume()).id })
    expect(await test.row(id)).toMatchObject({ serviceMetadata: 'own', status: 'available', deleted: false, size: 1 })
  })
})

describe('create refuses, and changes nothing:', () => {
  it.each<[string, object, string]>([
    ['a name of 256 characters', { name: 'x'.repeat(256) }, 'InvalidInput'],
    ['a container of 256 characters', { container: 'x'.repeat(256) }, 'InvalidInput'],
    ['an empty container', { container: '' }, 'InvalidInput'],
    ['an id that is no UUID', { id: '../../etc' }, 'InvalidInput'],
    ['metadata that is no text', { metadata: { a: 1 } }, 'InvalidInput'],
    ['incremental that is no boolean', { incremental: 'yes' }, 'InvalidInput'],
    ['a volume id that is no text', { volumeId: 7 }, 'InvalidInput'],
    ['an unknown volume', { volumeId: 'absent' }, 'VolumeNotFound'],
    ['an unknown driver', { service: 'cinder.backup.drivers.tsm.TSMBackupDriver' }, 'ServiceNotFound'],
    ['an unknown snapshot', { snapshotId: 'absent' }, 'InvalidSnapshot'],
    ['an unknown parent', { parentId: 'absent' }, 'BackupNotFound'],
    ['an incremental without a full backup', { incremental: true }, 'InvalidBackup'],
  ])('%s', async (_name, options, code) => {
    const test = await testService()
    const volume = await test.addVolume()
    await expect(test.service.create({ volumeId: volume.id, ...options })).rejects.toEqual(coded(code))
    expect(await test.volume(volume.id)).toEqual(volume)
    expect(await test.service.list()).toEqual([])
    expect(test.events).toEqual([])
  })

  it.each(['creating', 'deleting', 'error', 'backing-up', 'restoring-backup', 'maintenance'])('a volume that is %s', async (status) => {
    const test = await testService()
    const volume = await test.addVolume({ status })
    await expect(test.service.create({ volumeId: volume.id, force: true })).rejects.toEqual(coded('InvalidVolume'))
    expect(await test.volume(volume.id)).toEqual(volume)
  })

  it('a volume in use without force', async () => {
    const test = await testService()
    const volume = await test.addVolume({ status: 'in-use' })
    await expect(test.service.create({ volumeId: volume.id })).rejects.toEqual(coded('InvalidVolume'))
    await test.service.create({ volumeId: volume.id, force: true })
    expect(await test.volume(volume.id)).toMatchObject({ status: 'in-use' })
  })

  it('a driver whose setup check fails, until it does not', async () => {
    let broken = true
    class Broken extends ExampleBackupDriver {
      override async checkForSetupError() {
        if (broken) throw new Error('no share is mounted')
      }
    }
    const test = await testService({ drivers: (context) => ({ [SERVICE]: new Broken(context) }) })
    const volume = await test.addVolume()
    await expect(test.service.create({ volumeId: volume.id })).rejects.toThrow('no share is mounted')
    expect([await test.volume(volume.id), await test.service.list()]).toEqual([volume, []])
    broken = false
    await test.service.create({ volumeId: volume.id })
  })

  it('an id that exists', async () => {
    const test = await testService()
    const volume = await test.addVolume()
    const { id } = await test.service.create({ volumeId: volume.id })
    const before = await test.row(id)
    await expect(test.service.create({ volumeId: volume.id, id })).rejects.toEqual(coded('InvalidBackup'))
    expect(await test.row(id)).toEqual(before)
    expect(test.driver.stored.get(id)?.pieces).toHaveLength(5)
    expect(await test.volume(volume.id)).toMatchObject({ status: 'available' })
  })

  it('a snapshot of another volume, or one that is busy', async () => {
    const test = await testService()
    const volume = await test.addVolume()
    const foreign = snapshotRecord()
    const busy = snapshotRecord({ volumeId: volume.id, status: 'creating' })
    await test.database.createSnapshot(foreign)
    await test.database.createSnapshot(busy)
    await expect(test.service.create({ volumeId: volume.id, snapshotId: foreign.id })).rejects.toEqual(coded('InvalidVolume'))
    await expect(test.service.create({ volumeId: volume.id, snapshotId: busy.id })).rejects.toEqual(coded('InvalidSnapshot'))
    expect(await test.service.list()).toEqual([])
  })
})

describe('a create that fails', () => {
  const failing = (error: unknown) =>
    class extends ExampleBackupDriver {
      override backup: ExampleBackupDriver['backup'] = async (backup, file, options) => {
        await super.backup(backup, file, options)
        throw error
      }
    }

  it("throws the driver's own error; the row tells it, the volume is back, what was stored is gone", async () => {
    const error = new Error('the share is full')
    const Failing = failing(error)
    const test = await testService({ drivers: (context) => ({ [SERVICE]: new Failing(context) }) })
    const volume = await test.addVolume({ status: 'in-use' })
    expect(await errorOf(test.service.create({ volumeId: volume.id, force: true }))).toBe(error)
    const [row] = await test.service.list()
    expect(row).toMatchObject({ status: 'error', failReason: 'the share is full' })
    expect(await test.volume(volume.id)).toMatchObject({ status: 'in-use', previousStatus: 'error_backing-up' })
    expect(test.driver.stored.size).toBe(0)
    expect(test.typesOf()).not.toContain('backup.create.end')
    await test.service.delete(row?.id as string)
  })

  it('cuts the reason at what its column holds, between characters', async () => {
    const Failing = failing(new Error('💾'.repeat(300)))
    const test = await testService({ drivers: (context) => ({ [SERVICE]: new Failing(context) }) })
    await errorOf(test.service.create({ volumeId: (await test.addVolume()).id }))
    expect((await test.service.list())[0]?.failReason).toBe('💾'.repeat(255))
  })

  it('throws the first error even when the cleaning fails too, and tells the second', async () => {
    const first = new Error('first')
    class Worse extends failing(first) {
      override async deleteBackup() {
        throw new Error('second')
      }
    }
    const test = await testService({ drivers: (context) => ({ [SERVICE]: new Worse(context) }) })
    const volume = await test.addVolume()
    test.context.database.updateVolume = ((update) => async (id, updates, guard) => {
      if (updates.status === 'available') throw new Error('third')
      return update(id, updates, guard)
    })(test.context.database.updateVolume)
    expect(await errorOf(test.service.create({ volumeId: volume.id }))).toBe(first)
    expect(test.problems.map(({ step, error }) => [step, (error as Error).message])).toEqual([
      ['give the volume back', 'third'],
      ['remove what was stored', 'second'],
    ])
    expect((await test.service.list())[0]).toMatchObject({ status: 'error', failReason: 'first' })
  })

  it('because the volume can not be opened gives it back', async () => {
    const test = await testService({ resolveVolume: () => '/nowhere/at/all' })
    const volume = await test.addVolume()
    await expect(test.service.create({ volumeId: volume.id })).rejects.toEqual(coded('SOURCE_MISSING'))
    expect(await test.volume(volume.id)).toMatchObject({ status: 'available' })
  })

  it('removes nothing of a row that is available: a lost answer of the database is no reason to delete data', async () => {
    const test = await testService()
    const volume = await test.addVolume()
    test.database.updateBackup = ((update) => async (id, updates, guard) => {
      const done = await update(id, updates, guard)
      if (updates.status === 'available') throw new Error('connection lost')
      return done
    })(test.database.updateBackup)
    await expect(test.service.create({ volumeId: volume.id })).rejects.toThrow('connection lost')
    const [row] = await test.service.list()
    expect(row?.status).toBe('available')
    expect(test.driver.stored.get(row?.id as string)?.pieces).toHaveLength(5)
  })

  it('after it gave the volume back does not take it from the next backup', async () => {
    const test = await testService()
    const volume = await test.addVolume()
    test.database.updateBackup = ((update) => async (id, updates, guard) => {
      if (updates.status !== 'available') return update(id, updates, guard)
      expect(await test.database.updateVolume(volume.id, { status: 'backing-up' }, { from: ['available'] })).toBe(true)
      throw new Error('connection lost')
    })(test.database.updateBackup)
    await expect(test.service.create({ volumeId: volume.id })).rejects.toThrow('connection lost')
    expect((await test.volume(volume.id)).status).toBe('backing-up')
  })

  it('leaves a status that somebody gave the volume meanwhile, and so does one that succeeds', async () => {
    for (const fails of [true, false]) {
      const test = await testService({
        resolveVolume: async (row) => {
          await test.database.updateVolume(row.id, { status: 'error' })
          if (fails) throw new Error('no')
          return memoryVolume(new Uint8Array(1))
        },
      })
      const volume = await test.addVolume()
      await test.service.create({ volumeId: volume.id }).catch(() => {})
      expect((await test.volume(volume.id)).status).toBe('error')
    }
  })

  it('and whose volume was deleted meanwhile still tells why', async () => {
    const gate = deferred()
    const test = await testService({
      resolveVolume: async () => {
        await gate.promise
        throw new Error('gone')
      },
    })
    const volume = await test.addVolume()
    const created = errorOf(test.service.create({ volumeId: volume.id }))
    await expect.poll(() => test.typesOf()).toContain('backup.create.start')
    await test.database.deleteVolume(volume.id)
    gate.resolve()
    expect(await created).toMatchObject({ message: 'gone' })
    expect((await test.service.list())[0]).toMatchObject({ status: 'error', failReason: 'gone' })
  })
})
