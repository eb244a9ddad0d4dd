/** The options every command takes, and their values where one reading is enough. */
import { WORKERS_MAX } from '../contract/platform.ts'
import type { Arguments } from './arguments.ts'
import type { OptionSpec } from './command-spec.ts'
import { parseCount } from './values.ts'

export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  { name: '--repo', value: 'DIR', help: 'the repository (or BLOCKVAULT_REPO); by default one in your data directory' },
  { name: '--passphrase-file', value: 'FILE', help: 'its first line is the passphrase (or the passphrase itself in BLOCKVAULT_PASSPHRASE)' },
  { name: '--key-file', value: 'FILE', help: 'the key file (or BLOCKVAULT_KEY_FILE); by default one in your configuration directory' },
  { name: '--workers', value: 'N', help: `worker threads, 1 to ${WORKERS_MAX}; by default one a processor` },
  { name: '--json', help: 'one JSON object a line on stdout; the last is the result or the error' },
  { name: '--quiet', help: 'only what was asked for, warnings and errors' },
  { name: '--no-progress', help: 'no progress line (nor progress objects with --json)' },
  { name: '--help', help: 'about blockvault, or a command before it; `--help exit-codes`: every exit code' },
  { name: '--version', help: 'the version' },
]

/** For the commands that may make a repository. */
export const NO_ENCRYPTION_OPTION: OptionSpec = {
  name: '--no-encryption',
  help: 'make the repository without encryption: whoever reads it reads your volumes',
}

/** How a BACKUP argument names a backup. */
export const BACKUP_HELP = 'an id, the first 4 or more characters of one, `latest` or `latest:VOLUME`'

/** `undefined` leaves the number to the platform. */
export function workersOption(given: Arguments): number | undefined {
  const value = given.value('--workers')
  return value === undefined ? undefined : parseCount(value, '--workers', { min: 1, max: WORKERS_MAX })
}
