/** The one-line form of a command, and the error that shows it. */
import { BlockvaultError } from '../contract/errors.ts'
import type { CommandSpec } from './command-spec.ts'

/** For example `blockvault backup SOURCE [--volume NAME] [--tag KEY=VALUE]…`. */
export function usageLine(command: CommandSpec): string {
  const words = ['blockvault', command.name]
  for (const { name, required, repeatable } of command.positionals) {
    const word = repeatable ? `${name}…` : name
    words.push(required === false ? `[${word}]` : word)
  }
  for (const { name, value, repeatable } of command.options) {
    words.push(`[${name}${value === undefined ? '' : ` ${value}`}]${repeatable ? '…' : ''}`)
  }
  return words.join(' ')
}

/** `problem` is a sentence without its full stop. */
export function usageError(problem: string, command?: CommandSpec): BlockvaultError {
  const form = command === undefined ? 'blockvault COMMAND [OPTIONS]; `blockvault --help` lists the commands' : usageLine(command)
  return new BlockvaultError('USAGE', `${problem}. Use: ${form}`)
}
