/** A PostgreSQL server keeps what every database keeps, and what a server adds: restarts, other users' tables, passwords. */
import { afterAll, beforeAll, describe } from 'vitest'
import { openDatabase } from '../../adapters/node/database.ts'
import { databaseSuite } from '../suites/database.ts'
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
    return { schema, url: server.url(schema) }
  }

  databaseSuite('PostgreSQL', async () => {
    const { url } = await place()
    return { database: await openDatabase({ url }), again: () => openDatabase({ url }) }
  })
})
