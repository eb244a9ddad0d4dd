/** The terminal, environment and signals of Node, and of Bun, which has them alike. */
import { homedir } from 'node:os'
import type { CommandHost } from '../../src/cli/host.ts'
import { fromSystem, STORAGE_ERRORS, systemCode } from './system-error.ts'

/** What the command needs of a process. */
export type Terminal = Pick<CommandHost, 'interrupted' | 'environment' | 'homeDirectory' | 'writeOutput' | 'writeError' | 'drain' | 'errorTerminal'>

export function createTerminal(): Terminal {
  const output = createOutput()
  return {
    interrupted: interruption(),
    environment: (name) => process.env[name],
    homeDirectory: () => homedir() || undefined,
    writeOutput: output.write,
    writeError: (text) => void process.stderr.write(text),
    drain: output.drain,
    errorTerminal: () => (process.stderr.isTTY ? { columns: process.stderr.columns ?? 0 } : undefined),
  }
}

/**
 * Fires at the first SIGINT or SIGTERM. The second one ends the process as the system does when nobody listens: `process.exit`
 * would first wait for every thread, so for ever when one hangs in a system call.
 */
function interruption(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (!controller.signal.aborted) {
        controller.abort(new Error(`Interrupted by ${signal}`))
        return
      }
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
    })
  }
  return controller.signal
}

/** Stdout, whose failure is told by `drain`. A closed pipe (`blockvault list | head`) is none. */
function createOutput() {
  let failure: unknown
  let pending = Promise.resolve()
  process.stdout.on('error', (error) => {
    if (systemCode(error) !== 'EPIPE') failure ??= error
  })
  process.stderr.on('error', () => {})
  return {
    write(text: string) {
      const written = new Promise<void>((done) => process.stdout.write(text, () => done()))
      pending = pending.then(() => written)
    },
    async drain() {
      await pending
      if (failure) throw fromSystem(failure, STORAGE_ERRORS, 'Writing to standard output')
    },
  }
}
