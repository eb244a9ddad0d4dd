/**
 * The statements of the SQL database, built by kysely: the one file that knows it. It quotes names and numbers parameters for either
 * dialect; values are always parameters, and columns come from the tables of `fields.ts`, so that no text of a record is ever SQL.
 */
import {
  type CompiledQuery,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { BackupRecord, SnapshotRecord, VolumeRecord, VolumeTypeRecord } from '../contract/records.ts'
import type { SqlConnection, Statement } from './connection.ts'
import type { Row, Value } from './fields.ts'
import { escapeText } from './text.ts'

type SnakeCase<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${SnakeCase<Rest>}`
  : ''
type Columns<T> = { [Name in keyof T & string as SnakeCase<Name>]: Value }

interface Tables {
  blockvault_volumes: Columns<VolumeRecord> & { metadata: Value; glance_metadata: Value }
  blockvault_volume_types: Columns<VolumeTypeRecord>
  blockvault_snapshots: Columns<SnapshotRecord>
  blockvault_backups: Columns<BackupRecord>
}
export type Table = keyof Tables

export type Queries = ReturnType<typeof createQueries>

export function createQueries(dialect: SqlConnection['dialect']) {
  const build = new Kysely<Tables>({ dialect: dialect === 'sqlite' ? SQLITE : POSTGRES })
  const backups = 'blockvault_backups'
  return {
    find: (table: Table, id: string): Statement => compiled(build.selectFrom(table).selectAll().where('id', '=', id).compile()),

    /** Changes nothing when the id exists. */
    insert: (table: Table, row: Row): Statement =>
      compiled(
        build
          .insertInto(table)
          .values(row as never)
          .onConflict((conflict) => conflict.column('id').doNothing())
          .compile(),
      ),

    /** Changes the row when its status is one of `from`, when that is given. */
    update: (table: Exclude<Table, 'blockvault_volume_types'>, id: string, columns: Row, from?: readonly string[]): Statement => {
      const update = build
        .updateTable(table as 'blockvault_volumes')
        .set(columns)
        .where('id', '=', id)
      return compiled((from ? update.where('status', 'in', oneOf(from)) : update).compile())
    },

    /** Changes a volume's metadata when it is still `before`. */
    exchangeMetadata: (id: string, before: string, after: string): Statement =>
      compiled(build.updateTable('blockvault_volumes').set({ metadata: after }).where('id', '=', id).where('metadata', '=', before).compile()),

    deleteVolume: (id: string): Statement => compiled(build.deleteFrom('blockvault_volumes').where('id', '=', id).compile()),

    /** Changes nothing when the id exists and is not deleted; a deleted row becomes this one. */
    insertBackup: (row: Row): Statement =>
      compiled(
        build
          .insertInto(backups)
          .values(row as never)
          .onConflict((conflict) => conflict.column('id').doUpdateSet(row).where(`${backups}.deleted`, '=', 1))
          .compile(),
      ),

    updateBackup: (id: string, columns: Row, from?: readonly string[]): Statement => {
      const update = build.updateTable(backups).set(columns).where('id', '=', id).where('deleted', '=', 0)
      return compiled((from ? update.where('status', 'in', oneOf(from)) : update).compile())
    },

    addDependent: (id: string): Statement =>
      compiled(
        build
          .updateTable(backups)
          .set((row) => ({ num_dependent_backups: row('num_dependent_backups', '+', 1) }))
          .where('id', '=', id)
          .where('deleted', '=', 0)
          .compile(),
      ),

    /** A statement that changes nothing but holds the row of the backup's parent until the transaction's end. */
    holdParent: (id: string): Statement =>
      compiled(
        build
          .updateTable(backups)
          .set((row) => ({ num_dependent_backups: row.ref('num_dependent_backups') }))
          .where('id', '=', (row) => row.selectFrom(`${backups} as child`).select('child.parent_id').where('child.id', '=', id))
          .compile(),
      ),

    /** Sets the parent's number of dependent backups to the children it has. */
    countSiblings: (id: string): Statement =>
      compiled(
        build
          .updateTable(backups)
          .set((row) => ({
            num_dependent_backups: row
              .selectFrom(`${backups} as sibling`)
              .select((sibling) => sibling.fn.countAll<number>().as('count'))
              .whereRef('sibling.parent_id', '=', `${backups}.id`)
              .where('sibling.deleted', '=', 0),
          }))
          .where('id', '=', (row) => row.selectFrom(`${backups} as child`).select('child.parent_id').where('child.id', '=', id))
          .compile(),
      ),

    listBackups: (equal: Row, statuses?: readonly string[]): Statement => {
      let list = build.selectFrom(backups).selectAll().where('deleted', '=', 0)
      for (const [column, value] of Object.entries(equal)) list = list.where(column as keyof Columns<BackupRecord>, '=', value)
      if (statuses) list = list.where('status', 'in', oneOf(statuses))
      return compiled(list.orderBy('created_at').orderBy('id').compile())
    },
  }
}

const SQLITE = {
  createAdapter: () => new SqliteAdapter(),
  createDriver: () => new DummyDriver(),
  createIntrospector: (database: Kysely<unknown>) => new SqliteIntrospector(database),
  createQueryCompiler: () => new SqliteQueryCompiler(),
}
const POSTGRES = {
  createAdapter: () => new PostgresAdapter(),
  createDriver: () => new DummyDriver(),
  createIntrospector: (database: Kysely<unknown>) => new PostgresIntrospector(database),
  createQueryCompiler: () => new PostgresQueryCompiler(),
}

/** As rows hold them. For none, a text that no row has (`escapeText` sees to that): PostgreSQL knows no empty list. */
function oneOf(statuses: readonly string[]): readonly string[] {
  return statuses.length > 0 ? statuses.map(escapeText) : ['\uffff']
}

function compiled({ sql, parameters }: CompiledQuery): Statement {
  return { sql, parameters: parameters as readonly Value[] }
}
