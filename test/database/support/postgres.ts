/**
 * A PostgreSQL server of the tests' own: a new cluster in a temporary directory, reached by a socket in it, gone afterwards.
 * PostgreSQL refuses to run as root: then the user `postgres`, which Debian's package makes, runs it.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'pg'
import { isRoot, lacks, tool } from '../../node/system.ts'

const DEBIAN = '/usr/lib/postgresql'
const newest = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((left, right) => Number(right) - Number(left))[0] : undefined
const binaries = newest === undefined ? undefined : join(DEBIAN, newest, 'bin')

/** Why there is no server here, or `undefined`. */
export const lacksPostgres =
  binaries === undefined || !existsSync(join(binaries, 'initdb'))
    ? `no PostgreSQL under ${DEBIAN}: apt-get install postgresql`
    : lacks('PostgreSQL', () => program('postgres', ['--version']))

export interface PostgresServer {
  /** The server's URL: by default for its administrator, who needs no password. */
  url(parts?: { schema?: string; user?: string; password?: string; database?: string }): string
  /** Runs a statement as the administrator. */
  run(sql: string): Promise<Record<string, unknown>[]>
  /** Ends the server, as a crash does with `immediate`, and starts it again. */
  restart(how: 'fast' | 'immediate'): Promise<void>
  stop(): Promise<void>
}

export async function startPostgres(): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), 'bv-postgres-'))
  if (isRoot) chownSync(folder, ...postgresUser())
  const cluster = join(folder, 'cluster')
  program('initdb', ['-D', cluster, '-U', 'admin', '--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'])
  let server = await started(folder, cluster)
  let admin = adminPool(folder)
  return {
    url: ({ schema = 'public', user = 'admin', password = '', database = 'postgres' } = {}) =>
      `postgres://${user}:${password}@/${database}?host=${encodeURIComponent(folder)}&options=${encodeURIComponent(`-c search_path=${schema}`)}`,
    run: async (sql) => (await admin.query(sql)).rows,
    async restart(how) {
      await admin.end()
      await ended(server, how)
      server = await started(folder, cluster)
      admin = adminPool(folder)
    },
    async stop() {
      await admin.end()
      await ended(server, 'fast')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function adminPool(host: string): Pool {
  const pool = new Pool({ host, user: 'admin', database: 'postgres', max: 2 })
  pool.on('error', () => {})
  return pool
}

async function started(folder: string, cluster: string): Promise<ChildProcess> {
  const [name, args] = asUser('postgres', ['-D', cluster, '-k', folder, '-c', 'listen_addresses=', '-c', 'fsync=off', '-c', 'max_connections=40'])
  const server = spawn(name, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  server.stderr?.on('data', (bytes: Uint8Array) => (said += Buffer.from(bytes).toString()))
  const pool = adminPool(folder)
  for (let tries = 0; ; tries++) {
    try {
      await pool.query('SELECT 1')
      await pool.end()
      return server
    } catch (error) {
      if (server.exitCode !== null || tries > 200) throw new Error(`PostgreSQL did not start: ${said}`, { cause: error })
      await sleep(50)
    }
  }
}

async function ended(server: ChildProcess, how: 'fast' | 'immediate'): Promise<void> {
  const gone = new Promise((resolve) => server.once('exit', resolve))
  server.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT')
  await gone
}

function program(name: string, args: readonly string[]): string {
  const [command, all] = asUser(name, args)
  return tool(command, ...all)
}

/** With the death of the test's process the server ends too. */
function asUser(name: string, args: readonly string[]): [string, string[]] {
  const [uid, gid] = isRoot ? postgresUser() : []
  const user = uid === undefined ? [] : [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups']
  return ['setpriv', [...user, '--pdeathsig=INT', join(binaries ?? '', name), ...args]]
}

function postgresUser(): [number, number] {
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return [id('-u'), id('-g')]
}
