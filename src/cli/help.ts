/** The help texts, made from the tables the parser works by. */
import type { OptionSpec } from './command-spec.ts'
import type { Command } from './command.ts'
import { exitCodesHelp } from './exit-codes.ts'
import { GLOBAL_OPTIONS } from './options.ts'
import { formatFields } from './table.ts'
import { usageError, usageLine } from './usage.ts'

/** Commands whose names begin with the same word. */
export interface CommandGroup {
  readonly name: string
  readonly summary: string
}

/** The text for `--help`, `COMMAND --help` or `--help TOPIC`. */
export function helpText(commands: readonly Command[], groups: readonly CommandGroup[], command: Command | undefined, topic: string | undefined): string {
  if (command !== undefined) return commandHelp(command)
  if (topic === 'exit-codes') return exitCodesHelp()
  if (topic !== undefined) return groupHelp(commands, groups, topic)
  return lines([
    'blockvault: deduplicated, compressed, encrypted backups of block devices and disk images',
    '',
    ...commands.filter(({ name }) => !name.includes(' ')).flatMap(commandLines),
    ...groups.flatMap(({ name, summary }) => [`  blockvault ${name} …`, `      ${summary} See: blockvault ${name} --help`]),
    '',
    'Every command takes:',
    ...optionLines(GLOBAL_OPTIONS),
    '',
    'Exit codes: 0 done, 2 usage; all of them: blockvault --help exit-codes',
  ])
}

function groupHelp(commands: readonly Command[], groups: readonly CommandGroup[], topic: string): string {
  const own = commands.filter(({ name }) => name.startsWith(`${topic} `))
  if (own.length === 0) throw usageError(`There is no command or help topic '${topic}'`)
  const summary = groups.find(({ name }) => name === topic)?.summary
  return lines([
    ...(summary === undefined ? [] : [summary, '']),
    ...own.flatMap(commandLines),
    '',
    `What each takes: blockvault ${own[0]!.name} --help, and so on. Every command takes:`,
    ...optionLines(GLOBAL_OPTIONS),
  ])
}

function commandLines(command: Command): string[] {
  return [`  ${usageLine(command)}`, `      ${command.summary}`]
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
