/**
 * The samples of docs/samples.md as they stand there: compiled against the package's own types, and run on the runtime each is written
 * for, on real input. Those of docs/edge.md are run by test/edge, those of the README by test/package.test.ts.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { build, transform } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRepository } from '../adapters/node/index.ts'
import { sample } from './edge/support/samples.ts'
import { temporaryDirectory } from './repository/support/volumes.ts'
import { noise } from './repository/support/random.ts'
import { ROOT, runtimeOf } from './runtimes/runtimes.ts'
import type { Outcome } from './runtimes/vitest.ts'

const DOCUMENT = 'docs/samples.md'
// Not in memory: Deno lets nobody near what lies below /dev.
const folder = temporaryDirectory(tmpdir())
const image = noise(5, 3_000_001)
const at = (name: string) => join(folder, name)
const tsc = (args: readonly string[]) => execFileSync(process.execPath, [`${ROOT}/node_modules/typescript/bin/tsc`, ...args], { cwd: folder, encoding: 'utf8' })

/** What `npm install blockvault fastify …` leaves, without npm: the build, its types, and the packages that are here already. */
beforeAll(() => {
  const installed = at('node_modules/blockvault')
  cpSync(`${ROOT}/dist`, `${installed}/dist`, { recursive: true, filter: (path) => !/dist\/(bench|sample|executable|types)/.test(path) })
  copyFileSync(`${ROOT}/package.json`, `${installed}/package.json`)
  tsc(['-p', `${ROOT}/adapters/tsconfig.types.json`, '--outDir', `${installed}/dist/types`])
  for (const name of ['zod', 'fflate', 'hash-wasm', 'fastify', 'kysely', '@libsql/client', '@types/node', 'bun-types']) {
    mkdirSync(dirname(at(`node_modules/${name}`)), { recursive: true })
    symlinkSync(`${ROOT}/node_modules/${name}`, at(`node_modules/${name}`))
  }
  writeFileSync(at('package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }))
  writeFileSync(at('disk.img'), image)
  writeFileSync(at('backup.pass'), 'correct horse battery staple\n')
}, 120_000)

/** Compiles a file as strictly as this project is; `types` are the runtime's. */
function compile(file: string, types: string): void {
  const compilerOptions = {
    noEmit: true,
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noUnusedLocals: true,
    skipLibCheck: true,
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable', 'dom'],
    module: 'nodenext',
    customConditions: types === 'bun-types' ? ['bun'] : [],
    types: [types],
  }
  writeFileSync(at('tsconfig.json'), JSON.stringify({ compilerOptions, files: [file] }))
  tsc(['-p', folder])
}

const run = (program: string, args: readonly string[], variables: Record<string, string> = {}) =>
  spawnSync(program, args, { cwd: folder, encoding: 'utf8', env: { PATH: process.env['PATH'], HOME: folder, ...variables } })

describe('a nightly script, in Deno', () => {
  const { program } = runtimeOf('deno')
  /** The permissions that the document says are enough; another's can be taken away. */
  const flags = () => {
    const line = readFileSync(join(ROOT, DOCUMENT), 'utf8').match(/^ {4}deno run (.*) nightly\.ts disk\.img /m)?.[1] as string
    return line.replaceAll('/etc/backup.pass', 'backup.pass').replaceAll('/backups', 'backups').split(' ')
  }
  const nightly = (permissions: readonly string[], ...args: string[]) => run(program, ['run', ...permissions, 'nightly.ts', ...args])
  const args = ['disk.img', 'backups', 'backup.pass']
  const BACKUP = /^\S+Z [0-9a-f-]{36} of disk\.img: 3000001 bytes, (\d+) stored, verified\n$/
  const open = (create: boolean) =>
    openRepository({ repository: at('backups'), credentials: { passphrase: 'correct horse battery staple' }, create, workers: 0 })
  beforeAll(() => writeFileSync(at('nightly.ts'), sample('A nightly script, in Deno', DOCUMENT)))

  it('compiles', () => {
    expect(run(program, ['check', 'nightly.ts'])).toMatchObject({ status: 0 })
    writeFileSync(at('wrong.ts'), sample('A nightly script, in Deno', DOCUMENT).replace('backup.volumeBytes', 'backup.volumeBites'))
    expect(run(program, ['check', 'wrong.ts']).stderr).toContain('volumeBites')
  }, 60_000)

  it('makes no repository where there is none', () => {
    expect(nightly(flags(), ...args)).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(/^REPOSITORY_MISSING: /) })
    expect(existsSync(at('backups'))).toBe(false)
  })

  it('backs up and verifies, night after night, with the permissions that the document names', async () => {
    await (await open(true)).close()
    const first = nightly(flags(), ...args)
    expect(first).toMatchObject({ status: 0, stderr: '' })
    expect(Number(BACKUP.exec(first.stdout)?.[1])).toBeGreaterThan(image.length)
    const second = nightly(flags(), ...args)
    expect(Number(BACKUP.exec(second.stdout)?.[1])).toBeLessThan(10_000)
    await using repository = await open(false)
    await repository.restore('latest:disk.img', at('nightly.img'))
    expect(Buffer.compare(readFileSync(at('nightly.img')), image)).toBe(0)
  }, 60_000)

  it('needs each of those permissions, and fails without', () => {
    const [, read = '', write = ''] = flags()
    const paths = read.replace('--allow-read=', '').split(',')
    expect(paths).toHaveLength(4)
    const sets = paths.map((path) => ['--no-prompt', `--allow-read=${paths.filter((each) => each !== path)}`, write])
    for (const permissions of [...sets, ['--no-prompt', read]]) {
      const { status, stdout, stderr } = nightly(permissions, ...args)
      expect({ status, stdout, lines: stderr.trimEnd().split('\n').length }, permissions.join(' ')).toEqual({ status: 1, stdout: '', lines: 1 })
    }
    expect(nightly(sets[1] as string[], ...args).stderr).toMatch(/^SOURCE_DENIED: /)
  }, 60_000)

  it('says what is wrong, in one line', () => {
    expect(nightly(flags(), 'disk.img')).toMatchObject({ status: 2, stderr: 'usage: nightly.ts SOURCE REPOSITORY PASSPHRASE-FILE\n' })
    expect(nightly(flags(), 'other.img', 'backups', 'backup.pass').status).toBe(1)
    writeFileSync(at('backup.pass'), 'wrong\n')
    expect(nightly(flags(), ...args)).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(/^KEY_WRONG: .*\n$/) })
    writeFileSync(at('backup.pass'), 'correct horse battery staple\n')
  }, 60_000)
})

