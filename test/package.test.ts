/**
 * The package as a user gets it: packed, installed into an empty folder, imported, run. Its dependencies come from npm's cache, or
 * from the registry when they are not there. The code is `dist/` as `npm run build` left it.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import packageFile from '../package.json' with { type: 'json' }
import { RUNTIMES } from './runtimes/runtimes.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
// Where no directory above has packages, which would be found as well.
const above = [tmpdir(), '/var/tmp', '/dev/shm'].find((each) => existsSync(each) && !existsSync(join(each, 'node_modules'))) ?? tmpdir()
const folder = mkdtempSync(join(above, 'blockvault-package-'))
const home = join(folder, 'home')
// A run under `npm test` sets npm_* variables for this project: they are not the user's.
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_(?!config_(cache|registry|userconfig|cafile))|BLOCKVAULT_|XDG_)/i.test(name)),
)

function run(command: string, args: readonly string[], where = folder, variables: Record<string, string> = {}): string {
  return execFileSync(command, args, { cwd: where, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { ...environment, ...variables } })
}

beforeAll(() => {
  if (!existsSync(`${root}/dist/types`)) run('npm', ['run', '--silent', 'build:types'], root)
  run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], root)
  writeFileSync(`${folder}/package.json`, JSON.stringify({ name: 'user', private: true, type: 'module' }))
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))
  run('npm', ['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--silent', `./${tarball}`])
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the installed package', () => {
  it('has what it needs and nothing else', () => {
    const installed = readdirSync(`${folder}/node_modules/blockvault`)
    expect(installed.sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'docs', 'package.json'])
    // The command and the worker share code in files that are named by their content.
    const built = readdirSync(`${folder}/node_modules/blockvault/dist`).filter((name) => !/^chunk-\w+\.js$/.test(name))
    const entries = ['blockvault.js', 'cinder.js', 'component.js', 'database.js', 'edge.js', 'index.js', 'worker.js']
    const others = ['bun', 'deno'].flatMap((runtime) => [`${runtime}.js`, `${runtime}-cinder.js`, `${runtime}-worker.js`])
    expect(built.sort()).toEqual([...entries, ...others, 'blockvault_core_bg.wasm', 'blockvault_reader.core.wasm', 'blockvault_reader.wasm', 'types'].sort())
    const packages = readdirSync(`${folder}/node_modules`)
      .filter((name) => !name.startsWith('.'))
      .flatMap((name) => (name.startsWith('@') ? readdirSync(`${folder}/node_modules/${name}`).map((each) => `${name}/${each}`) : [name]))
    expect(packages.sort()).toEqual(['blockvault', ...Object.keys(packageFile.dependencies)].sort())
  })

  it('runs as a command', () => {
    expect(run('npx', ['--no-install', 'blockvault', '--version']).trim()).toBe(packageFile.version)
  })

  it('does the main job in one line, and the way back', () => {
    writeFileSync(`${folder}/disk.img`, `a disk image\n${'zeros and ones '.repeat(9999)}`)
    const blockvault = (...args: string[]) => run('npx', ['--no-install', 'blockvault', ...args], folder, { HOME: home })
    blockvault('backup', 'disk.img')
    blockvault('verify', '--read-data')
    blockvault('restore', 'latest', 'restored.img')
    expect(readFileSync(`${folder}/restored.img`)).toEqual(readFileSync(`${folder}/disk.img`))
  })

  it.each(RUNTIMES)('runs the sample of the README on $name, with its adapter', ({ adapter, program, run: args }) => {
    const [, sample] = /```js\n([\s\S]*?)```/.exec(readFileSync(`${root}/README.md`, 'utf8')) ?? []
    writeFileSync(`${folder}/disk.img`, 'x'.repeat(99_999))
    for (const path of ['restored.img', 'backups']) rmSync(`${folder}/${path}`, { recursive: true, force: true })
    writeFileSync(`${folder}/sample.mjs`, `${sample}\nconsole.log(import.meta.resolve('blockvault'))`)
    const printed = run(program, [...args.filter((each) => !each.startsWith('--config')), 'sample.mjs']).split('\n')
    expect(printed[0]).toMatch(/^[0-9a-f-]{36} 99999 \d+ \d+$/)
    expect(printed[1]).toMatch({ node: /dist\/index\.js$/, deno: /dist\/deno\.js$/, bun: /dist\/bun\.js$/ }[adapter])
    expect(readFileSync(`${folder}/restored.img`)).toEqual(readFileSync(`${folder}/disk.img`))
  })

  it("runs the README's sample of Cinder's service", () => {
    const [, , sample] = readFileSync(`${root}/README.md`, 'utf8').split('```js\n')
    mkdirSync(`${folder}/volumes`)
    writeFileSync(`${folder}/volumes/7e1f8c52-5b0e-4c0f-9f0a-3d1f6b2a9c11.img`, 'x'.repeat(99_999))
    writeFileSync(`${folder}/cinder.mjs`, sample?.split('```')[0] ?? 'no sample')
    const [id = ''] =
      run('node', ['cinder.mjs'])
        .match(/^([0-9a-f-]{36}) available 1\n$/)
        ?.slice(1) ?? []
    run('npx', ['--no-install', 'blockvault', 'cinder', 'restore', 'cinder-store', id, 'from-cinder.img'], folder, { HOME: home })
    expect(readFileSync(`${folder}/from-cinder.img`, 'utf8')).toBe('x'.repeat(99_999))
  })

  it('has types that a strict program compiles with, and that refuse a wrong one', () => {
    writeFileSync(
      `${folder}/tsconfig.json`,
      JSON.stringify({
        compilerOptions: { noEmit: true, strict: true, target: 'es2022', lib: ['es2022', 'dom', 'esnext.disposable'], module: 'nodenext', types: [] },
      }),
    )
    const program = (type: string) =>
      `import { openRepository } from 'blockvault'\nexport const size: ${type} = (await (await openRepository({ repository: 'x' })).backup('y')).volumeBytes\n` +
      `import { openDatabase } from 'blockvault/database'\nexport const count: ${type} = (await (await openDatabase({ path: 'x' })).backup('y')).objectCount\n`
    const compile = () => run(process.execPath, [`${root}/node_modules/typescript/bin/tsc`, '-p', folder])
    writeFileSync(`${folder}/program.ts`, program('number'))
    compile()
    writeFileSync(`${folder}/program.ts`, program('string'))
    expect(compile).toThrow()
  }, 60_000)
})

describe('blockvault/database', () => {
  const program = (body: string) => {
    writeFileSync(
      `${folder}/database.mjs`,
      `import { createMemoryDatabase, openDatabase } from 'blockvault/database'\nimport { isBlockvaultError } from 'blockvault'\n${body}`,
    )
    return run('node', ['database.mjs']).trim()
  }
  const type = (database: string) => `const database = ${database}
    await database.createVolumeType({ id: 'type', name: 'fast' })
    console.log((await database.volumeType('type')).name)
    await database.close()`

  it('keeps rows in memory with no further package', () => {
    expect(program(type('createMemoryDatabase()'))).toBe('fast')
  })

  it('names the packages to install, in an error that the main entry knows', () => {
    const attempt = (options: string) =>
      program(`await openDatabase(${options}).catch((error) => console.log(isBlockvaultError(error, 'InvalidConfigurationValue'), error.message))`)
    expect(attempt(`{ path: 'rows.db' }`)).toBe('true The package kysely is not installed: npm install kysely @libsql/client')
    expect(attempt(`{ url: 'postgres://localhost/' }`)).toBe('true The package kysely is not installed: npm install kysely pg')
    expect(existsSync(`${folder}/rows.db`)).toBe(false)
  })

  it('keeps rows in a SQLite file once they are', () => {
    const wanted = (['kysely', '@libsql/client'] as const).map((each) => `${each}@${packageFile.peerDependencies[each]}`)
    run('npm', ['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--silent', ...wanted])
    expect(program(type(`await openDatabase({ path: 'rows.db' })`))).toBe('fast')
    expect(existsSync(`${folder}/rows.db`)).toBe(true)
  }, 60_000)
})

describe('package-lock.json', () => {
  it('has every package that another one may need on some platform: npm ci refuses it otherwise', () => {
    const { packages } = JSON.parse(readFileSync(`${root}/package-lock.json`, 'utf8')) as {
      packages: Record<string, { optionalDependencies?: Record<string, string> }>
    }
    const wanted = Object.values(packages).flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
    expect(wanted.filter((name) => !Object.keys(packages).some((path) => path.endsWith(`node_modules/${name}`)))).toEqual([])
  })
})
