// Makes dist/: the library, its worker, the command and the benchmarks, with the WebAssembly core beside them.
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { build } from 'esbuild'

rmSync('dist', { recursive: true, force: true })
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
copyFileSync('wasm/pkg/blockvault_core_bg.wasm', 'dist/blockvault_core_bg.wasm')

if (existsSync('bench')) {
  const entries = readdirSync('bench').filter((name) => name.endsWith('.ts'))
  await build({ ...shared, entryPoints: entries.map((name) => `bench/${name}`), outdir: 'dist/bench', splitting: true })
  copyFileSync('wasm/pkg/blockvault_core_bg.wasm', 'dist/bench/blockvault_core_bg.wasm')
}
