/** A PostgreSQL server keeps what every database keeps, and what a server adds: restarts, deadlocks, other encodings, passwords. */
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../../adapters/node/database.ts'
import { openPostgres } from '../../adapters/node/database-postgres.ts'
import { migrationSuite } from '../suites/database/migrations.ts'
import { backupRecord, code } from '../suites/database/records.ts'
import { databaseSuite } from '../suites/database.ts'
import { sharedDatabaseSuite } from '../suites/database-processes.ts'
import { lacksPostgres, type PostgresServer, startPostgres } from './support/postgres.ts'

describe.skipIf(lacksPostgres !== undefined)(`on a PostgreSQL server${lacksPostgres === undefined ? '' : ` [skipped: ${lacksPostgres}]`}`, () => {
  let server: PostgresServer
  let count = 0
  beforeAll(async () => {
    server = await startPostgres()
  }, 60_000)
  afterAll(() => server.stop())
  /** An empty place: a schema of its own. */
  const place = async () => {
    const schema = `place_${count++}`
    await server.run(`CREATE SCHEMA ${schema}`)
    return { schema, url: server.url({ schema }) }
  }

  databaseSuite('PostgreSQL', async () => {
    const { url } = await place()
    return { database: await openDatabase({ url }), again: () => openDatabase({ url }) }
  })
  sharedDatabaseSuite('PostgreSQL', async () => ({ url: (await place()).url }))
  migrationSuite('PostgreSQL', async () => {
    const { url } = await place()
    return () => openPostgres(url)
  })

  describe('a PostgreSQL server', () => {
    it('that was restarted is connected to again, with what was committed', async () => {
      const { url } = await place()
      const database = await openDatabase({ url })
      const record = backupRecord()
      await database.createBackup(record)
      for (const how of ['fast', 'immediate'] as const) {
        await server.restart(how)
        expect(await database.backup(record.id)).toEqual(record)
      }
      await database.close()
    })

    it('that dies while it works is an error with a code, and no half of a transaction stays', async () => {
      const { url } = await place()
      const database = await openDatabase({ url })
      const parent = backupRecord({ numDependentBackups: 1 })
      const child = backupRecord({ parentId: parent.id })
      await database.createBackup(parent)
      await database.createBackup(child)
      // Somebody holds the child's row, so that the deletion stands between its first and its second statement.
      const holder = new Pool({ connectionString: url, max: 1 })
      holder.on('error', () => {})
      const held = await holder.connect()
      held.on('error', () => {})
      await held.query('BEGIN')
      await held.query('SELECT * FROM blockvault_backups WHERE id = $1 FOR UPDATE', [child.id])
      const deleting = database.deleteBackup(child.id, '2026-01-01T00:00:00Z')
      const failing = expect(deleting).rejects.toEqual(code('DATABASE_FAILED'))
      await sleep(300)
      await server.restart('immediate')
      await failing
      held.release(true)
      await holder.end()
      expect(await database.backup(child.id)).toEqual(child)
      expect(await database.backup(parent.id)).toEqual(parent)
      await database.deleteBackup(child.id, '2026-01-01T00:00:00Z')
      expect((await database.backup(parent.id)).numDependentBackups).toBe(0)
      await database.close()
    })

    it('that ends a transaction to undo a deadlock is asked again', async () => {
      const { url } = await place()
      const database = await openDatabase({ url })
      const parent = backupRecord()
      const child = backupRecord({ parentId: parent.id })
      await database.createBackup(parent)
      await database.createBackup(child)
      const holder = new Pool({ connectionString: url, max: 1 })
      const held = await holder.connect()
      await held.query('BEGIN')
      await held.query("SET LOCAL deadlock_timeout = '60s'")
      await held.query('SELECT * FROM blockvault_backups WHERE id = $1 FOR UPDATE', [child.id])
      const before = await deadlocks(server)
      const deleting = database.deleteBackup(child.id, '2026-01-01T00:00:00Z')
      await sleep(300)
      await held.query('SELECT * FROM blockvault_backups WHERE id = $1 FOR UPDATE', [parent.id])
      await held.query('COMMIT')
      held.release()
      await holder.end()
      await deleting
      expect((await database.backup(child.id, { readDeleted: true })).deleted).toBe(true)
      await database.close()
      await expect.poll(() => deadlocks(server), { timeout: 10_000 }).toBe(before + 1)
    })

    it('is not reached, or refuses: an error without the password', async () => {
      for (const url of [
        'postgres://user:secret-word@127.0.0.1:1/database',
        server.url({ database: 'missing', password: 'secret-word' }),
        'postgres://user:secret-word@[',
      ]) {
        const error: unknown = await openDatabase({ url }).catch((reason: unknown) => reason)
        expect(error).toEqual(code('DATABASE_FAILED'))
        // With everything that is logged of it: its causes too.
        expect(inspect(error, { depth: 20 })).not.toContain('secret-word')
      }
    })

    it('with a database that can not hold every text is refused', async () => {
      await server.run("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
      await expect(openDatabase({ url: server.url({ database: 'latin' }) })).rejects.toThrow("ENCODING 'UTF8'")
    })

    it('with a user who may not make tables says so', async () => {
      const { schema } = await place()
      await server.run('CREATE ROLE reader LOGIN')
      await server.run(`GRANT USAGE ON SCHEMA ${schema} TO reader`)
      await expect(openDatabase({ url: server.url({ schema, user: 'reader' }) })).rejects.toThrow(/permission denied/)
    })

    it('is left with no connection once the database is closed', async () => {
      const { url } = await place()
      const connections = async () => (await server.run("SELECT * FROM pg_stat_activity WHERE application_name = 'blockvault'")).length
      await expect.poll(connections).toBe(0)
      const database = await openDatabase({ url })
      await Promise.all(Array.from({ length: 30 }, () => database.backups()))
      expect(await connections()).toBeGreaterThan(0)
      expect(await connections()).toBeLessThanOrEqual(4)
      await database.close()
      await expect.poll(connections).toBe(0)
    })
  })
})

async function deadlocks(server: PostgresServer): Promise<number> {
  const [row] = await server.run("SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'")
  return Number(row?.['deadlocks'])
}
