/** Restoring: to existing volumes and new ones, what it does to their rows, and how it ends when it is cancelled or fails. */
import { describe, expect, it } from 'vitest'
import { coded } from '../repository/support/repositories.ts'
import { backupRecord } from '../suites/database/records.ts'
import { ExampleBackupDriver } from './example-driver.ts'
import { deferred, errorOf, memoryVolume, MIB, SERVICE, testService, type TestServiceOptions } from './support.ts'

async function withBackup(options: TestServiceOptions = {}) {
  const test = await testService(options)
  const source = await test.addVolume()
  const backup = await test.service.create({ volumeId: source.id, backupMetadata: true })
  test.events.length = 0
  const same = (one: string, other: string) => Buffer.compare(test.volumes.get(one) as Uint8Array, test.volumes.get(other) as Uint8Array) === 0
  return { ...test, source, backup, same }
}

describe('restore', () => {
  it('to an existing volume writes it whole, keeps its name, and says what it is of', async () => {
    const { service, addVolume, backup, source, same, volume, row, database } = await withBackup()
    const target = await addVolume({ size: 2, displayName: 'mine' })
    expect(await service.restore(backup.id, { volumeId: target.id })).toEqual({ backupId: backup.id, volumeId: target.id, volumeName: 'mine' })
    expect(same(source.id, target.id)).toBe(true)
    expect(await volume(target.id)).toMatchObject({ status: 'available', displayName: 'mine' })
    expect(await database.volumeMetadata(target.id)).toEqual({ src_backup_id: backup.id })
    expect(await row(backup.id)).toMatchObject({ status: 'available', restoreVolumeId: target.id })
  })

  it('to the volume it is of does not mark it', async () => {
    const { service, backup, source, database, volumes } = await withBackup()
    volumes.get(source.id)?.fill(0)
    await service.restore(backup.id, { volumeId: source.id })
    expect(await database.volumeMetadata(source.id)).toEqual({})
    expect(volumes.get(source.id)?.some((byte) => byte !== 0)).toBe(true)
  })

  it('to no volume makes one, which gets the name that the backup has', async () => {
    const { service, backup, source, same, volume } = await withBackup()
    const { volumeId, volumeName } = await service.restore(backup.id)
    expect(volumeName).toBe(source.displayName)
    expect(await volume(volumeId)).toMatchObject({ size: backup.size, status: 'available', displayDescription: null, userId: source.userId })
    expect(same(source.id, volumeId)).toBe(true)
  })

  it('to no volume names it after the backup, as Cinder does, or as the caller says', async () => {
    const seen: unknown[] = []
    class Looking extends ExampleBackupDriver {
      override restore: ExampleBackupDriver['restore'] = async (_backup, volumeId, _file, volumeIsNew) => {
        const { status, displayName, displayDescription } = await this.db.volume(volumeId)
        seen.push([status, displayName, displayDescription, volumeIsNew])
      }
    }
    const { service, backup } = await withBackup({ drivers: (context) => ({ [SERVICE]: new Looking(context) }) })
    await service.restore(backup.id)
    await service.restore(backup.id, { name: 'own' })
    const made = 'auto-created_from_restore_from_backup'
    expect(seen).toEqual([
      ['restoring-backup', `restore_backup_${backup.id}`, made, true],
      ['restoring-backup', 'own', made, true],
    ])
  })

  it('flushes before it closes, and closes before the volume is available', async () => {
    const steps: string[] = []
    const { service, backup, addVolume, volume } = await withBackup({
      resolveVolume: (row, mode) => {
        const file = memoryVolume(new Uint8Array(5 * MIB))
        if (mode === 'read') return file
        return {
          ...file,
          flush: async () => void steps.push('flush'),
          close: async () => void steps.push('close', (await volume(row.id)).status),
        }
      },
    })
    await service.restore(backup.id, { volumeId: (await addVolume()).id })
    expect(steps).toEqual(['flush', 'close', 'restoring-backup'])
  })
})

