/** Deleting: what may go, what a failure leaves, and cancelling a create by a forced delete. */
import { describe, expect, it } from 'vitest'
import { coded } from '../repository/support/repositories.ts'
import { backupRecord } from '../suites/database/records.ts'
import { ExampleBackupDriver } from './example-driver.ts'
import { deferred, errorOf, SERVICE, testService } from './support.ts'

describe('delete', () => {
  it('removes the objects, then the row, which stays as deleted', async () => {
    const test = await testService({ context: { now: () => Date.UTC(2026, 0, 2) } })
    const { id } = await test.service.create({ volumeId: (await test.addVolume()).id })
    await test.service.delete(id)
    expect(test.driver.stored.size).toBe(0)
    expect(await test.row(id)).toMatchObject({ status: 'deleted', deleted: true, deletedAt: '2026-01-02T00:00:00.000Z' })
    await expect(test.service.show(id)).rejects.toEqual(coded('BackupNotFound'))
    await expect(test.service.delete(id)).rejects.toEqual(coded('BackupNotFound'))
    expect(test.typesOf().slice(-2)).toEqual(['backup.delete.start', 'backup.delete.end'])
  })

  it.each(['creating', 'restoring', 'deleting', 'error_deleting'] as const)('needs force for a backup that is %s', async (status) => {
    const test = await testService()
    const row = backupRecord({ status, service: SERVICE })
    await test.database.createBackup(row)
    await expect(test.service.delete(row.id)).rejects.toEqual(coded('InvalidBackup'))
    expect(await test.row(row.id)).toEqual(row)
    await test.service.delete(row.id, { force: true })
    expect((await test.row(row.id)).status).toBe('deleted')
  })

  it('by force needs a driver that supports it', async () => {
    const test = await testService({ drivers: (context) => ({ [SERVICE]: Object.assign(new ExampleBackupDriver(context), { supportForceDelete: false }) }) })
    const { id } = await test.service.create({ volumeId: (await test.addVolume()).id })
    await expect(test.service.delete(id, { force: true })).rejects.toEqual(coded('NotSupportedOperation'))
    expect((await test.row(id)).status).toBe('available')
    await test.service.delete(id)
  })

  it('is refused while children exist, forced or not, and gives a child back what it counted', async () => {
    const test = await testService()
    const { id: volumeId } = await test.addVolume()
    const parent = await test.service.create({ volumeId })
    const child = await test.service.create({ volumeId, incremental: true })
    const changes: unknown[] = []
    const update = test.database.updateBackup
    test.database.updateBackup = async (...parameters) => {
      changes.push(parameters)
      return update(...parameters)
    }
    for (const force of [false, true])
      await expect(test.service.delete(parent.id, { force })).rejects.toMatchObject({ code: 'InvalidBackup', details: { children: [child.id] } })
    expect(await test.row(parent.id)).toMatchObject({ status: 'available', numDependentBackups: 1 })
    expect(changes).toEqual([])
    test.database.updateBackup = update
    await test.service.delete(child.id)
    expect(await test.row(parent.id)).toMatchObject({ numDependentBackups: 0 })
    await test.service.delete(parent.id)
  })

  it('finds a child that came between the look and the claim, and leaves the parent as it was', async () => {
    const test = await testService()
    const { id: volumeId } = await test.addVolume()
    const parent = await test.service.create({ volumeId })
    const update = test.database.updateBackup
    test.database.updateBackup = async (id, updates, guard) => {
      if (updates.status === 'deleting') await test.database.createBackup(backupRecord({ parentId: parent.id }))
      return update(id, updates, guard)
    }
    await expect(test.service.delete(parent.id)).rejects.toEqual(coded('InvalidBackup'))
    expect((await test.row(parent.id)).status).toBe('available')
    expect(test.driver.stored.has(parent.id)).toBe(true)
  })

  it('that fails leaves the row in error with the reason, and can be repeated', async () => {
    const error = new Error('the store is away')
    let broken = true
    class Away extends ExampleBackupDriver {
      override async deleteBackup(...parameters: Parameters<ExampleBackupDriver['deleteBackup']>) {
        if (broken) throw error
        await super.deleteBackup(...parameters)
      }
    }
    const test = await testService({ drivers: (context) => ({ [SERVICE]: new Away(context) }) })
    const { id } = await test.service.create({ volumeId: (await test.addVolume()).id })
    expect(await errorOf(test.service.delete(id))).toBe(error)
    expect(await test.row(id)).toMatchObject({ status: 'error', failReason: 'the store is away', deleted: false })
    broken = false
    await test.service.delete(id)
  })

  it('of a backup of another driver is refused and changes nothing; of a row without a driver takes the row away', async () => {
    const test = await testService()
    const foreign = backupRecord({ status: 'available', service: 'cinder.backup.drivers.ceph.CephBackupDriver' })
    const bare = backupRecord({ status: 'error', service: null })
    await test.database.createBackup(foreign)
    await test.database.createBackup(bare)
    await expect(test.service.delete(foreign.id)).rejects.toEqual(coded('InvalidBackup'))
    expect(await test.row(foreign.id)).toEqual(foreign)
    await test.service.delete(bare.id, { force: true })
    expect((await test.row(bare.id)).status).toBe('deleted')
  })
})

