/** The built command as a process of its own, run by a user whose home is empty. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, vi } from 'vitest'
import type { BackupInfo, RestoreResult, VerifyResult } from '../../src/contract/backup.ts'
import type { ErrorCode } from '../../src/contract/errors.ts'
import { isRoot, lacks, lacksTool, TOOL_PATH, tool } from './system.ts'
import type { Workplace } from './workplace.ts'

export const COMMAND = fileURLToPath(new URL('../../dist/blockvault.js', import.meta.url))
/** A command that takes longer hangs. */
const PATIENCE_MS = 100_000

/** `nobody` on Debian, and on most others. */
const NOBODY = 65_534
const AS_NOBODY = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups']

// Real disks and many processes: a crowded machine may take many times as long as a quiet one.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

export type JsonLine = { type: string } & Record<string, unknown>

export interface Answer {
  /** `null` when a signal ended it. */
  exitCode: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
  /** From the last `signalled`, or the start, to the end. */
  seconds: number
}

export interface Failure {
  code: ErrorCode
  message: string
  details: Record<string, unknown>
  exitCode: number
}

export interface Running {
  readonly process: ChildProcess
  readonly answer: Promise<Answer>
  /** Resolves when `stream` has said something that matches; rejects when the command ended before. */
  said(stream: 'stdout' | 'stderr', what: RegExp): Promise<void>
  signal(signal: NodeJS.Signals): void
}

export interface User {
  readonly home: string
  environment: Record<string, string>
  start(...args: string[]): Running
  run(...args: string[]): Promise<Answer>
  /** With --json; the command must succeed. Resolves to the result. */
  done<Result>(...args: string[]): Promise<Result>
  /** With --json; the command must fail and say so in its last line. */
  fails(...args: string[]): Promise<Failure>
  backup(source: string, ...args: string[]): Promise<BackupInfo>
  restore(reference: string, target: string, ...args: string[]): Promise<RestoreResult>
  verify(...args: string[]): Promise<VerifyResult>
  list(...args: string[]): Promise<BackupInfo[]>
}

export function createUser(place: Workplace, name = 'home'): User {
  const home = place.folder(name)
  const user = userOf(home, (...args) => startProcess(place, [COMMAND, ...args], { HOME: home, ...user.environment }))
  return user
}

/** A user who may do nothing but with what is their own: root could open everything. */
export function createUnprivileged(place: Workplace): User {
  if (!isRoot) return createUser(place)
  const home = place.folder('home')
  chmodSync(place.directory, 0o755)
  chownSync(home, NOBODY, NOBODY)
  const user = userOf(home, (...args) =>
    startProcess(place, [...AS_NOBODY, process.execPath, COMMAND, ...args], { HOME: home, ...user.environment }, 'setpriv'),
  )
  return user
}

/** Why there is no such user here, or `undefined`. */
export function lacksUnprivileged(): string | undefined {
  if (!isRoot) return undefined
  return (
    lacksTool('setpriv') ?? lacks('the checkout or Node is closed to other users', () => tool('setpriv', ...AS_NOBODY, process.execPath, COMMAND, '--version'))
  )
}

function userOf(home: string, start: User['start']): User {
  const user: User = {
    home,
    environment: {},
    start,
    run: (...args) => user.start(...args).answer,
    async done<Result>(...args: string[]) {
      const answer = await user.run(...args, '--json')
      expect(answer.exitCode, `blockvault ${args.join(' ')}\n${answer.stderr}`).toBe(0)
      const last = jsonLines(answer).at(-1)
      expect(last?.type).toBe('result')
      return last as unknown as Result
    },
    async fails(...args) {
      const answer = await user.run(...args, '--json')
      const last = jsonLines(answer).at(-1)
      expect(last, `blockvault ${args.join(' ')}\n${answer.stdout}\n${answer.stderr}`).toMatchObject({ type: 'error', exitCode: answer.exitCode })
      expect(answer.stderr).toContain(`[${String(last?.['code'])}]`)
      return last as unknown as Failure
    },
    backup: (source, ...args) => user.done<BackupInfo>('backup', source, ...args),
    restore: (reference, target, ...args) => user.done<RestoreResult>('restore', reference, target, ...args),
    verify: (...args) => user.done<VerifyResult>('verify', ...args),
    list: async (...args) => (await user.done<{ backups: BackupInfo[] }>('list', ...args)).backups,
  }
  return user
}

/** Makes a key file, for a user and for the library. */
export function createKey(place: Workplace): { key: Buffer; path: string } {
  const key = randomBytes(32)
  return { key, path: place.file('key', `blockvault-key-1 ${key.toString('hex')}\n`) }
}

/** Starts Node with these arguments and nothing of this process's environment. Killed with its workplace, if it still runs. */
export function startProcess(place: Workplace, args: readonly string[], environment: Record<string, string>, program = process.execPath): Running {
  const child = spawn(program, args, {
    cwd: place.directory,
    env: { PATH: TOOL_PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: PATIENCE_MS,
    killSignal: 'SIGKILL',
  })
  place.later(() => child.kill('SIGKILL'))
  let from = performance.now()
  const said = { stdout: '', stderr: '' }
  const watchers = new Set<() => void>()
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text
      for (const watcher of watchers) watcher()
    })
  }
  const answer = new Promise<Answer>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal, ...said, seconds: (performance.now() - from) / 1000 }))
  })
  return {
    process: child,
    answer,
    said: (stream, what) =>
      new Promise((resolve, reject) => {
        const watcher = () => {
          if (!what.test(said[stream])) return
          watchers.delete(watcher)
          resolve()
        }
        watchers.add(watcher)
        watcher()
        void answer.then(() => reject(new Error(`It ended before it said ${what} on ${stream}:\n${said.stdout}\n${said.stderr}`)))
      }),
    signal(signal) {
      from = performance.now()
      child.kill(signal)
    },
  }
}

/** Every line of stdout, each of which must be one JSON object. */
export function jsonLines({ stdout }: Answer): JsonLine[] {
  expect(stdout).toMatch(/^(\{.*\}\n)*$/)
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as JsonLine)
}
