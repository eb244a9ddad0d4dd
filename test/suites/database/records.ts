/** Records for the database suite and other tests: plain ones, full ones, and texts that have broken databases before. */
import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import type { BackupRecord, SnapshotRecord, VolumeRecord } from '../../../src/contract/records.ts'

export const code = (expected: string) => expect.objectContaining({ name: 'BlockvaultError', code: expected })
/** A time as records have it. */
export const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(\d{3})?Z$/

/** Everything that has broken a database before: quotes, NUL, half a surrogate pair, injections, keys that mean something to JavaScript. */
export const HARD_TEXTS: Readonly<Record<string, string>> = {
  empty: '',
  'an apostrophe': "it's",
  'a double quote': 'say "yes"',
  'a backslash': 'C:\\volumes\\',
  injection: "'); DROP TABLE backups; --",
  'another injection': '1 OR 1=1; SELECT $1, ?, :id, @id -- /*',
  NUL: 'before\0after\0',
  'control characters': '\x01\x1f\x7f\r\n\t',
  umlauts: 'Größe',
  decomposed: 'e\u0301 is not \u00e9',
  Chinese: '备份',
  'an astral character': '💾',
  'half a pair': 'left \ud83d alone',
  'the other half': '\udcbe',
  'a reversed pair': '\udcbe\ud83d',
  'no character': '\uffff0000\ufffe',
  'the words null and undefined': 'null undefined',
  number: '007',
  spaces: '  kept  ',
  long: 'x'.repeat(300_000),
}

export function backupRecord(changes: Partial<BackupRecord> = {}): BackupRecord {
  return {
    id: randomUUID(),
    userId: 'user',
    projectId: 'project',
    volumeId: randomUUID(),
    host: 'host-1',
    availabilityZone: 'nova',
    container: null,
    parentId: null,
    status: 'creating',
    failReason: null,
    size: 1,
    displayName: 'a backup',
    displayDescription: null,
    serviceMetadata: null,
    service: 'cinder.backup.drivers.posix.PosixBackupDriver',
    objectCount: 0,
    tempVolumeId: null,
    tempSnapshotId: null,
    numDependentBackups: 0,
    snapshotId: null,
    dataTimestamp: '2026-01-02T03:04:05.678Z',
    restoreVolumeId: null,
    metadata: {},
    encryptionKeyId: null,
    createdAt: '2026-01-02T03:04:05.678901Z',
    updatedAt: null,
    deletedAt: null,
    deleted: false,
    ...changes,
  }
}

export function volumeRecord(changes: Partial<VolumeRecord> = {}): VolumeRecord {
  return {
    id: randomUUID(),
    userId: 'user',
    projectId: 'project',
    size: 10,
    status: 'available',
    previousStatus: null,
    displayName: 'a volume',
    displayDescription: null,
    host: null,
    availabilityZone: 'nova',
    volumeTypeId: null,
    encryptionKeyId: null,
    snapshotId: null,
    bootable: false,
    createdAt: '2026-01-02T03:04:05.678Z',
    updatedAt: null,
    others: {},
    ...changes,
  }
}

export function snapshotRecord(changes: Partial<SnapshotRecord> = {}): SnapshotRecord {
  return { id: randomUUID(), volumeId: randomUUID(), status: 'available', createdAt: '2026-01-02T03:04:05.678Z', ...changes }
}

/** Every field has a value of its own, so that two that are mixed up are seen. */
export function fullBackup(changes: Partial<BackupRecord> = {}): BackupRecord {
  const record = backupRecord({ status: 'available', size: 2 ** 40, objectCount: 3_000_000_000, numDependentBackups: 7, metadata: { b: '2', a: '1' } })
  for (const [name, value] of Object.entries(record)) {
    if (value === null || (typeof value === 'string' && !/^\d{4}-|available/.test(value))) Object.assign(record, { [name]: `the ${name}` })
  }
  return { ...record, id: randomUUID(), updatedAt: '2026-01-03T00:00:00.000Z', deletedAt: '2026-01-04T00:00:00.000001Z', ...changes }
}
