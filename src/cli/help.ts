/** The help texts, made from the tables the parser works by. */
import type { OptionSpec } from './command-spec.ts'
import type { Command } from './command.ts'
import { exitCodesHelp } from './exit-codes.ts'
import { GLOBAL_OPTIONS } from './options.ts'
import { formatFields } from './table.ts'
import { usageError, usageLine } from './usage.ts'

/** The text for `--help`, `COMMAND --help` or `--help TOPIC`. */
export function helpText(commands: readonly Command[], command: Command | undefined, topic: string | undefined): string {
  if (command !== undefined) return commandHelp(command)
  if (topic === 'exit-codes') return exitCodesHelp()
  if (topic !== undefined) throw usageError(`There is no command or help topic '${topic}'`)
  return lines([
    'blockvault: deduplicated, compressed, encrypted backups of block devices and disk images',
    '',
    ...commands.flatMap((each) => [`  ${usageLine(each)}`, `      ${each.summary}`]),
    '',
    'Every command takes:',
    ...optionLines(GLOBAL_OPTIONS),
    '',
    'Exit codes: 0 done, 2 usage; all of them: blockvault --help exit-codes',
  ])
}

function commandHelp(command: Command): string {
  const positionals = command.positionals.map(({ name, help }) => [name, help] as const)
  const notes = command.notes ?? []
  return lines([
    usageLine(command),
    '',
    command.summary,
    ...(positionals.length > 0 ? ['', ...indent(formatFields(positionals))] : []),
    ...(command.options.length > 0 ? ['', ...optionLines(command.options)] : []),
    ...(notes.length > 0 ? ['', ...notes] : []),
    '',
    'Every command takes:',
    ...optionLines(GLOBAL_OPTIONS),
  ])
}

function optionLines(options: readonly OptionSpec[]): string[] {
  return indent(formatFields(options.map(({ name, value, help }) => [value === undefined ? name : `${name} ${value}`, help] as const)))
}

function indent(text: readonly string[]): string[] {
  return text.map((line) => `  ${line}`)
}

function lines(text: readonly string[]): string {
  return `${text.join('\n')}\n`
}
