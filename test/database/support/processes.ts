/** Other processes on the same rows: programs over the built library, killed when their test ends. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import type { DatabaseOptions } from '../../../adapters/node/database.ts'

const DIST = new URL('../../../dist/database.js', import.meta.url).href

export interface DatabaseProcess {
  /** What it has printed so far, line by line. */
  readonly lines: readonly string[]
  /** Resolves once it has printed so many lines. */
  said(lines: number): Promise<void>
  /** Resolves with everything it printed, once it ended by itself. Rejects with what it said when it failed. */
  readonly ended: Promise<readonly string[]>
  /** kill -9, and waits until it is gone. */
  kill(): Promise<void>
  tell(line: string): void
}

/** Runs `body`, which has `open(options)`, the opened `database`, `say(line)` and `told()`, the next line that it was told. */
export function databaseProcess(options: DatabaseOptions, body: string): DatabaseProcess {
  const program = `
    import { openDatabase as open } from ${JSON.stringify(DIST)}
    import { writeSync } from 'node:fs'
    import { once } from 'node:events'
    import { createInterface } from 'node:readline'
    const input = createInterface({ input: process.stdin })
    const told = async () => (await once(input, 'line'))[0]
    const say = (line) => writeSync(1, line + '\\n')
    const database = await open(${JSON.stringify(options)})
    ${body}
    await database.close()
    input.close()`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'pipe'] })
  const lines: string[] = []
  let errors = ''
  let heard = () => {}
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    heard()
  })
  child.stderr.on('data', (text) => (errors += text))
  const gone = new Promise<number | null>((resolve) => child.once('close', resolve))
  const ended = gone.then((code) => {
    if (code !== 0) throw new Error(`the process ended with ${code}: ${errors}`)
    return lines
  })
  ended.catch(() => {})
  const kill = async () => {
    child.kill('SIGKILL')
    await gone
  }
  onTestFinished(kill)
  return {
    lines,
    async said(count) {
      while (lines.length < count) await Promise.race([new Promise<void>((resolve) => (heard = resolve)), ended.then(() => lost(), lost)])
      function lost(): void {
        if (lines.length < count) throw new Error(`the process ended after ${lines.length} lines: ${errors}`)
      }
    },
    ended,
    kill,
    tell: (line) => child.stdin.write(`${line}\n`),
  }
}