describe('restore refuses, and changes nothing:', () => {
  it.each(['creating', 'restoring', 'error', 'deleting', 'error_deleting'] as const)('a backup that is %s', async (status) => {
    const { service, backup, addVolume, database, volume } = await withBackup()
    await database.updateBackup(backup.id, { status })
    const target = await addVolume()
    await expect(service.restore(backup.id, { volumeId: target.id })).rejects.toEqual(coded('InvalidBackup'))
    expect([await volume(target.id), (await database.backup(backup.id)).status]).toEqual([target, status])
  })

  it.each(['in-use', 'creating', 'restoring-backup', 'error'])('a volume that is %s', async (status) => {
    const { service, backup, addVolume, volume, row } = await withBackup()
    const target = await addVolume({ status })
    await expect(service.restore(backup.id, { volumeId: target.id })).rejects.toEqual(coded('InvalidVolume'))
    expect([await volume(target.id), await row(backup.id)]).toEqual([target, backup])
  })

  it('a volume that is too small, an unknown one, an unknown backup, a backup of another driver', async () => {
    const { service, addVolume, database, row, volume } = await withBackup()
    const large = backupRecord({ status: 'available', size: 2, service: SERVICE })
    const foreign = backupRecord({ status: 'available', service: 'cinder.backup.drivers.ceph.CephBackupDriver' })
    await database.createBackup(large)
    await database.createBackup(foreign)
    const target = await addVolume()
    const refused = (id: string, volumeId: string) => service.restore(id, { volumeId })
    await expect(refused(large.id, target.id)).rejects.toEqual(coded('InvalidVolume'))
    await expect(refused(large.id, 'absent')).rejects.toEqual(coded('VolumeNotFound'))
    await expect(refused('absent', target.id)).rejects.toEqual(coded('BackupNotFound'))
    await expect(refused(foreign.id, target.id)).rejects.toThrow('ceph')
    await expect(refused(large.id, 7 as never)).rejects.toEqual(coded('InvalidInput'))
    expect([(await row(large.id)).status, (await row(foreign.id)).status, await volume(target.id)]).toEqual(['available', 'available', target])
  })

  it('a volume that something else takes in the same moment', async () => {
    const { service, backup, addVolume, database, row } = await withBackup()
    const target = await addVolume()
    const update = database.updateBackup
    database.updateBackup = async (...parameters) => {
      await database.updateVolume(target.id, { status: 'backing-up' }, { from: ['available'] })
      return update(...parameters)
    }
    await expect(service.restore(backup.id, { volumeId: target.id })).rejects.toEqual(coded('InvalidVolume'))
    expect([(await row(backup.id)).status, (await database.volume(target.id)).status]).toEqual(['available', 'backing-up'])
  })
})

describe('a restore that does not end well', () => {
  /** A restore that waits after its first piece. */
  async function halfway() {
    const reached = deferred()
    const goOn = deferred()
    class Slow extends ExampleBackupDriver {
      protected override async checkRestoring(...parameters: Parameters<ExampleBackupDriver['checkRestoring']>) {
        await super.checkRestoring(...parameters)
        reached.resolve()
        await goOn.promise
      }
    }
    const test = await withBackup({ drivers: (context) => ({ [SERVICE]: new Slow(context) }) })
    const target = await test.addVolume()
    const controller = new AbortController()
    const restored = errorOf(test.service.restore(test.backup.id, { volumeId: target.id, signal: controller.signal }))
    await reached.promise
    expect([(await test.row(test.backup.id)).status, (await test.volume(target.id)).status]).toEqual(['restoring', 'restoring-backup'])
    return { ...test, target, goOn, controller, restored }
  }

  it.each([
    ['error', 'available'],
    ['available', 'available'],
    ['deleting', 'deleting'],
  ] as const)('is cancelled by another service that sets the status %s, and leaves the backup %s', async (status, after) => {
    const { database, backup, goOn, restored, row, volume, target, typesOf } = await halfway()
    await database.updateBackup(backup.id, { status })
    goOn.resolve()
    expect(await restored).toEqual(coded('BackupRestoreCancel'))
    expect([(await row(backup.id)).status, (await volume(target.id)).status]).toEqual([after, 'error'])
    expect(typesOf()).not.toContain('backup.restore.end')
  })

  it('is cancelled by resetStatus, which waits for it', async () => {
    const { service, backup, goOn, restored, row, volume, target } = await halfway()
    const reset = service.resetStatus(backup.id, 'error')
    goOn.resolve()
    await reset
    expect(await restored).toEqual(coded('BackupRestoreCancel'))
    expect([(await row(backup.id)).status, (await volume(target.id)).status]).toEqual(['error', 'error'])
  })

  it('is cancelled by its signal', async () => {
    const { controller, backup, goOn, restored, row, volume, target } = await halfway()
    controller.abort(new Error('enough'))
    goOn.resolve()
    expect(await restored).toMatchObject({ code: 'BackupRestoreCancel', details: { backupId: backup.id, volumeId: target.id }, cause: { message: 'enough' } })
    expect([(await row(backup.id)).status, (await volume(target.id)).status]).toEqual(['available', 'error'])
  })

  it('is cancelled by a forced delete, which deletes the backup', async () => {
    const { service, backup, goOn, restored, row, volume, target } = await halfway()
    const deleted = service.delete(backup.id, { force: true })
    goOn.resolve()
    await deleted
    expect(await restored).toEqual(coded('BackupRestoreCancel'))
    expect([(await row(backup.id)).status, (await volume(target.id)).status]).toEqual(['deleted', 'error'])
  })

  it('because the driver fails leaves the volume in error_restoring, and throws its error', async () => {
    const error = new Error('checksum')
    class Failing extends ExampleBackupDriver {
      override restore = async () => {
        throw error
      }
    }
    const { service, backup, addVolume, row, volume } = await withBackup({ drivers: (context) => ({ [SERVICE]: new Failing(context) }) })
    const target = await addVolume()
    expect(await errorOf(service.restore(backup.id, { volumeId: target.id }))).toBe(error)
    expect([(await row(backup.id)).status, (await volume(target.id)).status]).toEqual(['available', 'error_restoring'])
  })

  it('because the volume can not be flushed or closed does not count as restored', async () => {
    for (const method of ['flush', 'close'] as const) {
      const { service, backup, addVolume, volume } = await withBackup({
        resolveVolume: (_row, mode) => {
          const file = memoryVolume(new Uint8Array(5 * MIB))
          return mode === 'read' ? file : { ...file, [method]: async () => Promise.reject(new Error('I/O error')) }
        },
      })
      const target = await addVolume()
      await expect(service.restore(backup.id, { volumeId: target.id })).rejects.toThrow('I/O error')
      expect((await volume(target.id)).status).toBe('error_restoring')
    }
  })

  it('before a byte was written leaves an existing volume as it was, and a new one in error', async () => {
    const { service, backup, addVolume, row, volume, database } = await withBackup({
      resolveVolume: (_row, mode) => {
        if (mode === 'read') return memoryVolume(new Uint8Array(1))
        throw new Error('not today')
      },
    })
    const target = await addVolume()
    await expect(service.restore(backup.id, { volumeId: target.id })).rejects.toThrow('not today')
    expect([(await row(backup.id)).status, (await volume(target.id)).status]).toEqual(['available', 'available'])
    await expect(service.restore(backup.id)).rejects.toThrow('not today')
    const { restoreVolumeId } = await database.backup(backup.id)
    expect((await volume(restoreVolumeId as string)).status).toBe('error')
  })
})

