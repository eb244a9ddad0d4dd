import { describe, expect, it } from 'vitest'
import { parseArguments } from '../../src/cli/arguments.ts'
import { COMMANDS } from '../../src/cli/commands.ts'
import { GLOBAL_OPTIONS } from '../../src/cli/options.ts'
import { BlockvaultError } from '../../src/contract/errors.ts'

const parse = (...argv: string[]) => parseArguments(argv, COMMANDS, GLOBAL_OPTIONS)

function usage(...argv: string[]): string {
  try {
    parse(...argv)
  } catch (error) {
    expect(error).toBeInstanceOf(BlockvaultError)
    expect((error as BlockvaultError).code).toBe('USAGE')
    return (error as BlockvaultError).message
  }
  throw new Error(`accepted: ${argv.join(' ')}`)
}

describe('a command line', () => {
  it('takes global options before and after the command', () => {
    const { command, arguments: given } = parse('--repo', '/r', 'backup', '/dev/vdb', '--workers=4', '--json')
    expect(command?.name).toBe('backup')
    expect(given.positionals).toEqual(['/dev/vdb'])
    expect(given.value('--repo')).toBe('/r')
    expect(given.value('--workers')).toBe('4')
    expect(given.flag('--json')).toBe(true)
    expect(given.flag('--quiet')).toBe(false)
  })
  it('takes a command of several words, with options between them', () => {
    const { command, arguments: given } = parse('cinder', '--json', 'record', '--quiet', 'decode', '-')
    expect(command?.name).toBe('cinder record decode')
    expect(given.positionals).toEqual(['-'])
    expect(given.flag('--json') && given.flag('--quiet')).toBe(true)
    expect(parse('--', 'cinder', 'list', '-x').arguments.positionals).toEqual(['-x'])
  })
  it('takes a value behind a space or an equals sign, and keeps later equals signs', () => {
    const { arguments: given } = parse('backup', 'x', '--tag', 'a=b=c', '--tag=d=', '--volume=--odd')
    expect(given.values('--tag')).toEqual(['a=b=c', 'd='])
    expect(given.value('--volume')).toBe('--odd')
  })
  it('takes everything after -- as arguments', () => {
    expect(parse('backup', '--', '--json').arguments.positionals).toEqual(['--json'])
    expect(parse('backup', '--', '--json').arguments.flag('--json')).toBe(false)
    expect(parse('--', 'delete', '-x', '--').arguments.positionals).toEqual(['-x', '--'])
  })
  it('takes a lone - as an argument', () => {
    expect(parse('backup', '-').arguments.positionals).toEqual(['-'])
  })
  it.each([
    [['backup', 'x', '--bogus'], "'backup' has no option --bogus"],
    [['list', '--tag', 'a=b'], "'list' has no option --tag"],
    [['--tag', 'a=b', 'backup', 'x'], "--tag comes after the command's name"],
    [['--bogus'], 'There is no option --bogus'],
    [['backup', 'x', '-v'], "'backup' has no option -v"],
    [['backup'], "'backup' needs SOURCE"],
    [['restore', 'latest'], "'restore' needs TARGET"],
    [['delete'], "'delete' needs BACKUP"],
    [['show', 'a', 'b'], "'show' does not take another argument 'b'"],
    [['list', 'x'], "'list' does not take another argument 'x'"],
    [['list', '--repo'], '--repo needs a value: write --repo DIR'],
    [['list', '--repo', '--json'], '--repo needs a value'],
    [['list', '--repo', '--', 'x'], '--repo needs a value'],
    [['list', '--repo='], '--repo needs a value'],
    [['list', '--repo', ''], '--repo needs a value'],
    [['list', '--json=yes'], '--json takes no value'],
    [['list', '--repo', 'a', '--repo', 'a'], '--repo may be given only once'],
    [['backup', ''], 'An argument is empty'],
    [[], 'A command is missing'],
    [['--json'], 'A command is missing'],
    [['cinder'], "'cinder' is followed by one of: list, "],
    [['cinder', '--json'], "'cinder' is followed by one of: list, "],
    [['cinder', 'record'], "'cinder record' is followed by one of: decode, encode"],
    [['cinder', 'frobnicate'], "There is no command 'cinder frobnicate'"],
    [['cinder', 'list'], "'cinder list' needs STORE"],
    [['cinder', 'list', 'a', 'b'], "'cinder list' does not take another argument 'b'"],
    [['cinder', 'list', 'a', '--force'], "'cinder list' has no option --force"],
    [['record', 'decode', 'x'], "There is no command 'record'"],
    [['cinder list', 'x'], "There is no command 'cinder list'"],
    [['frobnicate'], "There is no command 'frobnicate'"],
    [[''], "There is no command ''"],
  ] as [string[], string][])('%j is refused', (argv, message) => {
    expect(usage(...argv)).toContain(message)
  })
  it('says the right form of the command', () => {
    expect(usage('restore', 'latest')).toContain('Use: blockvault restore BACKUP TARGET [--force] [--overwrite-source] [--range OFFSET:LENGTH]')
    expect(usage('verify', '--x')).toContain('Use: blockvault verify [BACKUP…] [--read-data]')
  })
  it('never repeats what follows an unknown option: it may be a secret', () => {
    expect(usage('backup', 'x', '--passphrase=hunter2')).not.toContain('hunter2')
    expect(usage('backup', 'x', '--passphrase', 'hunter2')).not.toContain('hunter2')
  })
  it('takes flags twice, as an alias and a user may both say them', () => {
    expect(parse('list', '--json', '--json').arguments.flag('--json')).toBe(true)
  })
})
