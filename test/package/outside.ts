/** A user's place: an empty folder outside the checkout, programs that see nothing of the project, and the samples that the README gives. */
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll } from 'vitest'
import { ROOT } from '../runtimes/runtimes.ts'

// Where no directory above has packages, which would be found as well.
const above = [tmpdir(), '/var/tmp', '/dev/shm'].find((each) => existsSync(each) && !existsSync(join(each, 'node_modules'))) ?? tmpdir()
const folders: string[] = []
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

// A run under `npm test` sets npm_* variables for this project: they are not the user's.
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_(?!config_(cache|registry|userconfig|cafile))|BLOCKVAULT_|XDG_|DENO_|BUN_)/i.test(name)),
)

/** A folder that is gone when the test file ends. */
export function emptyFolder(): string {
  const folder = mkdtempSync(join(above, 'blockvault-package-'))
  folders.push(folder)
  return folder
}

/** What a program prints; throws with what it says when it fails. */
export function run(program: string, args: readonly string[], folder: string, variables: Record<string, string> = {}): string {
  return execFileSync(program, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], env: { ...environment, NO_COLOR: '1', ...variables } })
}

/** The same beside this process, which answers meanwhile: for programs that ask one of its servers. */
export async function runAside(program: string, args: readonly string[], folder: string, variables: Record<string, string> = {}): Promise<Printed> {
  const running = promisify(execFile)(program, args, { cwd: folder, maxBuffer: 1 << 26, env: { ...environment, NO_COLOR: '1', ...variables } })
  running.child.stdin?.end()
  return running
}

/** A JavaScript sample of the README: 0 is the library's, 1 that of Cinder's service. */
export function readmeSample(index: 0 | 1): string {
  const sample = readFileSync(`${ROOT}/README.md`, 'utf8').split('```js\n')[index + 1]?.split('```')[0]
  if (sample === undefined) throw new Error(`README.md has no sample ${index}.`)
  return sample
}

/** What the library's sample prints for a volume of 99,999 bytes: the backup's id, the volume's bytes, new and stored ones. */
export const PRINTED = /^[0-9a-f-]{36} 99999 \d+ \d+$/m

export interface Printed {
  stdout: string
  stderr: string
}
