/**
 * Builds `dist/` before the tests when it is not the sources' own: workers and the command run from there, and a test of an
 * old build proves nothing.
 *
 * Compares change times (ctime), which no copy or checkout can set back. Not built without need: other processes may be
 * running from `dist/`, which the build empties.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const INPUTS = ['.esbuild.mjs', 'package.json', 'src', 'adapters', 'bench', 'wasm/pkg', 'wasm/component/pkg']
/** Written last by the build, or so little before its end that nothing can change in between. */
const OUTPUTS = ['dist/index.js', 'dist/worker.js', 'dist/blockvault.js', 'dist/edge.js', 'dist/blockvault_core_bg.wasm', 'dist/types/core.wasm.d.ts']

export function setup(): void {
  if (!isBuilt()) execFileSync(process.execPath, ['.esbuild.mjs'], { cwd: ROOT, stdio: 'inherit' })
}

/** True when nothing that the build reads has changed since it was run. */
export function isBuilt(): boolean {
  return areNewer(OUTPUTS, INPUTS)
}

/** The same of `npm run build:types`, which only a test of the package needs. */
export function typesAreBuilt(): boolean {
  return areNewer(['dist/types/adapters/node/index.d.ts', 'dist/types/adapters/bun/cinder.d.ts'], ['tsconfig.json', 'src', 'adapters', 'wasm/component/pkg'])
}

function areNewer(outputs: readonly string[], inputs: readonly string[]): boolean {
  const built = Math.min(...outputs.map((path) => changedAt(ROOT + path, Number.NEGATIVE_INFINITY)))
  return inputs.every((path) => newest(ROOT + path) < built)
}

function changedAt(path: string, otherwise: number): number {
  return statSync(path, { throwIfNoEntry: false })?.ctimeMs ?? otherwise
}

/** Of everything under `path`, directories too: a removed file changes its directory. */
function newest(path: string): number {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return changedAt(path, 0)
  return Math.max(changedAt(path, 0), ...readdirSync(path).map((name) => newest(`${path}/${name}`)))
}
