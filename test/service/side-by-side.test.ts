/** Two services on one database: each status change happens in exactly one of them, and at most so many jobs move data at once. */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '../../adapters/node/database.ts'
import { isBlockvaultError } from '../../src/contract/errors.ts'
import type { Database } from '../../src/contract/database.ts'
import { createMemoryDatabase } from '../../src/database/memory.ts'
import { createJobs } from '../../src/service/jobs.ts'
import type { BackupService } from '../../src/service/service.ts'
import { numbers, SEED } from '../repository/support/random.ts'
import { coded } from '../repository/support/repositories.ts'
import { temporaryDirectory } from '../repository/support/volumes.ts'
import { snapshotRecord } from '../suites/database/records.ts'
import { deferred, memoryVolume, MIB, SERVICE, testService } from './support.ts'

async function twoServices(database: Database = createMemoryDatabase(), again = database) {
  const one = await testService({ context: { database } })
  const other = await testService({ context: { database: again }, volumes: one.volumes, host: 'host-2', drivers: () => ({ [SERVICE]: one.driver }) })
  return { one, other, services: [one.service, other.service] as const }
}

/** Answers come late, and in another order than they were asked for: as from a server. */
function slowed(database: Database, below: (bound: number) => number): Database {
  const wait = async () => {
    for (let turns = below(4); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve))
  }
  return new Proxy(database, {
    get(target, name, receiver) {
      const method: unknown = Reflect.get(target, name, receiver)
      if (typeof method !== 'function') return method
      return async (...parameters: unknown[]) => {
        await wait()
        try {
          return await method.apply(target, parameters)
        } finally {
          await wait()
        }
      }
    },
  })
}

describe('two services', () => {
  const outcomes = async (works: readonly Promise<unknown>[]) => (await Promise.allSettled(works)).map(({ status }) => status).sort()

  it('make one backup of a volume at a time', async () => {
    const { one, services } = await twoServices()
    const { id: volumeId } = await one.addVolume()
    expect(await outcomes(services.map((service) => service.create({ volumeId })))).toEqual(['fulfilled', 'rejected'])
    expect((await one.service.list()).map(({ status }) => status)).toEqual(['available'])
  })

  it('make one backup of a snapshot at a time', async () => {
    const { one, services } = await twoServices()
    const { id: volumeId } = await one.addVolume()
    const snapshot = snapshotRecord({ volumeId })
    await one.database.createSnapshot(snapshot)
    expect(await outcomes(services.map((service) => service.create({ volumeId, snapshotId: snapshot.id })))).toEqual(['fulfilled', 'rejected'])
    expect((await one.service.list()).map(({ status }) => status)).toEqual(['available'])
  })

  it('restore a backup once, to one volume, at a time', async () => {
    const { one, services } = await twoServices()
    const backup = await one.service.create({ volumeId: (await one.addVolume()).id })
    const targets = [await one.addVolume(), await one.addVolume()]
    expect(await outcomes(services.map((service, index) => service.restore(backup.id, { volumeId: targets[index]?.id })))).toEqual(['fulfilled', 'rejected'])
    expect((await Promise.all(targets.map(({ id }) => one.volume(id)))).map(({ status }) => status)).toEqual(['available', 'available'])
  })

  it('delete a backup once', async () => {
    const { one, services } = await twoServices()
    const backup = await one.service.create({ volumeId: (await one.addVolume()).id })
    expect(await outcomes(services.map((service) => service.delete(backup.id)))).toEqual(['fulfilled', 'rejected'])
    expect((await one.row(backup.id)).status).toBe('deleted')
  })

  it.each<[string, number, (below: (bound: number) => number) => Promise<Database[]>]>([
    ['a database that answers late', 40, async (below) => [slowed(createMemoryDatabase(), below)]],
    [
      'a SQLite file that each has open',
      10,
      async () => {
        const path = join(temporaryDirectory(), 'rows.sqlite')
        return [await openDatabase({ path }), await openDatabase({ path })]
      },
    ],
  ])(
    `keep rows, volumes and objects in step on %s (seed ${SEED})`,
    async (_name, turns, open) => {
      const below = numbers(SEED)
      const databases = await open(below)
      const { one, other, services } = await twoServices(...(databases as [Database, Database?]))
      const volumes = [await one.addVolume(), await one.addVolume(), await one.addVolume()]
      const unexpected: unknown[] = []
      let done = 0
      const act = async (service: BackupService): Promise<void> => {
        const volumeId = volumes[below(volumes.length)]?.id as string
        const backups = await service.list()
        const backupId = backups[below(backups.length)]?.id
        const wait = AbortSignal.timeout(1 + below(30))
        const works = [
          () => service.create({ volumeId }),
          () => service.create({ volumeId, incremental: true, signal: wait }),
          () => (backupId ? service.restore(backupId, { volumeId, signal: wait }) : undefined),
          () => (backupId ? service.restore(backupId, { volumeId }) : undefined),
          () => (backupId ? service.delete(backupId) : undefined),
          () => (backupId ? service.delete(backupId, { force: true }) : undefined),
        ]
        try {
          await works[below(works.length)]?.()
          done++
        } catch (error) {
          const codes = ['InvalidBackup', 'InvalidVolume', 'BackupNotFound', 'CANCELLED', 'BackupRestoreCancel']
          if (!isBlockvaultError(error) || !codes.includes(error.code)) unexpected.push(error)
        }
        // A volume whose restore was cancelled is made whole again by hand.
        for (const { id } of volumes) await one.database.updateVolume(id, { status: 'available' }, { from: ['error'] })
      }
      const actor = async (service: BackupService): Promise<void> => {
        for (let turn = 0; turn < turns; turn++) await act(service)
      }
      await Promise.all([...services, ...services].map(actor))
      expect(unexpected).toEqual([])
      expect([...one.problems, ...other.problems]).toEqual([])
      const backups = await one.service.list()
      for (const { status } of backups) expect(['available', 'error']).toContain(status)
      for (const { id } of volumes) expect((await one.volume(id)).status).toBe('available')
      const available = backups.filter(({ status }) => status === 'available')
      expect([...one.driver.stored.keys()].sort()).toEqual(available.map(({ id }) => id).sort())
      for (const { parentId } of available) if (parentId !== null) expect(available.map(({ id }) => id)).toContain(parentId)
      for (const backup of available) expect(one.driver.stored.get(backup.id)?.pieces).toHaveLength(5)
      expect(done).toBeGreaterThan(turns / 2)
      for (const database of databases) await database.close()
    },
    60_000,
  )
})

