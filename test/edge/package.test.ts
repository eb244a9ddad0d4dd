/** The edge entry as it is built: small, in one file, and without anything that a runtime does not have. */
import { readFileSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import ts from 'typescript'
import { expect, it } from 'vitest'
import { temporaryDirectory } from '../repository/support/volumes.ts'
import { sample } from './support/samples.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const dist = (name: string) => readFileSync(join(root, 'dist', name))

/** Of issue 5: the edge entry with the core, compressed. */
const BYTES_MAX = 500_000

it('has at most 500 kB with the core, compressed', () => {
  const bytes = gzipSync(dist('edge.js'), { level: 9 }).length + gzipSync(dist('blockvault_core_bg.wasm'), { level: 9 }).length
  process.stdout.write(`blockvault/edge with the core: ${Math.round(bytes / 1000)} kB\n`)
  expect(bytes).toBeLessThan(BYTES_MAX)
})

it('imports nothing, and knows no Node', () => {
  const { importedFiles } = ts.preProcessFile(dist('edge.js').toString(), true, true)
  expect(importedFiles.map(({ fileName }) => fileName)).toEqual([])
  expect(builtinModules.length).toBeGreaterThan(30)
  expect(dist('edge.js').toString()).not.toMatch(/\bprocess\.(env|hrtime|stdout)|\bBuffer\.|\brequire\(/)
})

it('has samples that compile', { timeout: 120_000 }, () => {
  const folder = temporaryDirectory()
  writeFileSync(join(folder, 'worker.ts'), sample('An edge worker that serves a backed-up volume'))
  writeFileSync(join(folder, 'page.ts'), sample('A page that restores to a file'))
  // What workerd's types say.
  writeFileSync(
    join(folder, 'runtime.d.ts'),
    `declare class FixedLengthStream extends TransformStream<Uint8Array, Uint8Array> { constructor(length: number) }
`,
  )
  const program = ts.createProgram(
    ['worker.ts', 'page.ts', 'runtime.d.ts'].map((name) => join(folder, name)),
    {
      noEmit: true,
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: true,
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.asynciterable.d.ts', 'lib.dom.iterable.d.ts', 'lib.esnext.disposable.d.ts'],
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      allowImportingTsExtensions: true,
      types: [],
      baseUrl: root,
      paths: {
        'blockvault/edge': ['adapters/edge/index.ts'],
        'blockvault/core.wasm': ['dist/types/core.wasm.d.ts'],
        zod: ['node_modules/zod'],
        '@noble/hashes/*': ['node_modules/@noble/hashes/*'],
      },
    },
  )
  const messages = ts.getPreEmitDiagnostics(program).map(({ messageText, file }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`)
  expect(messages).toEqual([])
})
