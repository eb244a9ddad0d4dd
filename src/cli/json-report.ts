/**
 * One JSON object a line on stdout and nothing else there; the last one has type `result` or `error`. Notices and failures
 * are also said on stderr, where a person or a log may look.
 */
import type { CommandHost } from './host.ts'
import type { Report } from './report.ts'
import { terminalText } from './terminal-text.ts'

/** A pipe's reader gets at most this many progress objects a second: one. */
const PROGRESS_INTERVAL_MS = 1000

export function createJsonReport(host: CommandHost, options: { quiet: boolean; progress: boolean }): Report {
  let progressAt = Number.NEGATIVE_INFINITY
  const output = (type: string, fields: object) => host.writeOutput(`${JSON.stringify({ type, ...fields })}\n`)
  const error = (line: string) => host.writeError(`${terminalText(line)}\n`)

  return {
    progress(progress) {
      const at = host.now()
      if (!options.progress || options.quiet || at - progressAt < PROGRESS_INTERVAL_MS) return
      progressAt = at
      output('progress', progress)
    },
    notice({ code, lines, details, loud = false }) {
      output('notice', { code, message: lines.join(' '), ...details })
      if (loud || !options.quiet) for (const line of lines) error(line)
    },
    complain: (message) => error(`blockvault: ${message}`),
    event: (type, fields) => output(type, fields),
    result: (fields) => output('result', fields),
    failure({ message, code, details }, exitCode) {
      output('error', { code, message, details, exitCode })
      error(`blockvault: ${message} [${code}]`)
    },
  }
}
