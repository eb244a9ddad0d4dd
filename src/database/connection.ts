/**
 * What an adapter gives the SQL database: a place to run statements. Two of them exist, SQLite and PostgreSQL, and one suite tests both.
 *
 * Invariant: a transaction is a list of statements that is known before it begins. So nothing of ours ever runs between its first
 * statement and its commit: no lock is held while this process does something else, and SQLite, whose driver blocks the thread, can
 * not wait for a transaction of its own process.
 */
import type { Row, Value } from './fields.ts'

export interface Statement {
  readonly sql: string
  readonly parameters: readonly Value[]
}

export interface StatementResult {
  readonly rows: readonly Row[]
  /** Rows that an insert, update or delete touched. */
  readonly changed: number
}

export interface SqlConnection {
  readonly dialect: 'sqlite' | 'postgres'
  /**
   * Runs the statements one behind the other, each seeing what those before it and all committed transactions did: all of them or none.
   * What was committed survives a power cut. Waits for other transactions, for a time that is bounded.
   * @throws DATABASE_FAILED; CLOSED after `close`
   */
  run(statements: readonly Statement[]): Promise<readonly StatementResult[]>
  close(): Promise<void>
}
