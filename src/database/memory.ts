/**
 * The database in memory: for tests, and for a program that keeps its rows elsewhere itself. It stores the rows that the SQL
 * databases store and passes their suite.
 *
 * Invariant: nothing awaits between the first look at a row and its change, so that each method is one transaction.
 */
import type { Database } from '../contract/database.ts'
import { backupNotFound, databaseClosed, idExists, snapshotNotFound, volumeNotFound, volumeTypeNotFound } from './errors.ts'
import { BACKUP_FIELDS, type Fields, fromRow, type Row, SNAPSHOT_FIELDS, toRow, toUpdates, VOLUME_FIELDS, VOLUME_TYPE_FIELDS } from './fields.ts'
import { filterColumns, mergedMetadata, metadataColumn, metadataOf, nowTime } from './values.ts'

/** How a database in memory is made. */
export interface MemoryDatabaseOptions {
  /** Milliseconds since 1970, for `updatedAt`. The system's clock by default. */
  now?: (() => number) | undefined
}

/** A database that is gone with the process. */
export function createMemoryDatabase({ now = Date.now }: MemoryDatabaseOptions = {}): Database {
  const volumes = new Map<string, Row>()
  const volumeTypes = new Map<string, Row>()
  const snapshots = new Map<string, Row>()
  const backups = new Map<string, Row>()
  let closed = false
  const open = (): void => {
    if (closed) throw databaseClosed()
  }
  const find = (rows: ReadonlyMap<string, Row>, id: string, notFound: (id: string) => Error): Row => {
    open()
    const row = rows.get(id)
    if (!row) throw notFound(id)
    return row
  }
  const findBackup = (id: string, { readDeleted = false } = {}): Row => {
    const row = find(backups, id, backupNotFound)
    if (row['deleted'] !== 0 && !readDeleted) throw backupNotFound(id)
    return row
  }
  const insert = <T extends { id: string }>(rows: Map<string, Row>, fields: Fields<T>, record: T, exists: (id: string) => Error): void => {
    open()
    const row = toRow(fields, record)
    if (rows.has(record.id)) throw exists(record.id)
    rows.set(record.id, row)
  }
  const update = <T extends object>(row: Row, fields: Fields<T>, updates: Partial<T>, from: readonly string[] | undefined): boolean => {
    const columns = toUpdates(fields, updates)
    if (from && !from.includes(String(row['status']))) return false
    Object.assign(row, 'updatedAt' in fields ? { updated_at: nowTime(now()), ...columns } : columns)
    return true
  }

  const database: Database = {
    async createVolume(volume) {
      insert(volumes, VOLUME_FIELDS, volume, (id) => idExists('InvalidVolume', 'volume', id))
      Object.assign(find(volumes, volume.id, volumeNotFound), { metadata: '{}', glance_metadata: null })
    },
    async volume(id) {
      return fromRow(VOLUME_FIELDS, find(volumes, id, volumeNotFound))
    },
    async updateVolume(id, updates, { from } = {}) {
      return update(find(volumes, id, volumeNotFound), VOLUME_FIELDS, updates, from)
    },
    async deleteVolume(id) {
      find(volumes, id, volumeNotFound)
      volumes.delete(id)
    },

    async volumeMetadata(volumeId) {
      return metadataOf(find(volumes, volumeId, volumeNotFound)['metadata']) ?? {}
    },
    async updateVolumeMetadata(volumeId, metadata, { replace = true } = {}) {
      const row = find(volumes, volumeId, volumeNotFound)
      row['metadata'] = metadataColumn(replace ? metadata : mergedMetadata(row['metadata'], metadata))
    },
    async volumeGlanceMetadata(volumeId) {
      return metadataOf(find(volumes, volumeId, volumeNotFound)['glance_metadata'])
    },
    async replaceVolumeGlanceMetadata(volumeId, metadata) {
      const row = find(volumes, volumeId, volumeNotFound)
      const column = metadataColumn(metadata)
      row['glance_metadata'] = column === '{}' ? null : column
    },

    async createVolumeType(type) {
      insert(volumeTypes, VOLUME_TYPE_FIELDS, type, (id) => idExists('InvalidInput', 'volume type', id))
    },
    async volumeType(id) {
      return fromRow(VOLUME_TYPE_FIELDS, find(volumeTypes, id, volumeTypeNotFound))
    },

    async createSnapshot(snapshot) {
      insert(snapshots, SNAPSHOT_FIELDS, snapshot, (id) => idExists('InvalidSnapshot', 'snapshot', id))
    },
    async snapshot(id) {
      return fromRow(SNAPSHOT_FIELDS, find(snapshots, id, snapshotNotFound))
    },
    async updateSnapshot(id, updates, { from } = {}) {
      return update(find(snapshots, id, snapshotNotFound), SNAPSHOT_FIELDS, updates, from)
    },

    async createBackup(backup) {
      open()
      const row = toRow(BACKUP_FIELDS, backup)
      if (backups.get(backup.id)?.['deleted'] === 0) throw idExists('InvalidBackup', 'backup', backup.id)
      backups.set(backup.id, row)
    },
    async backup(id, options) {
      return fromRow(BACKUP_FIELDS, findBackup(id, { readDeleted: options?.readDeleted ?? false }))
    },
    async updateBackup(id, updates, { from } = {}) {
      const row = findBackup(id, { readDeleted: from !== undefined })
      return update(row, BACKUP_FIELDS, updates, row['deleted'] === 0 ? from : [])
    },
    async deleteBackup(id, deletedAt) {
      const row = findBackup(id)
      Object.assign(row, toUpdates(BACKUP_FIELDS, { status: 'deleted', deleted: true, deletedAt }))
      const parent = row['parent_id'] === null ? undefined : backups.get(String(row['parent_id']))
      if (parent) parent['num_dependent_backups'] = [...backups.values()].filter((each) => each['parent_id'] === parent['id'] && each['deleted'] === 0).length
    },
    async addDependent(id) {
      const row = findBackup(id)
      row['num_dependent_backups'] = Number(row['num_dependent_backups']) + 1
    },
    async backups(filter = {}) {
      open()
      const wanted = filterColumns(filter)
      return [...backups.values()]
        .filter((row) => row['deleted'] === 0 && matches(row, wanted, filter.statuses))
        .sort((left, right) => compare(left['created_at'], right['created_at']) || compare(left['id'], right['id']))
        .map((row) => fromRow(BACKUP_FIELDS, row))
    },

    async close() {
      closed = true
    },
    [Symbol.asyncDispose]: () => database.close(),
  }
  return database
}

function matches(row: Row, wanted: Row, statuses: readonly string[] | undefined): boolean {
  return Object.entries(wanted).every(([column, value]) => row[column] === value) && (!statuses || statuses.includes(String(row['status'])))
}

function compare(left: unknown, right: unknown): number {
  return String(left) < String(right) ? -1 : Number(left !== right)
}
