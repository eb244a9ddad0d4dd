/** A SQLite file keeps what every database keeps, and what a file adds: other processes, kill -9, foreign files. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { openDatabase } from '../../adapters/node/database.ts'
import { databaseSuite } from '../suites/database.ts'

const folder = mkdtempSync(join(tmpdir(), 'blockvault-database-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let count = 0

databaseSuite('SQLite', async () => {
  const path = join(folder, `${count++}.db`)
  return { database: await openDatabase({ path }), again: () => openDatabase({ path }) }
})