describe('a create that is cancelled', () => {
  /** A create that waits after its first piece, in a driver that tells what it stored last. */
  async function halfway() {
    const reached = deferred()
    const goOn = deferred()
    class Slow extends ExampleBackupDriver {
      protected override async goesOn(...parameters: Parameters<ExampleBackupDriver['goesOn']>) {
        if (this.stored.get(parameters[0].id)?.pieces.length === 1) {
          reached.resolve()
          await goOn.promise
        }
        return super.goesOn(...parameters)
      }
    }
    let driver: Slow | undefined
    const test = await testService({
      drivers: (context) => {
        driver = new Slow(context)
        return { [SERVICE]: driver }
      },
    })
    const volume = await test.addVolume()
    const controller = new AbortController()
    const created = test.service.create({ volumeId: volume.id, signal: controller.signal })
    created.catch(() => {})
    await reached.promise
    const [row] = await test.service.list()
    expect(row?.status).toBe('creating')
    expect(driver?.stored.size).toBe(1)
    return { ...test, addedVolume: volume, goOn, controller, created, id: row?.id as string, stored: driver?.stored as Map<string, unknown> }
  }

  it('by a forced delete here stops, and nothing is left', async () => {
    const test = await halfway()
    const deleted = test.service.delete(test.id, { force: true })
    test.goOn.resolve()
    await deleted
    expect(await errorOf(test.created)).toEqual(coded('CANCELLED'))
    expect(await test.row(test.id)).toMatchObject({ status: 'deleted', deleted: true })
    expect([(await test.volume(test.addedVolume.id)).status, test.stored.size]).toEqual(['available', 0])
    expect(test.problems).toEqual([])
  })

  it.each(['deleting', 'deleted'])('by a row that another service set to %s stops, and leaves the status alone', async (status) => {
    const test = await halfway()
    if (status === 'deleting') await test.database.updateBackup(test.id, { status })
    else await test.database.deleteBackup(test.id, '2026-01-02T00:00:00Z')
    test.goOn.resolve()
    expect(await errorOf(test.created)).toEqual(coded('CANCELLED'))
    expect((await test.row(test.id)).status).toBe(status)
    expect([(await test.volume(test.addedVolume.id)).status, test.stored.size]).toEqual(['available', 0])
  })

  it('by its signal leaves the row in error, and nothing stored', async () => {
    const test = await halfway()
    test.controller.abort()
    test.goOn.resolve()
    expect(await errorOf(test.created)).toEqual(coded('CANCELLED'))
    expect((await test.row(test.id)).status).toBe('error')
    expect([(await test.volume(test.addedVolume.id)).status, test.stored.size]).toEqual(['available', 0])
  })

  it('by closing the service, when that is asked for', async () => {
    const test = await halfway()
    const closed = test.service.close({ cancel: true })
    test.goOn.resolve()
    await closed
    expect(await errorOf(test.created)).toEqual(coded('CANCELLED'))
    await expect(test.service.create({ volumeId: test.addedVolume.id })).rejects.toEqual(coded('CLOSED'))
  })

  it('by nobody is waited for when the service is closed', async () => {
    const test = await halfway()
    let isClosed = false
    const closed = test.service.close().then(() => {
      isClosed = true
    })
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(isClosed).toBe(false)
    test.goOn.resolve()
    await closed
    expect((await test.row(test.id)).status).toBe('available')
  })

  it('by an administrator who resets it is in error', async () => {
    const test = await halfway()
    const reset = test.service.resetStatus(test.id, 'error')
    test.goOn.resolve()
    await reset
    expect(await errorOf(test.created)).toEqual(coded('CANCELLED'))
    expect([(await test.row(test.id)).status, test.stored.size]).toEqual(['error', 0])
  })

  it('by another service that set it to error, in its last moment, is no backup', async () => {
    const test = await halfway()
    await test.database.updateBackup(test.id, { status: 'error' })
    test.goOn.resolve()
    expect(await errorOf(test.created)).toEqual(coded('InvalidBackup'))
    expect([(await test.row(test.id)).status, test.stored.size]).toEqual(['error', 0])
  })
})

describe('resetStatus', () => {
  it('sets available or error, and nothing else', async () => {
    const test = await testService()
    const row = backupRecord({ status: 'error_deleting', service: SERVICE })
    await test.database.createBackup(row)
    for (const status of ['deleted', 'creating', '', undefined, '__proto__'])
      await expect(test.service.resetStatus(row.id, status as 'error')).rejects.toEqual(coded('InvalidInput'))
    for (const status of ['error', 'available'] as const) {
      await test.service.resetStatus(row.id, status)
      expect((await test.row(row.id)).status).toBe(status)
      expect(test.events.at(-1)).toMatchObject({ type: 'backup.reset_status.end', payload: { backupId: row.id, status } })
    }
    await expect(test.service.resetStatus('absent', 'error')).rejects.toEqual(coded('BackupNotFound'))
  })
})
