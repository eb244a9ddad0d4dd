/** How a schema gets from version to version (src/database/migrations.ts), on every SQL database. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { SqlConnection } from '../../../src/database/connection.ts'
import type { Row } from '../../../src/database/fields.ts'
import { migrate } from '../../../src/database/migrations.ts'
import { createQueries } from '../../../src/database/queries.ts'
import { openSqlDatabase } from '../../../src/database/sql.ts'
import { backupRecord, code } from './records.ts'

const FIRST = ['CREATE TABLE fruit (name text PRIMARY KEY)', "INSERT INTO fruit VALUES ('apple')"]
const SECOND = ['ALTER TABLE fruit ADD COLUMN colour text', "UPDATE fruit SET colour = 'red'"]

/** `make` gives a way to connect to one empty place, as often as is wanted. */
export function migrationSuite(name: string, make: () => Promise<() => Promise<SqlConnection>>): void {
  describe(`the schema of the ${name} database`, () => {
    let connect: () => Promise<SqlConnection>
    let connection: SqlConnection
    beforeEach(async () => {
      connect = await make()
      connection = await connect()
      return () => connection.close()
    })
    const rows = async (sql: string) => (await connection.run([{ sql, parameters: [] }]))[0]?.rows ?? []
    const versions = async () => (await rows('SELECT version FROM blockvault_schema ORDER BY version')).map((row) => Number(row['version']))

    it('goes from version to version, and no step is taken twice', async () => {
      await migrate(connection, [FIRST])
      await migrate(connection, [FIRST])
      expect(await rows('SELECT * FROM fruit')).toEqual([{ name: 'apple' }])
      await migrate(connection, [FIRST, SECOND])
      expect(await rows('SELECT * FROM fruit')).toEqual([{ name: 'apple', colour: 'red' }])
      expect(await versions()).toEqual([1, 2])
    })

    it('stays at the version before when a step fails, with all its tables as they were', async () => {
      await migrate(connection, [FIRST])
      const broken = ['CREATE TABLE vegetables (name text)', "UPDATE fruit SET name = 'pear'", 'ALTER TABLE nothing ADD COLUMN colour text']
      await expect(migrate(connection, [FIRST, broken])).rejects.toEqual(code('DATABASE_FAILED'))
      expect(await versions()).toEqual([1])
      expect(await rows('SELECT * FROM fruit')).toEqual([{ name: 'apple' }])
      await expect(rows('SELECT * FROM vegetables')).rejects.toEqual(code('DATABASE_FAILED'))
      await migrate(connection, [FIRST, SECOND])
      expect(await versions()).toEqual([1, 2])
    })

    it('is brought up to date by exactly one of many who open it at once', async () => {
      const connections = await Promise.all(Array.from({ length: 6 }, connect))
      await Promise.all(connections.map((each) => migrate(each, [FIRST, SECOND])))
      await Promise.all(connections.map((each) => each.close()))
      expect(await versions()).toEqual([1, 2])
      expect(await rows('SELECT * FROM fruit')).toEqual([{ name: 'apple', colour: 'red' }])
    })

    it('of a newer version is left alone', async () => {
      await (await openSqlDatabase(await connect())).close()
      const known = (await versions()).length
      await connection.run([{ sql: `INSERT INTO blockvault_schema (version) VALUES (${known + 1})`, parameters: [] }])
      await expect(connect().then(openSqlDatabase)).rejects.toEqual(code('DATABASE_UNSUPPORTED'))
      await expect(connect().then(openSqlDatabase)).rejects.toThrow(`has schema version ${known + 1}, and this blockvault knows versions up to ${known}`)
      expect(await versions()).toEqual(Array.from({ length: known + 1 }, (_, index) => index + 1))
    })

    it('lists 20,000 backups within seconds, in order, and finds those of a volume or a parent by an index', async () => {
      const database = await openSqlDatabase(await connect())
      const record = backupRecord({ displayName: 'x'.repeat(60), metadata: { key: 'value' } })
      await database.createBackup(record)
      const { sql, parameters } = copies(Object.keys((await rows('SELECT * FROM blockvault_backups'))[0] ?? {}), 20_000)
      await connection.run([{ sql, parameters }])
      const begun = performance.now()
      const list = await database.backups()
      const listMs = performance.now() - begun
      expect(list).toHaveLength(20_001)
      const order = list.map(({ createdAt, id }) => `${createdAt.slice(0, -1).padEnd(26, '0')} ${id}`)
      expect(order).toEqual([...order].sort())
      // It takes 0.4 s on two free cores.
      expect(listMs).toBeLessThan(10_000)
      expect(await database.backups({ volumeId: 'volume 7' })).toHaveLength(20)
      await database.close()

      await connection.run([{ sql: 'ANALYZE', parameters: [] }])
      const plan = async (equal: Row) => {
        const query = createQueries(connection.dialect).listBackups(equal)
        const explain = connection.dialect === 'sqlite' ? 'EXPLAIN QUERY PLAN' : 'EXPLAIN'
        return JSON.stringify((await connection.run([{ ...query, sql: `${explain} ${query.sql}` }]))[0]?.rows)
      }
      expect(await plan({ volume_id: 'volume 7' })).toContain('blockvault_backups_by_volume')
      expect(await plan({ parent_id: 'backup 7' })).toContain('blockvault_backups_by_parent')
    })
  })
}

/** A statement that copies the one row of backups, each with an id, a volume and a time of its own. */
function copies(columns: readonly string[], count: number): { sql: string; parameters: never[] } {
  const own: Readonly<Record<string, string>> = {
    id: "'backup ' || n",
    volume_id: "'volume ' || (n % 1000)",
    parent_id: "'backup ' || (n / 2)",
    created_at: "'2026-01-02T03:04:05.' || (100000 + (n * 7919) % 900000) || 'Z'",
  }
  const values = columns.map((column) => own[column] ?? column)
  return {
    sql: `INSERT INTO blockvault_backups (${columns.join(', ')})
      WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count})
      SELECT ${values.join(', ')} FROM numbers, blockvault_backups`,
    parameters: [],
  }
}
