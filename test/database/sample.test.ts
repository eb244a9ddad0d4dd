/**
 * Databases that earlier versions of the schema made: `test/vectors/database-v1.db` and, as JSON, what is in it. A version that was
 * released is never edited, and what it made is read for ever.
 */
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../../adapters/node/database.ts'
import { openSqlite } from '../../adapters/node/database-sqlite.ts'
import { MIGRATIONS, migrate } from '../../src/database/migrations.ts'

const folder = mkdtempSync(join(tmpdir(), 'blockvault-database-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const VECTORS = new URL('../vectors/', import.meta.url)

describe.each([1])('a database of version %i', (version) => {
  const copy = (name: string) => {
    copyFileSync(new URL(`database-v${version}.db`, VECTORS), join(folder, name))
    return join(folder, name)
  }

  it('is read', async () => {
    const sample = JSON.parse(readFileSync(new URL(`database-v${version}.json`, VECTORS), 'utf8'))
    const database = await openDatabase({ path: copy('read.db') })
    expect(await database.volume(sample.volume.id)).toEqual(sample.volume)
    expect(Object.entries(await database.volumeMetadata(sample.volume.id))).toEqual(Object.entries(sample.metadata))
    expect(await database.volumeGlanceMetadata(sample.volume.id)).toEqual(sample.glanceMetadata)
    expect(await database.volumeType(sample.volumeType.id)).toEqual(sample.volumeType)
    expect(await database.snapshot(sample.snapshot.id)).toEqual(sample.snapshot)
    expect(await database.backups()).toEqual(sample.backups)
    expect(await database.backup(sample.deleted.id, { readDeleted: true })).toEqual(sample.deleted)
    await database.close()
  })

  it('has the tables that this code still makes as that version', async () => {
    const tables = async (path: string) => {
      const connection = await openSqlite(path)
      await migrate(connection, MIGRATIONS.slice(0, version))
      const [made] = await connection.run([{ sql: 'SELECT name, sql FROM sqlite_master ORDER BY name', parameters: [] }])
      await connection.close()
      return made?.rows
    }
    expect(await tables(join(folder, 'new.db'))).toEqual(await tables(copy('old.db')))
  })
})
