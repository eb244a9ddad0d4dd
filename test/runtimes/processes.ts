/** Runs the command as a user of a runtime does, with nothing of this process's environment. */
import { spawn } from 'node:child_process'
import { delimiter } from 'node:path'
import { expect } from 'vitest'
import { TOOL_PATH } from '../node/system.ts'
import { ROOT } from './runtimes.ts'

export interface Call {
  program: string
  args: readonly string[]
  environment?: Record<string, string>
  /** The checkout by default. */
  directory?: string
}

export interface Answer {
  exitCode: number | null
  stdout: string
  stderr: string
}

/** A command that takes longer hangs. */
const PATIENCE_MS = 120_000

export function run({ program, args, environment = {}, directory = ROOT }: Call, ...more: string[]): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args, ...more], {
      cwd: directory,
      env: { PATH: [TOOL_PATH, `${ROOT}/node_modules/.bin`].join(delimiter), NO_COLOR: '1', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: PATIENCE_MS,
      killSignal: 'SIGKILL',
    })
    const said = { stdout: '', stderr: '' }
    for (const stream of ['stdout', 'stderr'] as const) child[stream].setEncoding('utf8').on('data', (text: string) => (said[stream] += text))
    child.once('error', reject)
    child.once('close', (exitCode) => resolve({ exitCode, ...said }))
  })
}

/** The last line that `--json` prints. */
export function result({ stdout, stderr }: Answer): Record<string, unknown> {
  const last = stdout.trim().split('\n').at(-1)
  if (!last?.startsWith('{')) expect.fail(`No JSON was printed:\n${stdout}\n${stderr}`)
  return JSON.parse(last) as Record<string, unknown>
}
