/**
 * A PostgreSQL server as the connection of the SQL database, by pg.
 *
 * Invariants: statements of one transaction go one behind the other on one connection, and a transaction that PostgreSQL ended to
 * undo a deadlock is run again from its start; a server that was restarted is connected to again; no message has the URL, which may
 * hold a password.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool, type PoolClient } from 'pg'
import { BlockvaultError } from '../../src/contract/errors.ts'
import type { SqlConnection, Statement, StatementResult } from '../../src/database/connection.ts'
import { databaseClosed } from '../../src/database/errors.ts'
import type { Row } from '../../src/database/fields.ts'

/** Connections at once: a backup service has few statements under way, and PostgreSQL takes 100 clients by default. */
const CONNECTIONS_MAX = 4
const CONNECT_MS = 10_000
/**
 * A transaction that waits longer for a lock fails, as does one whose process stands still with locks in its hands. Set for each
 * transaction, not for the connection: PgBouncer refuses connections that bring settings along.
 */
const BEGIN = 'BEGIN; SET LOCAL lock_timeout = 10000; SET LOCAL idle_in_transaction_session_timeout = 10000'
/** SQLSTATEs of transactions that did nothing and succeed when they are run again: serialization_failure, deadlock_detected. */
const AGAIN = ['40001', '40P01']
const TRIES_MAX = 10

/** `url`: `postgres://user:password@host/database`; what it does not say, the variables PGHOST, PGUSER … do. @throws DATABASE_FAILED */
export async function openPostgres(url: string): Promise<SqlConnection> {
  const pool = new Pool({
    connectionString: url,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    application_name: 'blockvault',
  })
  // A connection that the server ended says so by an event, which ends this process when nobody listens: the pool drops an idle one,
  // and what runs on the other fails by itself.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  let closing: Promise<void> | undefined

  const once = async (statements: readonly Statement[]): Promise<readonly StatementResult[]> => {
    const [only, ...more] = statements
    if (only && more.length === 0) return [await query(pool, only)]
    const client = await pool.connect()
    let broken: Error | undefined
    try {
      await client.query(BEGIN)
      const results: StatementResult[] = []
      for (const each of statements) results.push(await query(client, each))
      await client.query('COMMIT')
      return results
    } catch (error) {
      // A connection that can not roll back is ended, and its transaction with it.
      await client.query('ROLLBACK').catch((reason: Error) => (broken = reason))
      throw error
    } finally {
      client.release(broken)
    }
  }

  const connection: SqlConnection = {
    dialect: 'postgres',
    async run(statements) {
      for (let attempt = 1; ; attempt++) {
        if (closing) throw databaseClosed()
        try {
          return await once(statements)
        } catch (error) {
          if (closing) throw databaseClosed()
          if (attempt === TRIES_MAX || !AGAIN.includes(codeOf(error))) throw failed(error)
          await sleep(attempt * 5)
        }
      }
    },
    close() {
      return (closing ??= pool.end())
    },
  }
  try {
    await checkEncoding(connection)
    return connection
  } catch (error) {
    await connection.close()
    throw error
  }
}

/** Another encoding would refuse or change what is not in it. */
async function checkEncoding(connection: SqlConnection): Promise<void> {
  const [shown] = await connection.run([{ sql: 'SHOW server_encoding', parameters: [] }])
  const encoding = String(shown?.rows[0]?.['server_encoding'])
  if (encoding === 'UTF8') return
  throw new BlockvaultError('DATABASE_FAILED', `The database has the encoding ${encoding}: make one with ENCODING 'UTF8', which holds every name there is.`)
}

async function query(client: Pool | PoolClient, { sql, parameters }: Statement): Promise<StatementResult> {
  const { rows, rowCount } = await client.query<Row>(sql, [...parameters])
  return { rows, changed: rowCount ?? 0 }
}

function codeOf(error: unknown): string {
  return String((error as { code?: string } | undefined)?.code ?? '')
}

function failed(error: unknown): BlockvaultError {
  if (error instanceof BlockvaultError) return error
  // Of several addresses that were tried, the reasons stand in the parts.
  const parts = error instanceof AggregateError ? error.errors : [error]
  const reason = parts.map((each) => (each instanceof Error ? each.message : String(each))).join('; ')
  return new BlockvaultError('DATABASE_FAILED', `PostgreSQL failed: ${reason}. Look whether the server runs and the URL is right.`, {
    details: { reason: codeOf(error) },
    cause: error,
  })
}
