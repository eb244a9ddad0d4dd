/** Records out of one service and into another. */
import { describe, expect, it } from 'vitest'
import { decodeBackupUrl, encodeExportRecord } from '../../src/cinder/export-record.ts'
import type { BackupRecord } from '../../src/contract/records.ts'
import { PROJECT, USER } from '../contract/support.ts'
import { coded } from '../repository/support/repositories.ts'
import { backupRecord } from '../suites/database/records.ts'
import { ExampleBackupDriver } from './example-driver.ts'
import { SERVICE, testService, type TestServiceOptions } from './support.ts'

const exported = (changes: Partial<BackupRecord> = {}) =>
  encodeExportRecord(
    backupRecord({
      status: 'available',
      service: SERVICE,
      container: 'c',
      serviceMetadata: 'prefix',
      createdAt: '2026-01-02T03:04:05Z',
      dataTimestamp: '2026-01-02T03:04:05Z',
      ...changes,
    }),
  )

describe('exportRecord', () => {
  it('gives the row and what the driver adds', async () => {
    class Telling extends ExampleBackupDriver {
      override exportRecord = async () => ({ pool: 'fast' })
    }
    const test = await testService({ drivers: (context) => ({ [SERVICE]: new Telling(context) }) })
    const backup = await test.service.create({ volumeId: (await test.addVolume()).id, name: 'nightly' })
    const record = await test.service.exportRecord(backup.id)
    expect(record.backup_service).toBe(SERVICE)
    expect(decodeBackupUrl(record.backup_url)).toMatchObject({
      driverInfo: { pool: 'fast' },
      fields: { id: backup.id, displayName: 'nightly', volumeId: backup.volumeId },
      unknown: [],
    })
  })

  it('needs a backup that is available, of a driver of this service', async () => {
    const test = await testService()
    const busy = backupRecord({ status: 'restoring', service: SERVICE })
    const foreign = backupRecord({ status: 'available', service: 'cinder.backup.drivers.ceph.CephBackupDriver' })
    for (const row of [busy, foreign]) {
      await test.database.createBackup(row)
      await expect(test.service.exportRecord(row.id)).rejects.toEqual(coded('InvalidBackup'))
    }
    await expect(test.service.exportRecord('absent')).rejects.toEqual(coded('BackupNotFound'))
  })
})

