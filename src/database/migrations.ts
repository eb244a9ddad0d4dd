/**
 * The schema of the SQL databases, one list of statements a version. A version that was released is never edited: a change is a new one.
 *
 * Invariants: a version is applied whole or not at all, and by exactly one of several processes that open the database at once; a
 * database of a newer version is left alone (DATABASE_UNSUPPORTED).
 *
 * Tables begin with `blockvault_`: Cinder's own database, whose tables are `volumes` and `backups`, may be the same one. Columns have
 * Cinder's names; flags are 0 and 1; times are text of one length (`time.ts`), metadata is JSON.
 */
import { BlockvaultError } from '../contract/errors.ts'
import type { SqlConnection, Statement } from './connection.ts'

export const MIGRATIONS: readonly (readonly string[])[] = [
  [
    `CREATE TABLE blockvault_volumes (
      id text PRIMARY KEY,
      user_id text NOT NULL,
      project_id text NOT NULL,
      size bigint NOT NULL,
      status text NOT NULL,
      previous_status text,
      display_name text,
      display_description text,
      host text,
      availability_zone text,
      volume_type_id text,
      encryption_key_id text,
      snapshot_id text,
      bootable bigint NOT NULL,
      created_at text NOT NULL,
      updated_at text,
      others text NOT NULL,
      metadata text NOT NULL,
      glance_metadata text
    )`,
    'CREATE TABLE blockvault_volume_types (id text PRIMARY KEY, name text NOT NULL)',
    'CREATE TABLE blockvault_snapshots (id text PRIMARY KEY, volume_id text NOT NULL, status text NOT NULL, created_at text NOT NULL)',
    `CREATE TABLE blockvault_backups (
      id text PRIMARY KEY,
      user_id text NOT NULL,
      project_id text NOT NULL,
      volume_id text NOT NULL,
      host text,
      availability_zone text,
      container text,
      parent_id text,
      status text NOT NULL,
      fail_reason text,
      size bigint NOT NULL,
      display_name text,
      display_description text,
      service_metadata text,
      service text,
      object_count bigint NOT NULL,
      temp_volume_id text,
      temp_snapshot_id text,
      num_dependent_backups bigint NOT NULL,
      snapshot_id text,
      data_timestamp text,
      restore_volume_id text,
      metadata text NOT NULL,
      encryption_key_id text,
      created_at text NOT NULL,
      updated_at text,
      deleted_at text,
      deleted bigint NOT NULL
    )`,
    'CREATE INDEX blockvault_backups_by_time ON blockvault_backups (created_at, id)',
    'CREATE INDEX blockvault_backups_by_volume ON blockvault_backups (volume_id)',
    'CREATE INDEX blockvault_backups_by_parent ON blockvault_backups (parent_id)',
  ],
]

/** Any number does, as long as nobody else's is the same: "blockvau" in ASCII. */
const MIGRATION_LOCK = '7092165985997054325'

/** Brings the database to the newest of `migrations`. @throws DATABASE_UNSUPPORTED, DATABASE_FAILED */
export async function migrate(connection: SqlConnection, migrations: readonly (readonly string[])[] = MIGRATIONS): Promise<void> {
  // Two transactions that create one table at once fail in PostgreSQL, with IF NOT EXISTS too. SQLite has one writer anyway.
  const lock = connection.dialect === 'postgres' ? [statement(`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`)] : []
  await connection.run([...lock, statement('CREATE TABLE IF NOT EXISTS blockvault_schema (version bigint PRIMARY KEY)')])
  for (;;) {
    const [version] = await connection.run([statement('SELECT coalesce(max(version), 0) AS version FROM blockvault_schema')])
    const current = Number(version?.rows[0]?.['version'])
    if (current > migrations.length) throw newer(current, migrations.length)
    const statements = migrations[current]
    if (!statements) return
    try {
      // The version first: of two processes that are here at once, its key lets one pass, and the other begins again.
      await connection.run([...lock, statement(`INSERT INTO blockvault_schema (version) VALUES (${current + 1})`), ...statements.map(statement)])
    } catch (error) {
      const [applied] = await connection.run([statement(`SELECT version FROM blockvault_schema WHERE version = ${current + 1}`)])
      if (applied?.rows.length !== 1) throw error
    }
  }
}

function statement(sql: string): Statement {
  return { sql, parameters: [] }
}

function newer(version: number, known: number): BlockvaultError {
  return new BlockvaultError(
    'DATABASE_UNSUPPORTED',
    `The database has schema version ${version}, and this blockvault knows versions up to ${known}: use the newer blockvault that made it.`,
    { details: { version, known } },
  )
}
