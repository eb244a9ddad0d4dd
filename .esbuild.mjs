// Makes dist/: the library, its worker, the command and the benchmarks, with the WebAssembly core beside them. Files are
// written over, not removed first: a worker that starts meanwhile still finds its code.
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { build } from 'esbuild'

const core = 'wasm/pkg/blockvault_core_bg.wasm'
mkdirSync('dist', { recursive: true })

const shared = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: ['node20', 'es2022'],
  packages: 'external',
  sourcemap: true,
  logLevel: 'warning',
}

await build({
  ...shared,
  entryPoints: { index: 'adapters/node/index.ts', worker: 'adapters/node/worker.ts', blockvault: 'adapters/node/cli.ts' },
  outdir: 'dist',
})
copyFileSync(core, 'dist/blockvault_core_bg.wasm')

if (existsSync('bench')) {
  // Parts that several benchmarks share get names by their content: those of the last build are removed.
  rmSync('dist/bench', { recursive: true, force: true })
  const entries = readdirSync('bench').filter((name) => name.endsWith('.ts'))
  await build({ ...shared, entryPoints: entries.map((name) => `bench/${name}`), outdir: 'dist/bench', splitting: true })
  copyFileSync(core, 'dist/bench/blockvault_core_bg.wasm')
}
