/**
 * The real Cinder (29.0.0, unchanged) as it is driven by `../shared/cinder/cinder_oracle.py`: what it reads, we must have written
 * right. `.ci/run` makes its Python environment and names it in CINDER_ORACLE_VENV.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const shared = fileURLToPath(new URL('../../../shared/cinder', import.meta.url))
const script = join(shared, 'cinder_oracle.py')
const environment = process.env['CINDER_ORACLE_VENV'] ?? join(shared, '.venv')
const python = join(environment, 'bin/python')

/** Why there is no oracle here; `undefined` when there is one. */
export const oracleMissing = !existsSync(script)
  ? 'no ../shared/cinder here'
  : !existsSync(python)
    ? 'no Python environment with Cinder: run ../shared/cinder/setup.sh, with CINDER_ORACLE_VENV naming a place'
    : undefined

/** What the oracle answers instead of a result. */
export interface OracleError {
  error: string
  bases: string[]
  message: string
}

/**
 * Runs one command of the oracle and resolves to its answer; a Cinder exception is an answer too. Importing Cinder takes two seconds a
 * call, so two run at a time.
 */
export async function oracle<Answer>(args: readonly string[]): Promise<Answer> {
  while (running >= TOGETHER) await new Promise<void>((resolve) => waiting.push(resolve))
  running++
  try {
    const { stdout } = await execute(python, [script, ...args], { maxBuffer: 64 * 1024 * 1024, env: { ...process.env, CINDER_ORACLE_VENV: environment } })
    return JSON.parse(stdout) as Answer
  } catch (error) {
    const { stdout } = error as { stdout?: string }
    if (stdout?.startsWith('{"error"')) return JSON.parse(stdout) as Answer
    throw error
  } finally {
    running--
    waiting.shift()?.()
  }
}

const execute = promisify(execFile)
const TOGETHER = 2
let running = 0
const waiting: (() => void)[] = []