describe('a storage in four functions, in Bun', () => {
  const { program } = runtimeOf('bun')
  const code = sample('A storage of your own in four functions, in Bun', DOCUMENT)
  const variables = { BLOCKVAULT_PASSPHRASE: 'correct horse battery staple' }
  beforeAll(() => writeFileSync(at('sqlite.ts'), code))

  it('compiles', () => {
    compile('sqlite.ts', 'bun-types')
    writeFileSync(at('wrong.ts'), code.replace('.changes === 1', '.changes'))
    expect(() => compile('wrong.ts', 'bun-types')).toThrow()
  }, 60_000)

  it('backs up to a database and restores from it, and stores what is new only', () => {
    const backup = () => run(program, ['sqlite.ts', 'disk.img', 'backups.sqlite'], variables)
    const first = backup()
    expect(first).toMatchObject({
      status: 0,
      stderr: '',
      stdout: expect.stringMatching(/^[0-9a-f-]{36} of disk\.img: \d{7} bytes stored in backups\.sqlite\n$/),
    })
    expect(Buffer.compare(readFileSync(at('disk.img.restored')), image)).toBe(0)
    rmSync(at('disk.img.restored'))
    expect(backup().stdout).toMatch(/ of disk\.img: \d{1,4} bytes stored/)
    expect(Buffer.compare(readFileSync(at('disk.img.restored')), image)).toBe(0)
    rmSync(at('disk.img.restored'))
  }, 60_000)

  it('keeps what every storage keeps', async () => {
    // The sample's own database and functions, in the suite of the storages.
    const [, functions = ''] = /\n(const database = [\s\S]*?)\nawait using repository/.exec(code) ?? []
    const program = `
import { Database } from 'bun:sqlite'
import { createStorage } from 'blockvault'
import { storageSuite } from '${ROOT}/test/suites/storage.ts'
import { runSuite } from '${ROOT}/test/runtimes/vitest.ts'
const make = (file: string) => {
  ${functions}
  return storage
}
let files = 0
const outcome = await runSuite('storage', async () => storageSuite('SQLite', async () => {
  const file = \`suite-\${++files}.sqlite\`
  return { storage: make(file), again: () => make(file) }
}))
console.log(JSON.stringify(outcome))
`
    writeFileSync(at('suite.ts'), program)
    await build({
      entryPoints: [at('suite.ts')],
      outfile: at('suite.js'),
      bundle: true,
      format: 'esm',
      external: ['bun:*', 'node:*', 'blockvault'],
      alias: { vitest: `${ROOT}/test/runtimes/vitest.ts` },
      mainFields: ['module', 'main'],
    })
    const { stdout, stderr } = run(runtimeOf('bun').program, ['suite.js'])
    expect(stderr).toBe('')
    const { passed, failed } = JSON.parse(stdout.trim().split('\n').at(-1) as string) as Outcome
    expect(failed).toEqual([])
    expect(passed).toBeGreaterThan(20)
  }, 60_000)

  it('fails with a code, and restores nothing, when the database does', () => {
    const failing = code
      .replace('put: (name, bytes) =>', "put: (name, bytes) => { if (name.startsWith('packs/')) throw new Error('disk I/O error'); return")
      .replace('changes === 1,', 'changes === 1 },')
    writeFileSync(at('failing.ts'), failing)
    const { status, stdout, stderr } = run(program, ['failing.ts', 'disk.img', 'failing.sqlite'], variables)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain('STORAGE_FAILED')
    expect(stderr).toContain('disk I/O error')
    expect(existsSync(at('disk.img.restored'))).toBe(false)
  })
})

