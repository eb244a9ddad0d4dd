import type { Database } from '../../../src/contract/database.ts'

export interface DatabaseUnderTest {
  database: Database
  /** Another connection to the same rows, as another process has it. */
  again(): Promise<Database>
}
