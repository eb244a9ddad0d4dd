/**
 * The databases, `import { openDatabase } from 'blockvault/database'`: an entry of its own, so that who keeps no rows neither installs
 * nor loads a database driver.
 */
import { resolve } from 'node:path'
import type { Database } from '../../src/contract/database.ts'
import { BlockvaultError } from '../../src/contract/errors.ts'
import type { SqlConnection } from '../../src/database/connection.ts'

export type { BackupFilter, Database } from '../../src/contract/database.ts'
export type * from '../../src/contract/records.ts'
export { createMemoryDatabase, type MemoryDatabaseOptions } from '../../src/database/memory.ts'

/** Where the rows are: exactly one of `path` and `url`. */
export interface DatabaseOptions {
  /** A SQLite file, made when there is none. It needs the packages kysely and @libsql/client. Either this or `url`. */
  path?: string | undefined
  /** `postgres://user:password@host:port/database`; what it does not say is read from PGHOST, PGUSER … It needs the packages kysely and pg. */
  url?: string | undefined
  /** Milliseconds since 1970, for `updatedAt`. The system's clock by default. */
  now?: (() => number) | undefined
}

/**
 * Opens a database and brings its schema up to date.
 * @throws BlockvaultError InvalidConfigurationValue (neither a path nor a URL, a package that is not installed), DATABASE_FAILED,
 * DATABASE_UNSUPPORTED (made by a newer version)
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { packages, connect } = placeOf(options)
  const [{ openSqlDatabase }, connection] = await installed(packages, async () => [await import('../../src/database/sql.ts'), await connect()] as const)
  return openSqlDatabase(connection, options)
}

function placeOf({ path, url }: DatabaseOptions): { packages: string; connect: () => Promise<SqlConnection> } {
  if (path && url === undefined) {
    return { packages: 'kysely @libsql/client', connect: async () => (await import('./database-sqlite.ts')).openSqlite(resolve(path)) }
  }
  if (path === undefined && url !== undefined && /^postgres(ql)?:/.test(url)) {
    return { packages: 'kysely pg', connect: async () => (await import('./database-postgres.ts')).openPostgres(url) }
  }
  throw new BlockvaultError('InvalidConfigurationValue', 'openDatabase takes either `path`, the name of a SQLite file, or `url`, which begins with postgres:.')
}

/** Says which package is missing, and how all that are needed come here. */
async function installed<Module>(packages: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load()
  } catch (error) {
    // Node and Bun name the package, Deno the import's own text.
    const missing = /Cannot find (?:package|module) '|Import "/.test(String(error))
      ? packages.split(' ').find((each) => String(error).includes(each))
      : undefined
    if (missing === undefined) throw error
    throw new BlockvaultError('InvalidConfigurationValue', `The package ${missing} is not installed: npm install ${packages}`, {
      details: { package: missing },
      cause: error,
    })
  }
}
