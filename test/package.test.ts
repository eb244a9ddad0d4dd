/**
 * The package as a user gets it: packed, looked through by the tools that know what goes wrong with packages, installed into an empty folder by
 * each runtime's own installer, imported, run. The code is `dist/` as `npm run build` left it.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { publint } from 'publint'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import packageFile from '../package.json' with { type: 'json' }
import { typesAreBuilt } from './global-setup.ts'
import { packInto, startNpmRegistry } from './package/npm-registry.ts'
import { emptyFolder, PRINTED, readmeSample, run as runIn, runAside } from './package/outside.ts'
import { ROOT, RUNTIMES, runtimeOf } from './runtimes/runtimes.ts'

// Installers and compilers, beside whatever else the machine does.
vi.setConfig({ testTimeout: 120_000 })

const folder = emptyFolder()
const home = `${folder}/home`
const packages = emptyFolder()
const tarball = `${packages}/blockvault-${packageFile.version}.tgz`
let registry: Awaited<ReturnType<typeof startNpmRegistry>>

const run = (command: string, args: readonly string[], variables: Record<string, string> = {}) => runIn(command, args, folder, variables)

beforeAll(async () => {
  if (!typesAreBuilt()) runIn('npm', ['run', '--silent', 'build:types'], ROOT)
  registry = await startNpmRegistry(packages, packInto(packages, Object.keys(packageFile.dependencies)))
  writeFileSync(`${folder}/package.json`, JSON.stringify({ name: 'user', private: true, type: 'module' }))
  await runAside(
    'npm',
    ['install', '--registry', registry.url, '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--silent', tarball],
    folder,
  )
}, 120_000)
afterAll(() => registry.close())

describe('the packed package', () => {
  it('is what publint asks for', async () => {
    const { messages } = await publint({ pack: { tarball: readFileSync(tarball).buffer }, strict: true })
    expect(messages).toEqual([])
  })

  it("has types that Are the Types Wrong? finds right, for Node's modules and for bundlers", () => {
    // There is no CommonJS: who uses require() has Node's own way to require an ES module. `component.wasm` is for hosts that are not
    // JavaScript; no program imports it.
    const wanted = ['--profile', 'esm-only', '--exclude-entrypoints', 'component.wasm', '--no-definitely-typed', '--no-emoji', '--no-color']
    const printed = run(process.execPath, [`${ROOT}/node_modules/@arethetypeswrong/cli/dist/index.js`, tarball, ...wanted, '--format', 'ascii'])
    for (const entry of Object.keys(packageFile.exports).filter((each) => each !== './component.wasm')) {
      const name = entry.replace('.', 'blockvault')
      const [, section = ''] = printed.split(`"${name}"\n`)
      expect(section, name).toMatch(/^\nnode16 \(from ESM\): OK \(ESM\)\nbundler: OK *\n/)
    }
  })
})

describe('the installed package', () => {
  it('has what it needs and nothing else', () => {
    const installed = readdirSync(`${folder}/node_modules/blockvault`)
    expect(installed.sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'dist', 'docs', 'package.json'])
    // The command and the worker share code in files that are named by their content.
    const built = readdirSync(`${folder}/node_modules/blockvault/dist`).filter((name) => !/^chunk-\w+\.js$/.test(name))
    const entries = ['blockvault.js', 'cinder.js', 'component.js', 'database.js', 'edge.js', 'index.js', 'worker.js']
    const others = ['bun', 'deno'].flatMap((runtime) => [`${runtime}.js`, `${runtime}-cinder.js`, `${runtime}-worker.js`])
    expect(built.sort()).toEqual([...entries, ...others, 'blockvault_core_bg.wasm', 'blockvault_reader.core.wasm', 'blockvault_reader.wasm', 'types'].sort())
    // Source maps are not in the package: who follows an address of one finds nothing.
    const code = readdirSync(`${folder}/node_modules/blockvault/dist`).filter((name) => name.endsWith('.js'))
    expect(code.filter((name) => readFileSync(`${folder}/node_modules/blockvault/dist/${name}`, 'utf8').includes('sourceMappingURL='))).toEqual([])
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
    const blockvault = (...args: string[]) => run('npx', ['--no-install', 'blockvault', ...args], { HOME: home })
    blockvault('backup', 'disk.img')
    blockvault('verify', '--read-data')
    blockvault('restore', 'latest', 'restored.img')
    expect(readFileSync(`${folder}/restored.img`)).toEqual(readFileSync(`${folder}/disk.img`))
  })

  it.each(RUNTIMES)('runs the sample of the README on $name, with its adapter', ({ adapter, program, run: args }) => {
    writeFileSync(`${folder}/disk.img`, 'x'.repeat(99_999))
    for (const path of ['restored.img', 'backups']) rmSync(`${folder}/${path}`, { recursive: true, force: true })
    writeFileSync(`${folder}/sample.mjs`, `${readmeSample(0)}\nconsole.log(import.meta.resolve('blockvault'))`)
    const printed = run(program, [...args.filter((each) => !each.startsWith('--config')), 'sample.mjs']).split('\n')
    expect(printed[0]).toMatch(PRINTED)
    expect(printed[1]).toMatch({ node: /dist\/index\.js$/, deno: /dist\/deno\.js$/, bun: /dist\/bun\.js$/ }[adapter])
    expect(readFileSync(`${folder}/restored.img`)).toEqual(readFileSync(`${folder}/disk.img`))
  })

  it("runs the README's sample of Cinder's service", () => {
    mkdirSync(`${folder}/volumes`)
    writeFileSync(`${folder}/volumes/7e1f8c52-5b0e-4c0f-9f0a-3d1f6b2a9c11.img`, 'x'.repeat(99_999))
    writeFileSync(`${folder}/cinder.mjs`, readmeSample(1))
    const [id = ''] =
      run('node', ['cinder.mjs'])
        .match(/^([0-9a-f-]{36}) available 1\n$/)
        ?.slice(1) ?? []
    run('npx', ['--no-install', 'blockvault', 'cinder', 'restore', 'cinder-store', id, 'from-cinder.img'], { HOME: home })
    expect(readFileSync(`${folder}/from-cinder.img`, 'utf8')).toBe('x'.repeat(99_999))
  })

  it.each([
    ['Node', { module: 'nodenext' }],
    ['a bundler', { module: 'esnext', moduleResolution: 'bundler' }],
    ['Deno', { module: 'esnext', moduleResolution: 'bundler', customConditions: ['deno'] }],
    ['Bun', { module: 'esnext', moduleResolution: 'bundler', customConditions: ['bun'] }],
  ])('has types of every entry that a strict program compiles with, and that refuse a wrong one: %s', (_, resolution) => {
    const strict = { noEmit: true, strict: true, exactOptionalPropertyTypes: true, target: 'es2022', lib: ['es2022', 'dom', 'esnext.disposable'], types: [] }
    writeFileSync(`${folder}/tsconfig.json`, JSON.stringify({ compilerOptions: { ...strict, ...resolution }, files: ['program.ts'] }))
    /** Everything that the compiler says. */
    const compile = (type: string): string[] => {
      writeFileSync(`${folder}/program.ts`, typed(type))
      try {
        run(process.execPath, [`${ROOT}/node_modules/typescript/bin/tsc`, '-p', folder, '--pretty', 'false'])
        return []
      } catch (error) {
        return (error as { stdout: string }).stdout.trim().split(/\n(?! )/)
      }
    }
    expect(compile('number')).toEqual([])
    // Each line that takes a value of an entry is wrong now, and nothing else is.
    const wrong = typed('')
      .split('\n')
      .flatMap((line, index) => (line.startsWith('export') ? [`${index + 1} TS2322`] : []))
    expect(compile('string').map((said) => said.replace(/^program\.ts\((\d+),\d+\): error (TS\d+): .*/s, '$1 $2'))).toEqual(wrong)
  })
})

