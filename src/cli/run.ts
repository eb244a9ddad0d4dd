/**
 * `blockvault`, without a runtime: takes the words after the program's name, resolves to the exit code.
 *
 * Invariant: never rejects. Every failure is told (stderr; with --json also as the last line on stdout) and has its exit code.
 */
import { parseArguments } from './arguments.ts'
import { COMMAND_GROUPS, COMMANDS } from './commands.ts'
import { exitCodeOf, type ExitCode } from './exit-codes.ts'
import { helpText } from './help.ts'
import type { CommandHost } from './host.ts'
import { createHumanReport } from './human-report.ts'
import { createJsonReport } from './json-report.ts'
import { GLOBAL_OPTIONS, workersOption } from './options.ts'
import { asBlockvaultError, type Report } from './report.ts'

export async function runCommand(argv: readonly string[], host: CommandHost): Promise<number> {
  // Known before the line is parsed: a script that asked for JSON gets its usage errors so.
  const options = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined)
  const create = options.includes('--json') ? createJsonReport : createHumanReport
  const report = create(host, { quiet: options.includes('--quiet'), progress: !options.includes('--no-progress') })

  const stopping = () => report.complain('stopping; press Ctrl-C again to end at once')
  host.interrupted.addEventListener('abort', stopping, { once: true })
  let exitCode: ExitCode
  try {
    exitCode = await runParsed(argv, host, report)
  } catch (thrown) {
    const error = asBlockvaultError(thrown)
    exitCode = exitCodeOf(error.code)
    report.failure(error, exitCode)
  }
  host.interrupted.removeEventListener('abort', stopping)

  try {
    await host.drain()
    return exitCode
  } catch (thrown) {
    report.complain(`the output could not be written: ${asBlockvaultError(thrown).message}`)
    return exitCode === 0 ? exitCodeOf('INTERNAL') : exitCode
  }
}

async function runParsed(argv: readonly string[], host: CommandHost, report: Report): Promise<ExitCode> {
  const { command, topic, arguments: given } = parseArguments(argv, COMMANDS, GLOBAL_OPTIONS)
  if (given.flag('--version') && !given.flag('--help')) {
    report.result({ version: host.version }, { answer: [host.version] })
    return 0
  }
  if (given.flag('--help') || command === undefined) {
    const text = helpText(COMMANDS, COMMAND_GROUPS, command, topic)
    report.result({ help: text }, { answer: text.trimEnd().split('\n') })
    return 0
  }
  // Checked here, so that it is an error for the commands too that start no worker.
  workersOption(given)
  return command.run({ host, given, report })
}
