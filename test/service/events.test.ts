/** What a service tells: Cinder's notifications, and percentages that are true. */
import { describe, expect, it } from 'vitest'
import type { Progress } from '../../src/contract/backup.ts'
import { ExampleBackupDriver } from './example-driver.ts'
import { SERVICE, testService } from './support.ts'

describe('events', () => {
  it("of a create and a restore have Cinder's names, and percentages of the bytes that end with 100 once", async () => {
    const test = await testService()
    const { id } = await test.service.create({ volumeId: (await test.addVolume()).id })
    const percents = (type: string) => test.events.filter((event) => event.type === type).map(({ payload }) => payload.backupPercent)
    expect(test.typesOf()[0]).toBe('backup.create.start')
    expect(test.typesOf().at(-1)).toBe('backup.create.end')
    expect(percents('backup.createprogress')).toEqual([20, 40, 60, 80, 99, 100])
    test.events.length = 0
    await test.service.restore(id)
    expect([test.typesOf()[0], test.typesOf().at(-1)]).toEqual(['backup.restore.start', 'backup.restore.end'])
    expect(percents('backup.restoreprogress')).toEqual([20, 40, 60, 80, 99, 100])
  })

  it('rise only, one a percent, whatever a driver says', async () => {
    const told: Progress[] = []
    class Noisy extends ExampleBackupDriver {
      override backup: ExampleBackupDriver['backup'] = async (_backup, _file, options) => {
        for (const doneBytes of [0, 1, 9, 10, 10, 5, 500, 999, 1000, 2000, 3])
          options?.onProgress?.({ phase: 'backup', doneBytes, totalBytes: 1000, newBytes: 0, storedBytes: 0 })
        options?.onProgress?.({ phase: 'backup', doneBytes: 0, totalBytes: 0, newBytes: 0, storedBytes: 0 })
        return undefined
      }
    }
    const test = await testService({ drivers: (context) => ({ [SERVICE]: new Noisy(context) }) })
    await test.service.create({ volumeId: (await test.addVolume()).id, onProgress: (progress) => told.push(progress) })
    expect(test.events.filter(({ type }) => type === 'backup.createprogress').map(({ payload }) => payload.backupPercent)).toEqual([1, 50, 99, 100])
    expect(told).toHaveLength(12)
  })

  it("have the fields of Cinder's payload", async () => {
    const test = await testService()
    const volume = await test.addVolume()
    const backup = await test.service.create({ volumeId: volume.id, name: 'nightly' })
    const { payload } = test.events.at(-1) as (typeof test.events)[0]
    expect(payload).toEqual({
      tenantId: backup.projectId,
      userId: backup.userId,
      availabilityZone: 'nova',
      backupId: backup.id,
      host: 'host-1',
      displayName: 'nightly',
      createdAt: backup.createdAt,
      status: 'available',
      volumeId: volume.id,
      size: 1,
      serviceMetadata: null,
      service: SERVICE,
      failReason: null,
      parentId: null,
      numDependentBackups: 0,
      snapshotId: null,
    })
  })

  it('do not stop a job when a listener throws', async () => {
    const test = await testService({
      onEvent: () => {
        throw new Error('listener')
      },
    })
    const backup = await test.service.create({ volumeId: (await test.addVolume()).id })
    expect(backup.status).toBe('available')
    expect(test.problems.length).toBeGreaterThan(2)
    expect(test.problems[0]).toMatchObject({ backupId: backup.id, step: 'tell an event', error: { message: 'listener' } })
  })

  it('of problems that cannot be told stop nothing either', async () => {
    const fail = () => {
      throw new Error('listener')
    }
    const test = await testService({ onEvent: fail, onProblem: fail })
    await expect(test.service.create({ volumeId: (await test.addVolume()).id })).resolves.toMatchObject({ status: 'available' })
  })
})