describe("an encrypted volume's backup", () => {
  async function encrypted() {
    const test = await testService()
    await test.database.createVolumeType({ id: 'luks', name: 'LUKS' })
    const source = await test.addVolume({ encryptionKeyId: 'k1', volumeTypeId: 'luks' })
    return { ...test, source, backup: await test.service.create({ volumeId: source.id, backupMetadata: true }) }
  }

  it('restores to a volume of its type or of none, with its key', async () => {
    const { service, backup, addVolume, volume } = await encrypted()
    expect(backup.encryptionKeyId).toBe('k1')
    for (const volumeTypeId of ['luks', null]) {
      const target = await addVolume({ volumeTypeId })
      await service.restore(backup.id, { volumeId: target.id })
      expect(await volume(target.id)).toMatchObject({ encryptionKeyId: 'k1', volumeTypeId: 'luks', status: 'available' })
    }
  })

  it('does not restore to another type', async () => {
    const { service, backup, addVolume, volume } = await encrypted()
    const target = await addVolume({ volumeTypeId: 'plain' })
    await expect(service.restore(backup.id, { volumeId: target.id })).rejects.toEqual(coded('EncryptedBackupOperationFailed'))
    expect(await volume(target.id)).toMatchObject({ encryptionKeyId: null, volumeTypeId: 'plain', status: 'error_restoring' })
  })

  it("gives the volume the backup's own key when that is another than its source's, and takes over one it has none of", async () => {
    const { service, backup, addVolume, volume, database } = await encrypted()
    await database.updateBackup(backup.id, { encryptionKeyId: 'clone' })
    const first = await addVolume({ volumeTypeId: 'luks' })
    await service.restore(backup.id, { volumeId: first.id })
    expect((await volume(first.id)).encryptionKeyId).toBe('clone')
    await database.updateBackup(backup.id, { encryptionKeyId: null })
    const second = await addVolume({ volumeTypeId: 'luks' })
    await service.restore(backup.id, { volumeId: second.id })
    expect([(await volume(second.id)).encryptionKeyId, (await database.backup(backup.id)).encryptionKeyId]).toEqual(['k1', 'k1'])
  })
})

describe('a volume that was restored before', () => {
  it('says the backup that it is of now', async () => {
    const { service, backup, source, database } = await withBackup()
    const plain = await service.create({ volumeId: source.id })
    await database.updateVolumeMetadata(source.id, { src_backup_id: backup.id, other: 'kept' })
    await service.restore(plain.id, { volumeId: source.id })
    expect(await database.volumeMetadata(source.id)).toEqual({ src_backup_id: plain.id, other: 'kept' })
  })
})
