// Makes dist/: the library, its workers, the command and the benchmarks, with the WebAssembly core beside them. Files are
// written over, not removed first: a worker that starts meanwhile still finds its code.
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { build } from 'esbuild'

const core = 'wasm/pkg/blockvault_core_bg.wasm'
mkdirSync('dist/types', { recursive: true })

const shared = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: ['node20', 'es2022'],
  packages: 'external',
  external: ['bun:*'],
  // Maps are for those who build: they are not in the package, so that no file names one.
  sourcemap: 'external',
  logLevel: 'warning',
}

// Parts that entries share, and parts that are loaded when they are needed, are files of their own, named by their content.
const split = { ...shared, splitting: true, chunkNames: 'chunk-[hash]', metafile: true, outdir: 'dist' }

// The library leaves its dependencies to the application that installs it. Its entries share BlockvaultError, so that one entry knows
// the other's errors.
const library = await build({
  ...split,
  entryPoints: {
    index: 'adapters/node/index.ts',
    deno: 'adapters/deno/index.ts',
    bun: 'adapters/bun/index.ts',
    'deno-cinder': 'adapters/deno/cinder.ts',
    'bun-cinder': 'adapters/bun/cinder.ts',
    cinder: 'adapters/node/cinder.ts',
    database: 'adapters/node/database.ts',
  },
})
// The command and the worker carry theirs: one file each to open, and what a run does not need (the fallback, Argon2id) stays
// in files of its own. Starting takes 60 % of the time it took with packages from node_modules.
const command = await build({
  ...split,
  packages: 'bundle',
  // Names stay. A quarter less to read takes 5 to 10 ms off the 140 of a start on Node 20; lines are of a length that an error can point into.
  minifyWhitespace: true,
  minifySyntax: true,
  lineLimit: 160,
  // hash-wasm's CommonJS build has no names that a dynamic import could take.
  mainFields: ['module', 'main'],
  entryPoints: {
    blockvault: 'adapters/shared/cli.ts',
    worker: 'adapters/node/worker.ts',
    'deno-worker': 'adapters/deno/worker.ts',
    'bun-worker': 'adapters/bun/worker.ts',
  },
})
const written = { ...library.metafile.outputs, ...command.metafile.outputs }
for (const name of readdirSync('dist')) if (name.startsWith('chunk-') && !written[`dist/${name.replace(/\.map$/, '')}`]) rmSync(`dist/${name}`)
copyFileSync(core, 'dist/blockvault_core_bg.wasm')
// One file with everything in it: an edge worker names each of its modules, a page loads it as it is.
await build({
  ...shared,
  packages: 'bundle',
  platform: 'neutral',
  mainFields: ['module', 'main'],
  target: 'es2022',
  entryPoints: { edge: 'adapters/edge/index.ts' },
  outdir: 'dist',
})
// What an edge worker gets that imports the core: bundlers for them have compiled it.
writeFileSync(
  'dist/types/core.wasm.d.ts',
  '/** The WebAssembly core, compiled: the `core` of `openRepository`. */\ndeclare const core: WebAssembly.Module\nexport default core\n',
)
// The component's module loads the code beside it; its types are beside those that tsc makes.
await build({ ...shared, platform: 'neutral', external: ['node:*'], entryPoints: { component: 'adapters/component/index.ts' }, outdir: 'dist' })
for (const name of ['blockvault_reader.core.wasm', 'blockvault_reader.wasm']) copyFileSync(`wasm/component/pkg/${name}`, `dist/${name}`)
cpSync('wasm/component/pkg', 'dist/types/wasm/component/pkg', { recursive: true, filter: (path) => !/\.(js|wasm)$/.test(path) })

if (existsSync('bench')) {
  // Parts that several benchmarks share get names by their content: those of the last build are removed.
  rmSync('dist/bench', { recursive: true, force: true })
  const entries = readdirSync('bench').filter((name) => name.endsWith('.ts'))
  await build({ ...shared, entryPoints: entries.map((name) => `bench/${name}`), outdir: 'dist/bench', splitting: true })
  copyFileSync(core, 'dist/bench/blockvault_core_bg.wasm')
}
