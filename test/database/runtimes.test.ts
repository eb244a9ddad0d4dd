/** The built database entry on each runtime: a row that one wrote, the next one reads and changes. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DatabaseOptions, openDatabase } from '../../adapters/node/database.ts'
import { backupRecord } from '../suites/database/records.ts'
import { lacksPostgres, type PostgresServer, startPostgres } from './support/postgres.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const RUNTIMES = {
  'the Node of npm': [process.execPath],
  'a current Node': ['node_modules/node/bin/node'],
  Deno: ['node_modules/.bin/deno', 'run', '--allow-all', '--config=deno.json'],
  Bun: ['node_modules/.bin/bun'],
}
const folder = mkdtempSync(join(tmpdir(), 'blockvault-database-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const program = join(folder, 'program.mjs')
writeFileSync(
  program,
  `import { openDatabase } from ${JSON.stringify(new URL('../../dist/database.js', import.meta.url).href)}
  const [options, id, from, to] = JSON.parse(process.argv.at(-1))
  const database = await openDatabase(options)
  const changed = await database.updateBackup(id, { status: to, failReason: to + ' \\0 \\ud83d 💾' }, { from: [from] })
  console.log(JSON.stringify([changed, await database.backups({ statuses: [to] })]))
  await database.close()`,
)

function claims(options: () => DatabaseOptions): void {
  it.each(Object.entries(RUNTIMES))('works on %s', async (_, [command, ...args]) => {
    expect(existsSync(join(root, command ?? '')) || command === process.execPath, `${command} comes with npm ci`).toBe(true)
    const record = backupRecord({ status: 'available', displayName: 'a \0 \ud83d' })
    const database = await openDatabase(options())
    await database.createBackup(record)
    const printed = execFileSync(command ?? '', [...args, program, JSON.stringify([options(), record.id, 'available', 'restoring'])], {
      cwd: root,
      encoding: 'utf8',
    })
    const found = await database.backup(record.id)
    expect(found).toEqual({ ...record, status: 'restoring', failReason: 'restoring \0 \ud83d 💾', updatedAt: expect.any(String) })
    expect(JSON.parse(printed)).toEqual([true, [found]])
    await database.deleteBackup(record.id, '2026-01-01T00:00:00Z')
    await database.close()
  })
}

describe('a SQLite file', () => {
  claims(() => ({ path: join(folder, 'rows.db') }))
})

describe.skipIf(lacksPostgres !== undefined)(`a PostgreSQL server${lacksPostgres === undefined ? '' : ` [skipped: ${lacksPostgres}]`}`, () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  }, 60_000)
  afterAll(() => server.stop())
  claims(() => ({ url: server.url() }))
})
