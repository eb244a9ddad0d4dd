import { describe, expect, it } from 'vitest'
import {
  BACKUP_URL_LENGTH_MAX,
  cinderFields,
  decodeBackupUrl,
  encodeExportRecord,
  importIdentity,
  importUpdates,
  isServedBy,
} from '../../src/cinder/export-record.ts'
import type { BackupRecord } from '../../src/contract/records.ts'

const row: BackupRecord = {
  id: 'b',
  userId: 'u',
  projectId: 'p',
  volumeId: 'v',
  host: 'h',
  availabilityZone: null,
  container: 'a/b',
  parentId: null,
  status: 'available',
  failReason: null,
  size: 1,
  displayName: 'n é',
  displayDescription: null,
  serviceMetadata: 'prefix',
  service: 'cinder.backup.drivers.posix.PosixBackupDriver',
  objectCount: 2,
  tempVolumeId: null,
  tempSnapshotId: null,
  numDependentBackups: 0,
  snapshotId: null,
  dataTimestamp: '2024-01-10T00:05:09.000Z',
  restoreVolumeId: null,
  metadata: { k: 'v' },
  encryptionKeyId: null,
  createdAt: '2024-01-10T00:05:09.123456Z',
  updatedAt: null,
  deletedAt: null,
  deleted: false,
}
const urlOf = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64')

describe('a record', () => {
  it('is one line of padded base64 with the fields in the order of the class of Cinder', () => {
    const { backup_service, backup_url } = encodeExportRecord(row)
    expect(backup_service).toBe(row.service)
    expect(backup_url).toMatch(/^[A-Za-z0-9+/]+=*$/)
    const json = Buffer.from(backup_url, 'base64').toString()
    expect(json).toMatch(/^\{"driver_info": \{\}, "id": "b", "user_id": "u", "project_id": "p", "volume_id": "v", "host": "h", /)
    expect(json).toContain('"display_name": "n \\u00e9"')
    expect(json).toContain('"created_at": "2024-01-10T00:05:09Z"')
    expect(Object.keys(JSON.parse(json) as object)).toEqual(
      (
        'driver_info id user_id project_id volume_id host availability_zone container parent_id status fail_reason size display_name display_description ' +
        'service_metadata service object_count temp_volume_id temp_snapshot_id num_dependent_backups snapshot_id data_timestamp restore_volume_id ' +
        'metadata encryption_key_id created_at updated_at deleted_at deleted'
      ).split(' '),
    )
  })
  it('comes back as it was, to the second', () => {
    const { fields, driverInfo } = decodeBackupUrl(encodeExportRecord(row, { pool: 'x' }).backup_url)
    expect(fields).toEqual({ ...row, createdAt: '2024-01-10T00:05:09.000Z' })
    expect(driverInfo).toEqual({ pool: 'x' })
    expect(cinderFields(fields)['created_at']).toBe('2024-01-10T00:05:09Z')
  })
  it('may be wrapped, in any order, and without what is not known', () => {
    const wrapped = urlOf({ size: 3, id: 'x' }).replace(/(.{8})/g, '$1\r\n')
    expect(decodeBackupUrl(wrapped)).toEqual({ driverInfo: {}, unknown: [], fields: { size: 3, id: 'x' } })
  })
  it('tells the fields that it does not know, and drops them', () => {
    const decoded = decodeBackupUrl(urlOf('{"id": "x", "name": "n", "__proto__": {"polluted": 1}, "constructor": 2, "metadata": {"__proto__": "y"}}'))
    expect(decoded.unknown).toEqual(['name', '__proto__', 'constructor'])
    expect(Object.keys(decoded.fields)).toEqual(['id', 'metadata'])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect(Object.getPrototypeOf(decoded.fields.metadata)).toBe(Object.prototype)
  })
  it('takes null where the columns of Cinder may be null', () => {
    const { fields } = decodeBackupUrl(urlOf({ id: 'x', status: null, object_count: null, num_dependent_backups: null, metadata: null, container: null }))
    expect(fields).toEqual({ id: 'x', objectCount: 0, numDependentBackups: 0, metadata: {}, container: null })
  })

  it.each([
    ['nothing', ''],
    ['what is no base64', 'not base64!'],
    ['base64 without its padding', urlOf({ id: 'xx' }).replace(/=+$/, '')],
    ['base64 for URLs', '-_-_'],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0xfd]).toString('base64')],
    ['what is no JSON', urlOf('{"id": ')],
    ['a list', urlOf([1])],
    ['null', urlOf('null')],
    ['a number for an id', urlOf({ id: 7 })],
    ['an empty id', urlOf({ id: '' })],
    ['a text for a size', urlOf({ size: '1' })],
    ['a negative size', urlOf({ size: -1 })],
    ['half a size', urlOf({ size: 1.5 })],
    ['a status that is none', urlOf({ status: 'fine' })],
    ['a time that is none', urlOf({ created_at: 'yesterday' })],
    ['a number for a time', urlOf({ created_at: 5 })],
    ['metadata that is a list', urlOf({ metadata: [] })],
    ['metadata with numbers', urlOf({ metadata: { a: 1 } })],
    ['driver information that is a list', urlOf({ driver_info: [] })],
    ['a name of 100 kB', urlOf({ display_name: 'x'.repeat(100_000) })],
    ['more than a megabyte', 'A'.repeat(BACKUP_URL_LENGTH_MAX + 4)],
  ])('with %s is refused', (_what, url) => {
    expect(() => decodeBackupUrl(url)).toThrowError(expect.objectContaining({ code: 'InvalidInput' }))
  })
})

