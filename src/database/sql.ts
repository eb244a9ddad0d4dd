/**
 * The database in SQL: what a method asks for as one list of statements, run as one transaction.
 *
 * Invariant: whether a change may happen is decided by the statement that makes it (its WHERE, its conflict clause), never by a row
 * that was read before; what was read after only chooses the error.
 */
import type { Database } from '../contract/database.ts'
import type { SqlConnection, Statement } from './connection.ts'
import { backupNotFound, databaseClosed, idExists, snapshotNotFound, volumeNotFound, volumeTypeNotFound } from './errors.ts'
import { BACKUP_FIELDS, fromRow, type Row, SNAPSHOT_FIELDS, toRow, toUpdates, VOLUME_FIELDS, VOLUME_TYPE_FIELDS } from './fields.ts'
import { migrate } from './migrations.ts'
import { createQueries, type Table } from './queries.ts'
import { escapeText } from './text.ts'
import { filterColumns, mergedMetadata, metadataColumn, metadataOf, nowTime } from './values.ts'

export interface SqlDatabaseOptions {
  /** Milliseconds since 1970, for `updatedAt`. The system's clock by default. */
  now?: (() => number) | undefined
}

/** Brings the schema up to date and hands the connection over: it is closed with the database, and when this fails. */
export async function openSqlDatabase(connection: SqlConnection, { now = Date.now }: SqlDatabaseOptions = {}): Promise<Database> {
  try {
    await migrate(connection)
  } catch (error) {
    await connection.close()
    throw error
  }
  return createSqlDatabase(connection, now)
}

function createSqlDatabase(connection: SqlConnection, now: () => number): Database {
  const queries = createQueries(connection.dialect)
  let closing: Promise<void> | undefined

  const run = async (...statements: Statement[]) => {
    if (closing) throw databaseClosed()
    return connection.run(statements)
  }
  /** Rows that the last statement changed. */
  const changed = async (...statements: Statement[]): Promise<number> => (await run(...statements)).at(-1)?.changed ?? 0
  const look = async (table: Table, id: string): Promise<Row | undefined> => (await run(queries.find(table, escapeText(id))))[0]?.rows[0]
  const find = async (table: Table, id: string, notFound: (id: string) => Error): Promise<Row> => {
    const row = await look(table, id)
    if (!row) throw notFound(id)
    return row
  }
  const findVolume = (id: string) => find(VOLUMES, id, volumeNotFound)
  const insert = async (table: Table, row: Row, exists: () => Error): Promise<void> => {
    if ((await changed(queries.insert(table, row))) === 0) throw exists()
  }
  const updateVolume = async (id: string, columns: Row, from?: readonly string[]): Promise<boolean> => {
    if ((await changed(queries.update(VOLUMES, escapeText(id), columns, from))) === 1) return true
    await findVolume(id)
    return false
  }

  const database: Database = {
    async createVolume(volume) {
      const row = { ...toRow(VOLUME_FIELDS, volume), metadata: '{}', glance_metadata: null }
      await insert(VOLUMES, row, () => idExists('InvalidVolume', 'volume', volume.id))
    },
    async volume(id) {
      return fromRow(VOLUME_FIELDS, await findVolume(id))
    },
    async updateVolume(id, updates, { from } = {}) {
      return updateVolume(id, { updated_at: nowTime(now()), ...toUpdates(VOLUME_FIELDS, updates) }, from)
    },
    async deleteVolume(id) {
      if ((await changed(queries.deleteVolume(escapeText(id)))) === 0) throw volumeNotFound(id)
    },

    async volumeMetadata(volumeId) {
      return metadataOf((await findVolume(volumeId))['metadata']) ?? {}
    },
    async updateVolumeMetadata(volumeId, metadata, { replace = true } = {}) {
      metadataColumn(metadata)
      for (;;) {
        const before = String((await findVolume(volumeId))['metadata'])
        const after = metadataColumn(replace ? metadata : mergedMetadata(before, metadata))
        // Another caller changed it in between, and so got on: then once more.
        if ((await changed(queries.exchangeMetadata(escapeText(volumeId), before, after))) === 1) return
      }
    },
    async volumeGlanceMetadata(volumeId) {
      return metadataOf((await findVolume(volumeId))['glance_metadata'])
    },
    async replaceVolumeGlanceMetadata(volumeId, metadata) {
      const column = metadataColumn(metadata)
      await updateVolume(volumeId, { glance_metadata: column === '{}' ? null : column })
    },

    async createVolumeType(type) {
      await insert('blockvault_volume_types', toRow(VOLUME_TYPE_FIELDS, type), () => idExists('InvalidInput', 'volume type', type.id))
    },
    async volumeType(id) {
      return fromRow(VOLUME_TYPE_FIELDS, await find('blockvault_volume_types', id, volumeTypeNotFound))
    },

    async createSnapshot(snapshot) {
      await insert(SNAPSHOTS, toRow(SNAPSHOT_FIELDS, snapshot), () => idExists('InvalidSnapshot', 'snapshot', snapshot.id))
    },
    async snapshot(id) {
      return fromRow(SNAPSHOT_FIELDS, await find(SNAPSHOTS, id, snapshotNotFound))
    },
    async updateSnapshot(id, updates, { from } = {}) {
      // The id stands in for no change at all.
      const columns = { id: escapeText(id), ...toUpdates(SNAPSHOT_FIELDS, updates) }
      if ((await changed(queries.update(SNAPSHOTS, escapeText(id), columns, from))) === 1) return true
      await find(SNAPSHOTS, id, snapshotNotFound)
      return false
    },

    async createBackup(backup) {
      if ((await changed(queries.insertBackup(toRow(BACKUP_FIELDS, backup)))) === 0) throw idExists('InvalidBackup', 'backup', backup.id)
    },
    async backup(id, { readDeleted = false } = {}) {
      const row = await find(BACKUPS, id, backupNotFound)
      const record = fromRow(BACKUP_FIELDS, row)
      if (record.deleted && !readDeleted) throw backupNotFound(id)
      return record
    },
    async updateBackup(id, updates, { from } = {}) {
      const columns = { updated_at: nowTime(now()), ...toUpdates(BACKUP_FIELDS, updates) }
      if ((await changed(queries.updateBackup(escapeText(id), columns, from))) === 1) return true
      await database.backup(id, { readDeleted: from !== undefined })
      return false
    },
    async deleteBackup(id, deletedAt) {
      const key = escapeText(id)
      const deletion = queries.updateBackup(key, toUpdates(BACKUP_FIELDS, { status: 'deleted', deleted: true, deletedAt }))
      // Deletions of two children are one behind the other from the first statement on, so that each counts what the other left.
      const [, deleted] = await run(queries.holdParent(key), deletion, queries.countSiblings(key))
      if (deleted?.changed !== 1) throw backupNotFound(id)
    },
    async addDependent(id) {
      if ((await changed(queries.addDependent(escapeText(id)))) === 0) throw backupNotFound(id)
    },
    async backups(filter = {}) {
      const [found] = await run(queries.listBackups(filterColumns(filter), filter.statuses))
      return (found?.rows ?? []).map((row) => fromRow(BACKUP_FIELDS, row))
    },

    close() {
      return (closing ??= connection.close())
    },
    [Symbol.asyncDispose]: () => database.close(),
  }
  return database
}

const VOLUMES = 'blockvault_volumes'
const SNAPSHOTS = 'blockvault_snapshots'
const BACKUPS = 'blockvault_backups'
