/** Words for people: answers on stdout, the progress line and everything else on stderr. */
import type { CommandHost } from './host.ts'
import { createProgressLine } from './progress-line.ts'
import type { Report } from './report.ts'
import { terminalText } from './terminal-text.ts'

const CLEAR_LINE = '\r\u001b[K'

export function createHumanReport(host: CommandHost, options: { quiet: boolean; progress: boolean }): Report {
  const progressLine = createProgressLine(() => host.now())
  let drawn = false

  function clear(): void {
    if (drawn) host.writeError(CLEAR_LINE)
    drawn = false
  }
  function output(lines: readonly string[]): void {
    clear()
    for (const line of lines) host.writeOutput(`${terminalText(line)}\n`)
  }
  function error(line: string): void {
    clear()
    host.writeError(`${terminalText(line)}\n`)
  }

  return {
    progress(progress) {
      const terminal = options.progress && !options.quiet ? host.errorTerminal() : undefined
      if (terminal === undefined) return
      host.writeError(`\r${progressLine(progress, terminal.columns)}\u001b[K`)
      drawn = true
    },
    notice({ lines, loud = false }) {
      if (loud || !options.quiet) for (const line of lines) error(line)
    },
    complain: (message) => error(`blockvault: ${message}`),
    event: (_type, _fields, line) => output([line]),
    result(_fields, { answer = [], summary = [] }) {
      output(options.quiet ? answer : [...answer, ...summary])
    },
    failure: ({ message, code }) => error(`blockvault: ${message} [${code}]`),
  }
}
