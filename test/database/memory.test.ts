/** The memory database keeps what every database keeps. */
import { createMemoryDatabase } from '../../src/database/memory.ts'
import { databaseSuite } from '../suites/database.ts'

databaseSuite('memory', async () => {
  const database = createMemoryDatabase()
  // There is no second connection to this process's memory: closing what stands for one leaves the rows open.
  return { database, again: async () => ({ ...database, close: async () => {} }) }
})