describe('importing', () => {
  const decoded = decodeBackupUrl(encodeExportRecord({ ...row, status: 'error', failReason: 'x', deleted: true }).backup_url)
  it('needs an id and a size', () => {
    expect(importIdentity(decoded)).toEqual({ id: 'b', size: 1 })
    for (const missing of ['id', 'size']) {
      const fields = { id: 'x', size: 1, [missing]: undefined }
      expect(() => importIdentity(decodeBackupUrl(urlOf(fields)))).toThrowError(
        expect.objectContaining({ code: 'InvalidInput', message: expect.stringContaining(missing) }),
      )
    }
  })
  it('keeps volume, parent and times, and neither the owner, the status, nor the host', () => {
    const updates = importUpdates(decoded, 'b')
    expect(updates).toMatchObject({ volumeId: 'v', parentId: null, container: 'a/b', serviceMetadata: 'prefix', createdAt: '2024-01-10T00:05:09.000Z' })
    for (const name of ['id', 'userId', 'projectId', 'status', 'failReason', 'deleted', 'deletedAt', 'service', 'host', 'availabilityZone']) {
      expect(updates).not.toHaveProperty(name)
    }
  })
  it('names the fields that are missing', () => {
    const fields = { id: 'b', size: 1, display_name: null, display_description: null, service_metadata: 'p' }
    expect(() => importUpdates(decodeBackupUrl(urlOf(fields)), 'b')).toThrowError(
      expect.objectContaining({ code: 'InvalidBackup', message: expect.stringContaining('missing fields (container, object_count)') }),
    )
  })
  it("refuses another backup's record, and a container outside of any root", () => {
    expect(() => importUpdates(decoded, 'c')).toThrowError(expect.objectContaining({ code: 'InvalidBackup' }))
    const outside = decodeBackupUrl(encodeExportRecord({ ...row, container: '../../etc' }).backup_url)
    expect(() => importUpdates(outside, 'b')).toThrowError(expect.objectContaining({ code: 'InvalidInput' }))
  })
  it('is done by the class, its module in older records, its old name, or when nobody is named', () => {
    const posix = 'cinder.backup.drivers.posix.PosixBackupDriver'
    const gcs = 'cinder.backup.drivers.gcs.GoogleBackupDriver'
    for (const recorded of [posix, 'cinder.backup.drivers.posix', '', null]) expect(isServedBy(recorded, posix)).toBe(true)
    expect(isServedBy('cinder.backup.drivers.google.GoogleBackupDriver', gcs)).toBe(true)
    expect(isServedBy('cinder.backup.drivers.google', gcs)).toBe(true)
    expect(isServedBy('cinder.backup.drivers.google', posix)).toBe(false)
    expect(isServedBy(`${posix}2`, posix)).toBe(false)
    expect(isServedBy(gcs, posix)).toBe(false)
  })
})
