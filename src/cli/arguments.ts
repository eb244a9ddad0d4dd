/**
 * Reads a command line by a table of options per command. A command's name may be several words (`cinder list`).
 *
 * Invariant: strict. Whatever the table does not say is a USAGE error that names the word and the right form; nothing is
 * guessed, so a misspelt option never turns into a volume or a target. What follows an unknown option's `=` is never
 * repeated: it may be a secret typed into the wrong place.
 */
import type { CommandSpec, OptionSpec } from './command-spec.ts'
import { usageError } from './usage.ts'

export interface Arguments {
  readonly positionals: readonly string[]
  flag(name: `--${string}`): boolean
  value(name: `--${string}`): string | undefined
  values(name: `--${string}`): readonly string[]
}

export interface ParsedLine<Spec extends CommandSpec> {
  command: Spec | undefined
  /** The words after `--help`, or before it, when they name no command: a help topic, or a group of commands. */
  topic: string | undefined
  arguments: Arguments
}

/** Options in `globals` may stand before and after the command's name. */
export function parseArguments<Spec extends CommandSpec>(argv: readonly string[], commands: readonly Spec[], globals: readonly OptionSpec[]): ParsedLine<Spec> {
  const given = new Map<string, string[]>()
  const positionals: string[] = []
  let command: Spec | undefined
  let topic: string | undefined
  /** Of the command's name, so far. */
  let words = ''
  let optionsEnded = false

  for (let index = 0; index < argv.length; index++) {
    const word = argv[index]!
    if (!optionsEnded && word === '--') {
      optionsEnded = true
    } else if (!optionsEnded && word.startsWith('-') && word !== '-') {
      const { name, inline } = splitOption(word)
      const option = [...globals, ...(command?.options ?? [])].find((candidate) => candidate.name === name)
      if (option === undefined) throw unknownOption(name, command, commands)
      const values = given.get(name) ?? []
      given.set(name, values)
      if (option.value === undefined) {
        if (inline !== undefined) throw usageError(`${name} takes no value`, command)
        values.push('')
      } else {
        if (values.length > 0 && !option.repeatable) throw usageError(`${name} may be given only once`, command)
        const value = inline ?? argv[++index]
        if (value === undefined || value === '' || (inline === undefined && value.startsWith('--'))) {
          throw usageError(`${name} needs a value: write ${name} ${option.value} or ${name}=${option.value}`, command)
        }
        values.push(value)
      }
    } else if (command === undefined && topic === undefined) {
      words = words === '' ? word : `${words} ${word}`
      const isWord = !word.includes(' ')
      command = isWord ? commands.find((candidate) => candidate.name === words) : undefined
      if (command === undefined && !(isWord && isGroup(words, commands))) {
        if (!given.has('--help')) throw usageError(`There is no command '${words}'`)
        topic = words
      }
    } else {
      if (word === '') throw usageError('An argument is empty', command)
      positionals.push(word)
    }
  }

  if (command === undefined && topic === undefined && words !== '') topic = words
  if (!given.has('--help') && !given.has('--version')) {
    if (command === undefined) throw topic === undefined ? usageError('A command is missing') : incomplete(topic, commands)
    checkPositionals(positionals, command)
  }
  const values = (name: string): readonly string[] => given.get(name) ?? []
  return {
    command,
    topic,
    arguments: { positionals, flag: (name) => given.has(name), value: (name) => values(name)[0], values },
  }
}

function isGroup(words: string, commands: readonly CommandSpec[]): boolean {
  return commands.some(({ name }) => name.startsWith(`${words} `))
}

function incomplete(group: string, commands: readonly CommandSpec[]): Error {
  const next = commands.filter(({ name }) => name.startsWith(`${group} `)).map(({ name }) => name.slice(group.length + 1).split(' ')[0]!)
  return usageError(`'${group}' is followed by one of: ${[...new Set(next)].join(', ')}`)
}

/** `-h` is the only short option: people type it when they know nothing else yet. */
function splitOption(word: string): { name: string; inline: string | undefined } {
  if (word === '-h') return { name: '--help', inline: undefined }
  const equals = word.indexOf('=')
  return equals < 0 ? { name: word, inline: undefined } : { name: word.slice(0, equals), inline: word.slice(equals + 1) }
}

function unknownOption(name: string, command: CommandSpec | undefined, commands: readonly CommandSpec[]): Error {
  if (command !== undefined) return usageError(`'${command.name}' has no option ${name}`, command)
  const owner = commands.find((candidate) => candidate.options.some((option) => option.name === name))
  if (owner !== undefined) return usageError(`${name} comes after the command's name`, owner)
  return usageError(`There is no option ${name}`)
}

function checkPositionals(positionals: readonly string[], command: CommandSpec): void {
  const missing = command.positionals.find((spec, index) => spec.required !== false && index >= positionals.length)
  if (missing !== undefined) throw usageError(`'${command.name}' needs ${missing.name}`, command)
  const unbounded = command.positionals.at(-1)?.repeatable === true
  const surplus = unbounded ? undefined : positionals[command.positionals.length]
  if (surplus !== undefined) throw usageError(`'${command.name}' does not take another argument '${surplus}'`, command)
}
