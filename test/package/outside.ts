/** A user's place: an empty folder outside the checkout, and programs that see nothing of the project. */
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll } from 'vitest'

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

export interface Printed {
  stdout: string
  stderr: string
}