describe('importRecord', () => {
  it('makes the row: what the record says, but for what is of this service and this caller', async () => {
    const imported: unknown[] = []
    class Taking extends ExampleBackupDriver {
      override importRecord = async (backup: BackupRecord, driverInfo: Readonly<Record<string, unknown>>) => {
        imported.push([backup.status, backup.serviceMetadata, driverInfo, (await this.db.backup(backup.id)).status])
      }
    }
    const test = await testService({ drivers: (context) => ({ [SERVICE]: new Taking(context) }), context: { availabilityZone: 'zone-2' } })
    const source = backupRecord({
      status: 'error',
      failReason: 'once',
      service: 'example.drivers',
      host: 'elsewhere',
      userId: 'they',
      projectId: 'theirs',
      container: 'c',
      serviceMetadata: 'prefix',
      parentId: 'p',
      deleted: true,
      createdAt: '2026-01-02T03:04:05Z',
    })
    const row = await test.service.importRecord(encodeExportRecord(source, { pool: 'fast' }))
    expect(row).toMatchObject({
      id: source.id,
      status: 'available',
      failReason: null,
      service: SERVICE,
      host: 'host-1',
      availabilityZone: 'zone-2',
      userId: USER,
      projectId: PROJECT,
      volumeId: source.volumeId,
      parentId: 'p',
      container: 'c',
      serviceMetadata: 'prefix',
      createdAt: '2026-01-02T03:04:05.000Z',
      deleted: false,
    })
    expect(imported).toEqual([['creating', 'prefix', { pool: 'fast' }, 'creating']])
  })

  it('gives a volume of zeros to a backup that does not tell its own, and revives a deleted row', async () => {
    const test = await testService()
    const record = (fields: object) => ({ backup_service: SERVICE, backup_url: btoa(JSON.stringify(fields)) })
    const id = crypto.randomUUID()
    const least = { id, size: 1, display_name: null, display_description: null, container: 'c', service_metadata: 'prefix', object_count: 3 }
    expect(await test.service.importRecord(record(least))).toMatchObject({ id, volumeId: '00000000-0000-0000-0000-000000000000', objectCount: 3 })
    await test.service.delete(id)
    expect(await test.service.importRecord(record(least))).toMatchObject({ id, status: 'available', deleted: false, deletedAt: null })
    for (const name of ['container', 'service_metadata', 'object_count', 'display_name', 'display_description'] as const) {
      const { [name]: _left, ...rest } = { ...least, id: crypto.randomUUID() }
      await expect(test.service.importRecord(record(rest))).rejects.toMatchObject({ code: 'InvalidBackup', message: expect.stringContaining(`(${name})`) })
    }
    for (const name of ['id', 'size'] as const) {
      const { [name]: _left, ...rest } = { ...least, id: crypto.randomUUID() }
      await expect(test.service.importRecord(record(rest))).rejects.toEqual(coded('InvalidInput'))
    }
    expect(await test.service.list()).toHaveLength(1)
  })

  async function refused(record: unknown, code: string, options: TestServiceOptions = {}, before: BackupRecord[] = []) {
    const test = await testService(options)
    for (const row of before) await test.database.createBackup(row)
    await expect(test.service.importRecord(record as never)).rejects.toEqual(coded(code))
    expect(await test.service.list()).toHaveLength(before.length)
    for (const row of before) expect(await test.row(row.id)).toMatchObject({ status: row.status, container: row.container })
  }

  it('leaves no row of what is not base64, not JSON, no record, or of an unknown driver', async () => {
    await refused({ backup_service: SERVICE, backup_url: 'not base64!' }, 'InvalidInput')
    await refused({ backup_service: SERVICE, backup_url: btoa('not JSON') }, 'InvalidInput')
    await refused({ backup_service: SERVICE, backup_url: btoa('[]') }, 'InvalidInput')
    await refused({ backup_service: SERVICE }, 'InvalidInput')
    await refused(undefined, 'InvalidInput')
    await refused({ ...exported(), backup_service: 'cinder.backup.drivers.ceph.CephBackupDriver' }, 'ServiceNotFound')
  })

  it('refuses an id that exists, in any status and project', async () => {
    const there = backupRecord({ status: 'error', projectId: 'another' })
    await refused(exported({ id: there.id }), 'InvalidBackup', {}, [there])
  })

  it("refuses a second row for one backup's objects: deleting it would delete the other's", async () => {
    const there = backupRecord({ status: 'available', container: 'c', serviceMetadata: 'prefix' })
    await refused(exported(), 'InvalidBackup', {}, [there])
    const test = await testService()
    await test.database.createBackup(there)
    await test.service.importRecord(exported({ container: 'another' }))
    await test.service.importRecord(exported({ serviceMetadata: 'another' }))
  })

  it('refuses a container outside of any root', async () => {
    for (const container of ['../../etc', '/etc', 'a/../b', 'a\0b']) await refused(exported({ container }), 'InvalidInput')
  })

  it('leaves no row when the driver refuses, and can be repeated', async () => {
    let broken = true
    class Refusing extends ExampleBackupDriver {
      override importRecord = async () => {
        if (broken) throw new Error('no such pool')
      }
    }
    const test = await testService({ drivers: (context) => ({ [SERVICE]: new Refusing(context) }) })
    const record = exported()
    await expect(test.service.importRecord(record)).rejects.toMatchObject({ code: 'InvalidBackup', cause: { message: 'no such pool' } })
    expect(await test.service.list()).toEqual([])
    broken = false
    await test.service.importRecord(record)
  })
})
