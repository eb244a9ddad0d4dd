/**
 * Programs of these tests as every runtime reads them: bundled, with the adapters' workers and the core beside them. The sources as they are
 * now, whatever `dist/` was built from.
 */
import { execFile } from 'node:child_process'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { build, type Plugin } from 'esbuild'
import { ROOT, type Runtime } from './runtimes.ts'

const here = `${ROOT}/test/runtimes`

/** Files of the tests find theirs beside themselves, wherever the bundle lies. */
const testFiles: Plugin = {
  name: 'test files',
  setup({ onLoad }) {
    onLoad({ filter: /[/]test[/].*\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
      loader: 'ts',
    }))
  },
}

/** Programs import the adapter of Node, and get that of their runtime. */
function adapterOf(adapter: Runtime['adapter']): Plugin {
  return {
    name: 'adapter',
    setup({ onResolve }) {
      onResolve({ filter: /^\.\/adapter-node\.ts$/ }, () => ({ path: `${here}/adapter-${adapter}.ts` }))
    },
  }
}

/** Bundles programs of this folder; returns the file of one for a runtime. */
export async function bundlePrograms(directory: string, ...programs: string[]): Promise<(program: string, runtime: Runtime) => string> {
  for (const adapter of ['node', 'deno', 'bun'] as const) {
    const outdir = `${directory}/${adapter}`
    await build({
      entryPoints: {
        ...Object.fromEntries(programs.map((program) => [program, `${here}/${program}.ts`])),
        [adapter === 'node' ? 'worker' : `${adapter}-worker`]: `${ROOT}/adapters/${adapter}/worker.ts`,
      },
      outdir,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      external: ['bun:*'],
      alias: { vitest: `${here}/vitest.ts` },
      mainFields: ['module', 'main'],
      plugins: [testFiles, adapterOf(adapter)],
      logLevel: 'warning',
    })
    copyFileSync(`${ROOT}/wasm/pkg/blockvault_core_bg.wasm`, `${outdir}/blockvault_core_bg.wasm`)
  }
  writeFileSync(`${directory}/package.json`, '{"type":"module"}')
  return (program, { adapter }) => `${directory}/${adapter}/${program}.js`
}

/** Runs a bundled program and gives the JSON line that it ends with. */
export async function runProgram<Answer>({ program, run }: Runtime, file: string, argument: string): Promise<Answer> {
  const { stdout } = await promisify(execFile)(program, [...run, file, argument], { cwd: ROOT, maxBuffer: 1 << 26 })
  return JSON.parse(stdout.trim().split('\n').at(-1) as string) as Answer
}
