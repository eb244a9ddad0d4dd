/** A SQLite file keeps what every database keeps, and what a file adds: locks of other processes, foreign files, odd names. */
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@libsql/client/sqlite3'
import { afterAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../../adapters/node/database.ts'
import { openSqlite } from '../../adapters/node/database-sqlite.ts'
import { openSqlDatabase } from '../../src/database/sql.ts'
import { isRoot } from '../node/system.ts'
import { migrationSuite } from '../suites/database/migrations.ts'
import { backupRecord, code } from '../suites/database/records.ts'
import { databaseSuite } from '../suites/database.ts'
import { sharedDatabaseSuite } from '../suites/database-processes.ts'
import { databaseProcess } from './support/processes.ts'

const folder = mkdtempSync(join(tmpdir(), 'blockvault-database-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let count = 0
const newPath = (name = '.db') => join(folder, `${count++}${name}`)

databaseSuite('SQLite', async () => {
  const path = newPath()
  return { database: await openDatabase({ path }), again: () => openDatabase({ path }) }
})
sharedDatabaseSuite('SQLite', async () => ({ path: newPath() }))
migrationSuite('SQLite', async () => {
  const path = newPath()
  return () => openSqlite(path)
})

describe('a SQLite file', () => {
  it('is its owner’s alone, and whole in itself once it is closed', async () => {
    const path = newPath()
    const database = await openDatabase({ path })
    const record = backupRecord()
    await database.createBackup(record)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(`${path}-wal`).mode & 0o777).toBe(0o600)
    await database.close()
    const copy = newPath()
    copyFileSync(path, copy)
    const copied = await openDatabase({ path: copy })
    expect(await copied.backups()).toEqual([record])
    await copied.close()
  })

  it('keeps its log while this process has it open, however often it was opened, and others come and go', async () => {
    const path = newPath()
    const records = Array.from({ length: 6 }, () => backupRecord())
    const database = await openDatabase({ path })
    for (const record of records) {
      await (await openDatabase({ path })).close()
      const other = databaseProcess({ path }, `await database.createBackup(${JSON.stringify(record)})`)
      await other.ended
      expect(await database.backup(record.id)).toEqual(record)
      await database.updateBackup(record.id, { status: 'available' })
    }
    await database.close()
    const again = await openDatabase({ path })
    expect((await again.backups({ statuses: ['available'] })).map(({ id }) => id).sort()).toEqual(records.map(({ id }) => id).sort())
    await again.close()
  })

  it.each([' with spaces', "o'clock", '?mode=memory', '#1', '%41', 'ü💾', ':memory:', 'file:x'])('may be called %s', async (name) => {
    const path = newPath(name)
    const database = await openDatabase({ path })
    await database.createVolumeType({ id: 'type', name: 'x' })
    await database.close()
    expect(readFileSync(path).subarray(0, 15).toString()).toBe('SQLite format 3')
    const again = await openDatabase({ path })
    expect((await again.volumeType('type')).name).toBe('x')
    await again.close()
  })

  it('leaves tables of others in it alone', async () => {
    const path = newPath()
    const other = createClient({ url: `file:${path}` })
    await other.batch(['CREATE TABLE backups (id text)', "INSERT INTO backups VALUES ('Cinder’s own')", 'CREATE TABLE volumes (id text)'], 'write')
    const database = await openDatabase({ path })
    await database.createBackup(backupRecord())
    expect((await other.execute('SELECT * FROM backups')).rows.map((row) => row['id'])).toEqual(['Cinder’s own'])
    await database.close()
    other.close()
  })

  it('that is another file, in no directory, or none at all, is refused and left as it is', async () => {
    const text = newPath('.txt')
    writeFileSync(text, 'this is no database, but a text that is quite long, so that it is no short read either. '.repeat(50))
    const before = readFileSync(text)
    await expect(openDatabase({ path: text })).rejects.toEqual(code('DATABASE_FAILED'))
    await expect(openDatabase({ path: text })).rejects.toThrow('it is not a SQLite database; name another file')
    expect(readFileSync(text)).toEqual(before)
    await expect(openDatabase({ path: join(folder, 'nowhere', 'rows.db') })).rejects.toThrow('its directory does not exist; make it first')
    mkdirSync(join(folder, 'directory'))
    await expect(openDatabase({ path: join(folder, 'directory') })).rejects.toThrow('directory is no file: name another one')
    symlinkSync('nowhere', join(folder, 'link'))
    await expect(openDatabase({ path: join(folder, 'link') })).rejects.toThrow('is no file')
    execFileSync('mkfifo', [join(folder, 'fifo')])
    await expect(openDatabase({ path: join(folder, 'fifo') })).rejects.toThrow('is no file')
    await expect(openDatabase({ path: '/dev/null' })).rejects.toThrow('is no file')
  })

  it('that was damaged says so, and is left as it is', async () => {
    const path = newPath()
    const database = await openDatabase({ path })
    for (let index = 0; index < 50; index++) await database.createBackup(backupRecord({ displayDescription: 'x'.repeat(1000) }))
    await database.close()
    const bytes = readFileSync(path)
    bytes.fill(0xff, 4096)
    writeFileSync(path, bytes)
    const read = async () => {
      const damaged = await openDatabase({ path })
      await damaged.backups().finally(() => damaged.close())
    }
    await expect(read()).rejects.toEqual(code('DATABASE_FAILED'))
    await expect(read()).rejects.toThrow(/damaged/)
  })

  it('that this user may not make or open is refused', async () => {
    await expect(openDatabase({ path: '/proc/self/rows.db' })).rejects.toEqual(code('DATABASE_FAILED'))
    if (isRoot) return // may open everything
    const path = newPath()
    writeFileSync(path, '')
    chmodSync(path, 0)
    await expect(openDatabase({ path })).rejects.toThrow('this user may not open it')
  })

  it.each([{}, { path: '' }, { url: '' }, { path: 'x', url: 'postgres://x' }, { url: 'mysql://x' }, { url: '/var/rows.db' }])(
    'or a server has to be named, and one of them: %j',
    async (options) => {
      await expect(openDatabase(options)).rejects.toEqual(code('InvalidConfigurationValue'))
    },
  )
})

describe('a lock that another process holds', () => {
  /** Lets go after a time, or when it is told to. */
  const holder = (path: string, ms?: number) =>
    databaseProcess(
      { path },
      `import { createClient } from ${JSON.stringify(import.meta.resolve('@libsql/client/sqlite3'))}
       const client = createClient({ url: ${JSON.stringify(`file:${path}`)}, timeout: 5000 })
       const held = await client.transaction('write')
       say('held')
       await ${ms === undefined ? 'told()' : `new Promise((resolve) => setTimeout(resolve, ${ms}))`}
       await held.rollback()
       client.close()`,
    )

  it('is waited for, while this process goes on with other work', async () => {
    const path = newPath()
    const database = await openDatabase({ path })
    const record = backupRecord()
    await holder(path, 1000).said(1)
    let [last, longest] = [performance.now(), 0]
    const tick = () => {
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }
    const ticker = setInterval(tick, 5)
    const began = performance.now()
    await Promise.all([database.createBackup(record), database.backups()])
    clearInterval(ticker)
    tick()
    expect(performance.now() - began).toBeGreaterThan(700)
    expect(longest).toBeLessThan(500)
    expect(await database.backup(record.id)).toEqual(record)
    await database.close()
  })

  it('is given up after a time; afterwards everything works, on the same database object and on others', async () => {
    const path = newPath()
    const database = await openSqlDatabase(await openSqlite(path, { waitMs: 300 }))
    const [failed, record] = [backupRecord(), backupRecord()]
    const holding = holder(path)
    await holding.said(1)
    for (let tries = 0; tries < 3; tries++) {
      await expect(database.createBackup(failed)).rejects.toThrow(/another process kept it locked/)
      await expect(database.createBackup(failed)).rejects.toEqual(code('DATABASE_FAILED'))
    }
    holding.tell('go')
    await holding.ended
    await database.createBackup(record)
    await database.deleteBackup(record.id, '2026-01-01T00:00:00Z')
    const other = await openDatabase({ path })
    await other.createBackup(record)
    expect(await database.backups()).toEqual([record])
    await other.close()
    await database.close()
  })

  it('is no longer waited for by a database that was closed', async () => {
    const path = newPath()
    const database = await openDatabase({ path })
    await holder(path).said(1)
    const waiting = database.createBackup(backupRecord())
    const closing = database.close()
    await expect(waiting).rejects.toEqual(code('CLOSED'))
    await closing
  })
})