describe('installed by', () => {
  /** What the sample prints in a folder of its own, once the runtime's installer was there. */
  async function afterInstalling(at: string, install: readonly string[], program: readonly string[], sample: string, variables: Record<string, string>) {
    const runtime = runtimeOf(program[0] as 'deno' | 'bun').program
    writeFileSync(`${at}/disk.img`, 'x'.repeat(99_999))
    writeFileSync(`${at}/sample.ts`, sample)
    if (install.length > 0) await runAside(runtime, install, at, variables)
    const { stdout } = await runAside(runtime, [...program.slice(1), 'sample.ts'], at, variables)
    expect(readFileSync(`${at}/restored.img`, 'utf8')).toBe('x'.repeat(99_999))
    return stdout.trim().split('\n')
  }
  const whereFrom = "\nconsole.log(import.meta.resolve('blockvault'))"

  it('Bun, from the tarball, it runs there: worker and core are found', async () => {
    const at = emptyFolder()
    const variables = { NPM_CONFIG_REGISTRY: registry.url, BUN_INSTALL_CACHE_DIR: `${at}/cache`, BUN_INSTALL: `${at}/bun` }
    writeFileSync(`${at}/package.json`, JSON.stringify({ name: 'user', private: true }))
    const printed = await afterInstalling(at, ['add', tarball], ['bun', 'run'], readmeSample(0) + whereFrom, variables)
    expect(printed[0]).toMatch(PRINTED)
    expect(printed[1]).toMatch(/node_modules\/blockvault\/dist\/bun\.js$/)
  })

  it.each([
    ['into node_modules', ['add', '--quiet', 'npm:blockvault'], whereFrom, /node_modules\/.*blockvault\/dist\/deno\.js$/],
    ["into Deno's own cache, by an npm: import", [], whereFrom.replace("'b", "'npm:b"), /cache\/npm\/.*blockvault\/.*\/dist\/deno\.js$/],
  ])('Deno %s, it runs there: worker and core are found', async (_, install, where, place) => {
    const at = emptyFolder()
    const variables = { NPM_CONFIG_REGISTRY: registry.url, DENO_DIR: `${at}/cache`, DENO_NO_UPDATE_CHECK: '1' }
    if (install.length > 0) writeFileSync(`${at}/package.json`, JSON.stringify({ name: 'user', private: true }))
    const sample = install.length > 0 ? readmeSample(0) : readmeSample(0).replace("'blockvault'", "'npm:blockvault'")
    const printed = await afterInstalling(at, install, ['deno', 'run', '--allow-all', '--quiet', '--check'], sample + where, variables)
    expect(printed[0]).toMatch(PRINTED)
    expect(printed[1]).toMatch(place)
  })
})

