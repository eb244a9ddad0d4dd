/** The runtimes that blockvault runs on, as `npm ci` brings them; the Node that runs the tests is the oldest that is tested. */
import { execFileSync } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/]$/, '')
const modules = `${ROOT}/node_modules`

export interface Runtime {
  /** As a reader knows it: `Deno 2.9.6`. */
  readonly name: string
  /** Whose adapter it takes. */
  readonly adapter: 'node' | 'deno' | 'bun'
  readonly program: string
  /** Arguments before a script's own; every permission is given. */
  readonly run: readonly string[]
}

export const RUNTIMES: readonly Runtime[] = [
  runtime('Node', 'node', process.execPath, []),
  runtime('Node', 'node', currentNode(), []),
  runtime('Deno', 'deno', installed('deno', ['deno/deno', ...under('@deno', 'deno')]), ['run', '--allow-all', '--quiet', `--config=${ROOT}/deno.json`]),
  runtime('Bun', 'bun', installed('bun', ['bun/bin/bun.exe', ...under('@oven', 'bin/bun')]), ['run']),
]

/** The runtime of this adapter; the current one, where there are two. */
export function runtimeOf(adapter: Runtime['adapter']): Runtime {
  return RUNTIMES.findLast((each) => each.adapter === adapter) as Runtime
}

function runtime(name: string, adapter: Runtime['adapter'], program: string, run: readonly string[]): Runtime {
  const version = /\d+\.\d+\.\d+/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))?.[0]
  return { name: `${name} ${version}`, adapter, program, run }
}

/** The package `node` is filled by its install script, which npm may have left out. */
function currentNode(): string {
  const path = `${modules}/node/bin/node`
  // Not with what `npm test` tells its scripts of this project, or npm would install it there.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_(?!config_(cache|registry|userconfig|cafile))/i.test(name)))
  if (!existsSync(path)) execFileSync(process.execPath, ['installArchSpecificPackage.js'], { cwd: realpathSync(`${modules}/node`), env })
  return path
}

/** Packages of binaries, one a system, of which npm installs those that fit. Their install scripts move the program, or are left out. */
function under(scope: string, program: string): string[] {
  const libc = process.platform === 'linux' ? ['-glibc', '', '-musl'] : ['']
  const arch = process.arch === 'arm64' && scope === '@oven' ? 'aarch64' : process.arch
  const prefix = scope === '@oven' ? 'bun-' : ''
  return libc.map((each) => `${scope}/${prefix}${process.platform}-${arch}${each}/${program}`)
}

function installed(name: string, places: readonly string[]): string {
  const found = places.map((place) => `${modules}/${place}`).find((path) => runs(path))
  if (found === undefined) throw new Error(`${name} is not installed: run npm ci.`)
  return found
}

/** Bun's package has a script in its program's place, which only says that the install script was not run. */
function runs(path: string): boolean {
  if (!existsSync(path)) return false
  try {
    execFileSync(path, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
