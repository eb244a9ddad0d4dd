/** What every driver has from `BackupDriver`: when a backup goes on, when a restore is cancelled. The driver is the documents' example. */
import { describe, expect, it } from 'vitest'
import { noise } from '../repository/support/random.ts'
import { coded } from '../repository/support/repositories.ts'
import { ExampleBackupDriver } from '../service/example-driver.ts'
import { memoryVolume, MIB } from '../service/support.ts'
import { backupRecord, volumeRecord } from '../suites/database/records.ts'
import { memoryContext } from './support.ts'

async function started(status: 'creating' | 'restoring') {
  const context = await memoryContext()
  const volume = volumeRecord({ displayName: 'data' })
  const backup = backupRecord({ status, volumeId: volume.id })
  await context.database.createVolume(volume)
  await context.database.createBackup(backup)
  const bytes = noise(1, 3 * MIB)
  const file = memoryVolume(bytes)
  let pieces = 0
  /** Does something before piece `index` is read or written. */
  const atPiece = (index: number, act: () => Promise<unknown>) => {
    const { readAt, writeAt } = file
    file.readAt = async (offset, length) => {
      if (pieces++ === index) await act()
      return readAt(offset, length)
    }
    file.writeAt = async (offset, piece) => {
      if (pieces++ === index) await act()
      return writeAt(offset, piece)
    }
  }
  return { driver: new ExampleBackupDriver(context), database: context.database, volume, backup, file, bytes, atPiece, pieces: () => pieces }
}

describe('a backup', () => {
  it.each(['deleting', 'deleted'] as const)('whose row turns to %s stops at the next piece, removes what it stored and returns nothing', async (status) => {
    const { driver, database, backup, file, atPiece, pieces } = await started('creating')
    atPiece(1, () => (status === 'deleting' ? database.updateBackup(backup.id, { status }) : database.deleteBackup(backup.id, '2026-01-01T00:00:00Z')))
    expect(await driver.backup(backup, file)).toBeUndefined()
    expect([pieces(), driver.stored.size]).toEqual([2, 0])
  })

  it('whose row has any other status goes on: only a delete is a reason to stop', async () => {
    const { driver, database, backup, file, atPiece } = await started('creating')
    atPiece(1, () => database.updateBackup(backup.id, { status: 'error' }))
    expect(await driver.backup(backup, file)).toEqual({ objectCount: 3 })
  })

  it('whose signal fires rejects with CANCELLED, and keeps the reason', async () => {
    const { driver, backup, file, atPiece, pieces } = await started('creating')
    const controller = new AbortController()
    atPiece(0, async () => controller.abort('enough'))
    await expect(driver.backup(backup, file, { signal: controller.signal })).rejects.toMatchObject({ code: 'CANCELLED', cause: 'enough' })
    expect(pieces()).toBe(1)
  })

  it('whose row was never there rejects', async () => {
    const { driver, file } = await started('creating')
    await expect(driver.backup(backupRecord(), file)).rejects.toEqual(coded('BackupNotFound'))
  })
})

describe('a restore', () => {
  it.each(['available', 'error', 'deleting', 'creating'] as const)('whose backup turns to %s is cancelled at the next piece', async (status) => {
    const { driver, database, backup, volume, file, atPiece, pieces } = await started('creating')
    await driver.backup(backup, file)
    await database.updateBackup(backup.id, { status: 'restoring' })
    atPiece(1, () => database.updateBackup(backup.id, { status }))
    await expect(driver.restore(backup, volume.id, file, true)).rejects.toMatchObject({
      code: 'BackupRestoreCancel',
      message: expect.stringContaining(`Canceled backup ${backup.id} restore on volume ${volume.id}`),
      details: { backupId: backup.id, volumeId: volume.id },
    })
    expect(pieces()).toBe(2)
  })

  it('whose signal fires is cancelled too', async () => {
    const { driver, database, backup, volume, file, atPiece } = await started('creating')
    await driver.backup(backup, file)
    await database.updateBackup(backup.id, { status: 'restoring' })
    const controller = new AbortController()
    atPiece(1, async () => controller.abort('enough'))
    await expect(driver.restore(backup, volume.id, file, true, { signal: controller.signal })).rejects.toMatchObject({
      code: 'BackupRestoreCancel',
      cause: 'enough',
    })
  })

  it('brings the bytes and the metadata back', async () => {
    const { driver, database, backup, volume, file, bytes } = await started('creating')
    await database.updateVolumeMetadata(volume.id, { a: 'b' })
    await driver.backup(backup, file, { backupMetadata: true })
    const wanted = bytes.slice()
    bytes.fill(0)
    await database.updateVolumeMetadata(volume.id, {})
    await database.updateBackup(backup.id, { status: 'restoring' })
    await driver.restore(backup, volume.id, file, false)
    expect(Buffer.compare(bytes, wanted)).toBe(0)
    expect(await database.volumeMetadata(volume.id)).toEqual({ a: 'b' })
  })
})