/** A program with a value of each entry of the package, all of them of the type `number`. */
function typed(type: string): string {
  return `import core from 'blockvault/core.wasm'
import { openRepository } from 'blockvault'
import { createBackupContext, RepositoryBackupDriver } from 'blockvault/cinder'
import { chunks, problemOf } from 'blockvault/component'
import { openDatabase } from 'blockvault/database'
import { createMemoryStorage, openRepository as openEdge } from 'blockvault/edge'
const database = await openDatabase({ path: 'x' })
const context = await createBackupContext({ database })
export const ofIndex: ${type} = (await (await openRepository({ repository: 'x' })).backup('y')).volumeBytes
export const ofCinder: ${type} = (await new RepositoryBackupDriver(context, { repository: await openRepository({ repository: 'x' }) }).db.backup('y')).objectCount
export const ofDatabase: ${type} = (await database.backup('y')).objectCount
export const ofComponent: ${type} = (chunks.fingerprint(new Uint8Array(32), new Uint8Array(1)) ?? []).length
export const ofEdge: ${type} = (await (await openEdge({ core, storage: createMemoryStorage() })).restoreTo('y', new WritableStream())).bytes
export const problem: 'seal' | ${type} | undefined = problemOf(new Error()) === 'seal' ? 'seal' : 1
`
}

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
  })
})

describe('package-lock.json', () => {
  it('has every package that another one may need on some platform: npm ci refuses it otherwise', () => {
    const { packages } = JSON.parse(readFileSync(`${ROOT}/package-lock.json`, 'utf8')) as {
      packages: Record<string, { optionalDependencies?: Record<string, string> }>
    }
    const wanted = Object.values(packages).flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
    expect(wanted.filter((name) => !Object.keys(packages).some((path) => path.endsWith(`node_modules/${name}`)))).toEqual([])
  })
})
