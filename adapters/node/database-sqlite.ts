/**
 * A SQLite file as the connection of the SQL database, by libsql: it loads on Node, Deno and Bun alike.
 *
 * Invariants: a transaction runs from BEGIN IMMEDIATE to COMMIT without giving the thread away; the file has a write-ahead log and is
 * synchronised at each commit; one transaction is under way at a time, and after a failure its connection is thrown away.
 *
 * That last one is for a defect of libsql (libsql-client-ts issue 352): a statement that failed with SQLITE_BUSY stays in progress
 * until the garbage collector finds it, and until then the connection can not commit, and keeps the lock of what it began. A lock that
 * BEGIN did not get leaves nothing held, a COMMIT that had to wait would: the write-ahead log is there so that a COMMIT never waits.
 */
import { closeSync, openSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { type Client, createClient } from '@libsql/client/sqlite3'
import { BlockvaultError } from '../../src/contract/errors.ts'
import type { SqlConnection, Statement, StatementResult } from '../../src/database/connection.ts'
import { databaseClosed } from '../../src/database/errors.ts'
import type { Row, Value } from '../../src/database/fields.ts'

/** Milliseconds that a try for a lock blocks the thread; libsql waits for it in C. Transactions take about one. */
const TRY_MS = 50
/** Milliseconds between two tries, when other work of this process goes on; and until it is given up. */
const PAUSE_MS = 20
const WAIT_MS = 10_000
/** The second one: many processes open the write-ahead log at once. */
const LOCKED = ['SQLITE_BUSY', 'SQLITE_PROTOCOL']

/**
 * Opens the file, and makes it, for its owner only, when there is none.
 * `waitMs`: how long a transaction waits for those of other processes; 10 s by default.
 * @throws DATABASE_FAILED
 */
export async function openSqlite(path: string, { waitMs = WAIT_MS }: { waitMs?: number } = {}): Promise<SqlConnection> {
  let client: Client | undefined
  let closed = false
  let last: Promise<unknown> = Promise.resolve()

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work)
    last = result.catch(() => {})
    return result
  }
  /** Tries until the lock is had; each time from the start, on a connection that has not failed. */
  const locked = async <T>(work: (client: Client) => Promise<T>): Promise<T> => {
    const end = Date.now() + waitMs
    for (;;) {
      if (closed) throw databaseClosed()
      try {
        client ??= await connect(path)
        return await work(client)
      } catch (error) {
        client?.close()
        client = undefined
        if (closed) throw databaseClosed()
        if (!LOCKED.includes(codeOf(error) ?? '') || Date.now() > end) throw failed(path, error)
        await sleep(PAUSE_MS)
      }
    }
  }

  make(path)
  await locked(async () => {})
  return {
    dialect: 'sqlite',
    async run(statements) {
      const reads = statements.every(({ sql }) => /^select\b/i.test(sql))
      const results = await inTurn(() => locked((each) => each.batch(statements.map(toLibsql), reads ? 'read' : 'write')))
      return results.map(fromLibsql)
    },
    close() {
      closed = true
      return inTurn(async () => {
        // What is in the log goes into the file, so that a copy of the closed file alone is whole. Somebody else may still be reading.
        await client?.execute('PRAGMA wal_checkpoint(TRUNCATE)').catch(() => {})
        client?.close()
        client = undefined
      })
    },
  }
}

/**
 * Makes the file when there is none. One that exists is not opened: closing it would take this process's locks from it, those of other
 * connections too (POSIX), and SQLite in another process would then remove the log that these still write.
 */
function make(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw failed(path, error)
    if (!statSync(path, { throwIfNoEntry: false })?.isFile())
      throw new BlockvaultError('DATABASE_FAILED', `${path} is no file: name another one.`, { details: { path } })
  }
}

async function connect(path: string): Promise<Client> {
  // One connection: what runs, runs to its end before anything else does.
  const client = createClient({ url: pathToFileURL(path).href, concurrency: 1, timeout: TRY_MS })
  try {
    const journal = await client.execute('PRAGMA journal_mode = WAL')
    if (journal.rows[0]?.['journal_mode'] !== 'wal') {
      throw new BlockvaultError('DATABASE_FAILED', `${path} is on a file system without shared memory: put the database on a local disk, or use PostgreSQL.`)
    }
    await client.execute('PRAGMA synchronous = FULL')
    return client
  } catch (error) {
    client.close()
    throw error
  }
}

function toLibsql({ sql, parameters }: Statement): { sql: string; args: Value[] } {
  return { sql, args: [...parameters] }
}

function fromLibsql({ rows, rowsAffected }: { rows: unknown[]; rowsAffected: number }): StatementResult {
  return { rows: rows as Row[], changed: rowsAffected }
}

function codeOf(error: unknown): string | undefined {
  return (error as { code?: string } | undefined)?.code
}

function failed(path: string, error: unknown): BlockvaultError {
  if (error instanceof BlockvaultError) return error
  const reason = REASONS[codeOf(error) ?? ''] ?? (error instanceof Error ? error.message : String(error))
  return new BlockvaultError('DATABASE_FAILED', `The database ${path} failed: ${reason}.`, { details: { path, reason: codeOf(error) ?? '' }, cause: error })
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'its directory does not exist; make it first',
  EACCES: 'this user may not make a file there',
  SQLITE_PROTOCOL: 'other processes kept it locked; try again',
  SQLITE_BUSY: 'another process kept it locked; try again, or end that process',
  SQLITE_CANTOPEN: 'this user may not open it',
  SQLITE_NOTADB: 'it is not a SQLite database; name another file',
  SQLITE_CORRUPT: 'it is damaged; restore it from a copy',
  SQLITE_FULL: 'the disk is full',
  SQLITE_READONLY: 'it may not be written',
}