describe('operationsMax', () => {
  async function counting(operationsMax?: number) {
    let inside = 0
    let most = 0
    const goOn = deferred()
    const test = await testService({
      ...(operationsMax === undefined ? {} : { operationsMax }),
      resolveVolume: async () => {
        most = Math.max(most, ++inside)
        await goOn.promise
        inside--
        return memoryVolume(new Uint8Array(MIB))
      },
    })
    const jobs = await Promise.all(Array.from({ length: 20 }, async () => test.addVolume({}, new Uint8Array(MIB))))
    return {
      ...test,
      goOn,
      most: () => most,
      create: (index: number, options = {}) => test.service.create({ volumeId: jobs[index]?.id as string, ...options }),
    }
  }
  const settle = () => new Promise((resolve) => setTimeout(resolve, 20))

  it.each([
    [undefined, 15],
    [2, 2],
    [0, 20],
  ])('%s lets %i move data at once', async (operationsMax, expected) => {
    const test = await counting(operationsMax)
    const created = Array.from({ length: 20 }, (_, index) => test.create(index))
    await expect.poll(test.most).toBe(expected)
    await settle()
    expect(test.most()).toBe(expected)
    test.goOn.resolve()
    await Promise.all(created)
    expect(test.most()).toBe(expected)
  })

  it('lets one that waits be cancelled, and the next one in', async () => {
    const test = await counting(1)
    const controller = new AbortController()
    const [first, second, third] = [test.create(0), test.create(1, { signal: controller.signal }), test.create(2)]
    await expect.poll(test.most).toBe(1)
    await settle()
    controller.abort()
    await expect(second).rejects.toEqual(coded('CANCELLED'))
    test.goOn.resolve()
    await Promise.all([first, third])
    expect((await test.service.list()).map(({ status }) => status).sort()).toEqual(['available', 'available', 'error'])
  })

  it('calls a restore that is cancelled while it waits cancelled, and has touched nothing', async () => {
    const test = await counting(1)
    test.goOn.resolve()
    const backup = await test.create(0)
    const target = await test.addVolume()
    const controller = new AbortController()
    controller.abort()
    await expect(test.service.restore(backup.id, { volumeId: target.id, signal: controller.signal })).rejects.toEqual(coded('BackupRestoreCancel'))
    expect([(await test.volume(target.id)).status, (await test.row(backup.id)).status]).toEqual(['available', 'available'])
  })
})

describe('a service', () => {
  it('needs a driver, and a limit that is a count', async () => {
    await expect(testService({ drivers: () => ({}) })).rejects.toEqual(coded('InvalidConfigurationValue'))
    for (const operationsMax of [-1, 1.5, Number.NaN]) await expect(testService({ operationsMax })).rejects.toEqual(coded('InvalidConfigurationValue'))
  })

  it('runs one job of a backup at a time', async () => {
    const jobs = createJobs()
    const goOn = deferred()
    const first = jobs.run('b', undefined, () => goOn.promise)
    await expect(jobs.run('b', undefined, async () => {})).rejects.toEqual(coded('InvalidBackup'))
    await jobs.run('another', undefined, async () => {})
    goOn.resolve()
    await first
    await jobs.run('b', undefined, async () => {})
  })
})
