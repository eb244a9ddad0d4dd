/** System tools as functions, and what this machine lacks for a test: such a test is skipped and says why. */
import { execFileSync } from 'node:child_process'
import { delimiter } from 'node:path'
import { test } from 'vitest'

/** Debian's users do not have the administrator's tools in their PATH. */
export const TOOL_PATH = [process.env['PATH'], '/usr/sbin', '/sbin'].join(delimiter)

/** Runs a program and returns its output. Throws with what it said when it fails. */
export function tool(program: string, ...args: string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', env: { ...process.env, PATH: TOOL_PATH }, stdio: ['ignore', 'pipe', 'pipe'] }).trim()
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
    throw new Error(`${program} ${args.join(' ')} failed: ${said}`, { cause: error })
  }
}

export const isRoot = process.getuid?.() === 0

/** The first of the programs that is not there, as a reason to skip. */
export function lacksTool(...programs: string[]): string | undefined {
  for (const program of programs) {
    try {
      execFileSync('sh', ['-c', `command -v ${program}`], { env: { PATH: TOOL_PATH }, stdio: 'ignore' })
    } catch {
      return `there is no ${program} here`
    }
  }
  return undefined
}

/** `undefined` when `attempt` works, otherwise why it does not. */
export function lacks(what: string, attempt: () => unknown): string | undefined {
  try {
    attempt()
    return undefined
  } catch (error) {
    return `${what}: ${(error as Error).message}`
  }
}

/** `test`, or a skipped test whose name tells the first reason. `fails` is for a known defect, as vitest's. */
export function testUnless(...reasons: (string | undefined)[]) {
  const reason = reasons.find((candidate) => candidate !== undefined)?.split('\n')[0]
  const named = (name: string) => (reason === undefined ? name : `${name} [skipped: ${reason}]`)
  const run = (name: string, body: () => Promise<void> | void, timeoutMs?: number) => test.skipIf(reason !== undefined)(named(name), body, timeoutMs)
  const fails: typeof run = (name, body, timeoutMs) => (reason === undefined ? test.fails(name, body, timeoutMs) : test.skip(named(name), body))
  return Object.assign(run, { fails })
}