describe("a service that makes Cinder's backups, with Fastify", () => {
  const code = sample("A service that makes Cinder's backups, with Fastify", DOCUMENT)
  const VOLUME = '7e1f8c52-5b0e-4c0f-9f0a-3d1f6b2a9c11'
  const volume = (id: string) => at(`volumes/${id}.img`)
  let service: ChildProcess
  let url: string

  const startService = async () => {
    service = spawn(process.execPath, ['service.mjs'], { cwd: folder, env: { PATH: process.env['PATH'], PORT: '0' }, stdio: ['ignore', 'pipe', 'ignore'] })
    url = await new Promise((resolve, reject) => {
      createInterface(service.stdout as Readable).once('line', resolve)
      service.once('exit', (status) => reject(new Error(`The service ended with exit code ${status}.`)))
    })
  }
  const stopService = async () => {
    const ended = new Promise((resolve) => service.once('exit', (status, signal) => resolve(signal ?? status)))
    service.kill('SIGTERM')
    return ended
  }
  const ask = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(url + path, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: (text === '' ? undefined : JSON.parse(text)) as Record<string, unknown> }
  }
  const settled = async (id: string) => {
    await expect.poll(async () => (await ask('GET', `/backups/${id}`)).body['status'], { timeout: 20_000 }).not.toMatch(/ing$/)
    return (await ask('GET', `/backups/${id}`)).body
  }

  beforeAll(async () => {
    mkdirSync(at('volumes'))
    writeFileSync(volume(VOLUME), image)
    writeFileSync(at('service.ts'), code)
    writeFileSync(at('service.mjs'), (await transform(code, { loader: 'ts', target: 'es2022' })).code)
    await startService()
  }, 60_000)
  afterAll(() => service?.kill('SIGKILL'))

  it('compiles', () => {
    compile('service.ts', 'node')
    writeFileSync(at('wrong.ts'), code.replace('status, failReason, createdAt }', 'status, failReasons, createdAt }'))
    expect(() => compile('wrong.ts', 'node')).toThrow()
  }, 60_000)

  it('makes a backup, shows it, restores it to a new volume, and deletes it', async () => {
    const created = await ask('POST', '/backups', { volumeId: VOLUME, name: 'nightly' })
    expect(created).toMatchObject({ status: 202, body: { id: expect.stringMatching(/^[0-9a-f-]{36}$/) } })
    const id = created.body['id'] as string
    expect(await settled(id)).toMatchObject({ id, name: 'nightly', volumeId: VOLUME, status: 'available', failReason: null, percent: 100 })
    expect((await ask('GET', '/backups')).body).toEqual([expect.objectContaining({ id, status: 'available' })])

    const restored = await ask('POST', `/backups/${id}/restore`, {})
    expect(restored.status).toBe(202)
    await settled(id)
    const to = restored.body['volumeId'] as string
    expect(to).not.toBe(VOLUME)
    expect(Buffer.compare(readFileSync(volume(to)).subarray(0, image.length), image)).toBe(0)

    const child = (await ask('POST', '/backups', { volumeId: VOLUME, incremental: true })).body['id'] as string
    await settled(child)
    expect(await ask('DELETE', `/backups/${id}`)).toMatchObject({ status: 400, body: { code: 'InvalidBackup', message: expect.stringContaining(child) } })
    expect((await ask('DELETE', `/backups/${child}`)).status).toBe(204)
    expect((await ask('DELETE', `/backups/${id}`)).status).toBe(204)
    expect((await ask('GET', `/backups/${id}`)).status).toBe(404)
  }, 60_000)

  it.each([
    ['a volume that is not there', 'POST', '/backups', { volumeId: '11111111-2222-4333-8444-555555555555' }, 404, 'VolumeNotFound'],
    ['no volume', 'POST', '/backups', { name: 'x' }, 400, 'InvalidInput'],
    ['a path for a volume', 'POST', '/backups', { volumeId: '../../etc/passwd' }, 400, 'InvalidInput'],
    ['a field that is none', 'POST', '/backups', { volumeId: VOLUME, force: true }, 400, 'InvalidInput'],
    ['a field of another type', 'POST', '/backups', { volumeId: VOLUME, incremental: 'yes' }, 400, 'InvalidInput'],
    ['a long name', 'POST', '/backups', { volumeId: VOLUME, name: 'x'.repeat(256) }, 400, 'InvalidInput'],
    ['what is no JSON', 'POST', '/backups', '{"volumeId":', 400, 'InvalidInput'],
    ['a body without end', 'POST', '/backups', { volumeId: VOLUME, name: 'x'.repeat(20_000) }, 413, 'InvalidInput'],
    ['an incremental backup without a full one', 'POST', '/backups', { volumeId: VOLUME, incremental: true }, 400, 'InvalidBackup'],
    ['a backup that is not there', 'GET', '/backups/11111111-2222-4333-8444-555555555555', undefined, 404, 'BackupNotFound'],
    ['no id', 'GET', '/backups/..%2f..%2fetc', undefined, 400, 'InvalidInput'],
    ['a restore of what is not there', 'POST', '/backups/11111111-2222-4333-8444-555555555555/restore', {}, 404, 'BackupNotFound'],
  ])('answers %s with a status and a code', async (_, method, path, body, status, code) => {
    expect(await ask(method, path, body)).toMatchObject({ status, body: { code } })
  })

  it('says in the row what fails later, and goes on', async () => {
    renameSync(volume(VOLUME), at('elsewhere'))
    const { body } = await ask('POST', '/backups', { volumeId: VOLUME })
    expect(await settled(body['id'] as string)).toMatchObject({ status: 'error', failReason: expect.stringContaining(VOLUME) })
    renameSync(at('elsewhere'), volume(VOLUME))
    expect((await ask('DELETE', `/backups/${body['id']}`)).status).toBe(204)
  })

  it('ends when it is told to, and knows its backups the next time', async () => {
    const { body } = await ask('POST', '/backups', { volumeId: VOLUME, name: 'kept' })
    await settled(body['id'] as string)
    expect(await stopService()).toBe(0)
    await startService()
    expect((await ask('GET', '/backups')).body).toEqual([expect.objectContaining({ id: body['id'], name: 'kept', status: 'available' })])
    expect(await stopService()).toBe(0)
  }, 60_000)
})
