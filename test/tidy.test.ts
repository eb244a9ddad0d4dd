/**
 * The code's own form: which way imports point, that nothing is dead, that files stay small, that nothing of one machine is in
 * them. What the compiler and the linter can say is said there (`npm run types`, `npm run lint`).
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import denoFile from '../deno.json' with { type: 'json' }
import packageFile from '../package.json' with { type: 'json' }

const root = fileURLToPath(new URL('..', import.meta.url))

/** Which folders a folder may import from; a file may always import from its own. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'src/contract': [],
  'src/core': ['src/contract', 'wasm/pkg'],
  'src/io': ['src/core', 'src/contract'],
  'src/pipeline': ['src/io', 'src/core', 'src/contract'],
  'src/repository': ['src/pipeline', 'src/io', 'src/core', 'src/contract'],
  'src/cinder': ['src/pipeline', 'src/io', 'src/core', 'src/contract'],
  'src/storage': ['src/contract', 'src/core/bytes.ts'],
  'src/database': ['src/contract', 'src/core/bytes.ts'],
  'src/drivers': ['src/repository', 'src/cinder', 'src/pipeline', 'src/io', 'src/core', 'src/contract'],
  'src/service': ['src/drivers', 'src/repository', 'src/cinder', 'src/pipeline', 'src/io', 'src/core', 'src/contract'],
  'src/cli': ['src/service', 'src/drivers', 'src/repository', 'src/cinder', 'src/pipeline', 'src/io', 'src/core', 'src/contract'],
  adapters: ['src', 'package.json', 'wasm/component/pkg'],
  bench: ['adapters', 'src', 'package.json'],
  test: ['bench', 'adapters', 'src', 'wasm', 'package.json', 'deno.json'],
}

/** Where each package may be imported: few dependencies, each in few places, so that replacing one is a small edit. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'hash-wasm': ['src/core/fallback', 'src/pipeline/object-digests.ts', 'bench', 'test'],
  fflate: ['src/core/fallback', 'bench', 'test'],
  zod: ['src/contract', 'src/repository', 'src/cinder', 'src/drivers', 'src/service'],
  kysely: ['src/database/queries.ts'],
  '@libsql/client': ['adapters/node/database-sqlite.ts', 'test/database'],
  pg: ['adapters/node/database-postgres.ts', 'test/database'],
  fzstd: ['test'],
  vitest: ['test'],
  '@vitest/expect': ['test/runtimes'],
  '@vitest/runner': ['test/runtimes'],
  esbuild: ['test'],
  'fast-check': ['test'],
  typescript: ['test/tidy.test.ts', 'test/edge/package.test.ts', 'test/runtimes/entries.test.ts', 'test/declarations.test.ts', 'test/jsr.test.ts'],
  publint: ['test/package.test.ts'],
  '@huggingface/xetchunk-wasm': ['bench'],
}

/** The most lines of a file. Tests are lists of claims and may be longer. */
const linesMax = (name: string): number => (/^test\/|\/tests\//.test(name) ? 400 : 250)
/** Longer than that, for a reason. A file here may get shorter, not longer, and leaves the list when it is short. */
const LONG_FILES: Readonly<Record<string, { lines: number; reason: string }>> = {}

const files = walk('').filter((name) => !/^wasm\/(component\/)?pkg\//.test(name))
const sources = files.filter((name) => /^(src|adapters|bench|test)\/.*\.ts$/.test(name))
const imports = new Map(sources.map((name) => [name, importsOf(name)]))
const entries = sources.filter((name) => /^adapters\/[^/]+\/(index|cli|worker|cinder|database)\.ts$|^bench\/main\.ts$/.test(name))
const testEntries = sources.filter((name) =>
  /\.test\.ts$|^test\/(vitest\.config|make-sample|runtimes\/(suite|edge-suite|matrix|threads|holes|adapter-\w+))\.ts$/.test(name),
)

describe('imports', () => {
  it('point one way: bench, test → adapters → src, and inside src towards the contract', () => {
    const wrong = [...imports].flatMap(([name, { local }]) => local.filter((target) => !mayImport(name, target)).map((target) => `${name} → ${target}`))
    expect(wrong).toEqual([])
  })

  it('name files that exist', () => {
    expect(
      [...imports].flatMap(([name, { local }]) => local.filter((target) => !existsSync(join(root, target))).map((target) => `${name} → ${target}`)),
    ).toEqual([])
  })

  it('go round in no circle', () => {
    expect(circles()).toEqual([])
  })

  it('of packages stand where each package has its place', () => {
    const wrong = [...imports].flatMap(([name, { packages }]) =>
      packages.filter((each) => !inside(name, PACKAGES[each] ?? [])).map((each) => `${name} → ${each}`),
    )
    expect(wrong).toEqual([])
  })

  it('of packages are dependencies of the right kind', () => {
    const used = (folders: RegExp) => new Set([...imports].flatMap(([name, { packages }]) => (folders.test(name) ? packages : [])))
    const { dependencies, peerDependencies, peerDependenciesMeta, devDependencies } = packageFile
    expect([...used(/^(src|adapters)\//)].sort()).toEqual(Object.keys({ ...dependencies, ...peerDependencies }).sort())
    // What few users need: npm does not bring it along, and the tests run with the same versions.
    expect(peerDependenciesMeta).toEqual(Object.fromEntries(Object.keys(peerDependencies).map((each) => [each, { optional: true }])))
    expect(devDependencies).toMatchObject(peerDependencies)
    for (const each of used(/^(bench|test)\//)) expect({ ...packageFile.dependencies, ...packageFile.devDependencies }).toHaveProperty([each])
  })
})

describe('files', () => {
  it('are all reached: src and adapters from an entry of an adapter or the benchmarks, the rest from those or a test', () => {
    const product = reachable(entries)
    const tested = reachable([...entries, ...testEntries])
    expect(sources.filter((name) => !(/^(src|adapters)\//.test(name) ? product : tested).has(name))).toEqual([])
  })

  it('are short, but for a named few', () => {
    const counted = [...sources, ...files.filter((name) => /^wasm\/.*\.rs$/.test(name))].map((name) => ({ name, lines: text(name).split('\n').length - 1 }))
    expect(counted.filter(({ name, lines }) => lines > (LONG_FILES[name]?.lines ?? linesMax(name)))).toEqual([])
    const short = Object.keys(LONG_FILES).filter((name) => (counted.find((each) => each.name === name)?.lines ?? 0) <= linesMax(name))
    expect(short, 'short by now: take them off the list').toEqual([])
  })

  it('of src and adapters begin by saying what they are for', () => {
    const silent = sources.filter((name) => /^(src|adapters)\//.test(name) && !/^(#!.*\n)?\/\*\*/.test(text(name)))
    expect(silent).toEqual([])
  })

  it('use the globals of a runtime in its adapter only', () => {
    // Tests may; and the file that asks which runtime it is on.
    const others = sources.filter((name) => !/^test\/|^adapters\/shared\/cli\.ts$/.test(name))
    const using = (global: string, folder: string) =>
      others.filter((name) => !name.startsWith(folder) && new RegExp(`\\b${global}\\.\\w`).test(withoutComments(name)))
    expect({ Deno: using('Deno', 'adapters/deno/'), Bun: using('Bun', 'adapters/bun/') }).toEqual({ Deno: [], Bun: [] })
  })

  it('of Rust have unsafe code in the binding only', () => {
    const unsafe = files.filter((name) => name.endsWith('.rs') && /\bunsafe\s*(\{|fn|impl|extern)/.test(text(name)))
    expect(unsafe.filter((name) => !name.startsWith('wasm/binding/'))).toEqual([])
    expect(text('wasm/core/src/lib.rs')).toContain('#![forbid(unsafe_code)]')
  })

  it('at the top level are those that the project allows', () => {
    const allowed = [
      'package.json',
      'deno.json',
      'tsconfig.json',
      'wasm',
      'src',
      'adapters',
      'bench',
      'test',
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'docs',
      'package-lock.json',
      'deno.lock',
    ]
    const found = new Set(files.map((name) => name.split('/')[0] as string))
    expect([...found].filter((name) => !name.startsWith('.') && !allowed.includes(name))).toEqual([])
  })

  it('hold no path of one machine and no host of a package registry', () => {
    // Put together here, so that this file does not hold what it looks for.
    const hosts = ['registry.npmjs', 'registry.yarnpkg', 'deb.debian', 'index.crates', 'static.crates', 'files.pythonhosted', 'proxy.golang'].map((name) =>
      name.replace('.', '\\.'),
    )
    const pattern = new RegExp(`(?<![\\w.])/(work|root|Users)/|(${hosts.join('|')})\\.`)
    const binary = /\.(wasm|img)$|^test\/vectors\/repository-/
    const found = files
      .filter((name) => !binary.test(name))
      .flatMap((name) =>
        text(name)
          .split('\n')
          .flatMap((line, index) => (pattern.test(line) ? [`${name}:${index + 1}: ${line.trim().slice(0, 120)}`] : [])),
      )
    expect(found.slice(0, 20)).toEqual([])
  })
})

describe('the package', () => {
  it('exports the same from package.json and deno.json', () => {
    // The core is a file of the package: who imports TypeScript names its address.
    const code = Object.entries<string | (Exported & { deno?: Exported })>(packageFile.exports).filter(
      (entry): entry is [string, Exported & { deno?: Exported }] => !entry[0].endsWith('.wasm') && typeof entry[1] !== 'string',
    )
    // Deno has entries of its own where runtimes differ.
    const declared = code.map(([name, all]) => [name, (all.deno ?? all).types.replace('./dist/types/', './').replace(/\.d\.ts$/, '.ts')])
    expect(Object.fromEntries(declared)).toEqual(denoFile.exports)
  })

  it('gives each tool that the product is made with its real work', () => {
    const importers = (each: string, folder: string) =>
      [...imports].filter(([name, { packages }]) => name.startsWith(folder) && packages.includes(each)).map(([name]) => name)
    for (const each of ['hash-wasm', 'fflate', 'zod']) expect(importers(each, 'src/'), each).not.toEqual([])
    expect(importers('vitest', 'test/').length).toBeGreaterThan(5)
    expect(packageFile.scripts.test).toMatch(/^vitest run/)
    expect(text('.esbuild.mjs')).toContain("from 'esbuild'")
    expect(text('wasm/build.sh')).toMatch(/^wasm-pack .*build/m)
    if (existsSync(join(root, 'wasm/component'))) expect(packageFile.devDependencies).toHaveProperty('@bytecodealliance/jco')
  })
})

interface Exported {
  types: string
  default: string
}

function text(name: string): string {
  return readFileSync(join(root, name), 'utf8')
}

function withoutComments(name: string): string {
  return text(name).replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
}

/** Files as a clone has them: what .gitignore names is left out. */
function walk(folder: string): string[] {
  const ignored = [
    '.git',
    ...text('.gitignore')
      .split('\n')
      .filter((line) => line.endsWith('/'))
      .map((line) => line.slice(0, -1)),
  ]
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = posix.join(folder, entry.name)
    if (ignored.includes(name) || ignored.includes(entry.name) || entry.name.endsWith('.tgz')) return []
    return entry.isDirectory() ? walk(name) : [name]
  })
}

function importsOf(name: string): { local: string[]; packages: string[] } {
  const { importedFiles, referencedFiles } = ts.preProcessFile(text(name), true, true)
  const names = [...importedFiles, ...referencedFiles].map(({ fileName }) => fileName)
  return {
    local: names.filter((each) => each.startsWith('.')).map((each) => posix.join(dirname(name), each)),
    packages: names
      .filter((each) => !each.startsWith('.') && !/^(node|bun):/.test(each))
      .map((each) =>
        each
          .split('/')
          .slice(0, each.startsWith('@') ? 2 : 1)
          .join('/'),
      ),
  }
}

function inside(name: string, places: readonly string[]): boolean {
  return places.some((place) => name === place || name.startsWith(`${place}/`))
}

function mayImport(from: string, to: string): boolean {
  const folder = Object.keys(MAY_IMPORT).find((each) => inside(from, [each]))
  return folder !== undefined && inside(to, [folder, ...(MAY_IMPORT[folder] ?? [])])
}

function reachable(from: readonly string[]): Set<string> {
  const seen = new Set<string>()
  const queue = [...from]
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (seen.has(name)) continue
    seen.add(name)
    queue.push(...(imports.get(name)?.local ?? []))
  }
  return seen
}

/** Every circle of imports, by a walk that knows the path it came by. */
function circles(): string[] {
  const found: string[] = []
  const done = new Set<string>()
  const visit = (name: string, path: readonly string[]): void => {
    if (path.includes(name)) found.push([...path.slice(path.indexOf(name)), name].join(' → '))
    if (path.includes(name) || done.has(name)) return
    for (const target of imports.get(name)?.local ?? []) visit(target, [...path, name])
    done.add(name)
  }
  for (const name of sources) visit(name, [])
  return found
}
