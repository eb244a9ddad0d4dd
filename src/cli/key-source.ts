/**
 * Which passphrase or key the command line and the environment name.
 *
 * Invariant: one, or none; two at one level are a USAGE error, and the command line goes before the environment.
 */
import type { Arguments } from './arguments.ts'
import type { CommandHost } from './host.ts'
import { environmentValue } from './places.ts'
import { usageError } from './usage.ts'

export type KeySource =
  | { kind: 'no-encryption' }
  | { kind: 'passphrase-file'; path: string }
  | { kind: 'passphrase'; passphrase: string }
  | { kind: 'key-file'; path: string }
  /** The key file named by the repository's id. */
  | { kind: 'default-key-file' }

export function keySource(given: Arguments, host: CommandHost): KeySource {
  const passphraseFile = given.value('--passphrase-file')
  const keyFile = given.value('--key-file')
  if (passphraseFile !== undefined && keyFile !== undefined) {
    throw usageError('Give either --passphrase-file or --key-file, not both')
  }
  if (given.flag('--no-encryption')) {
    if (passphraseFile !== undefined || keyFile !== undefined) {
      throw usageError('--no-encryption goes with neither --passphrase-file nor --key-file')
    }
    return { kind: 'no-encryption' }
  }
  if (passphraseFile !== undefined) return { kind: 'passphrase-file', path: passphraseFile }
  if (keyFile !== undefined) return { kind: 'key-file', path: keyFile }

  const passphrase = environmentValue('BLOCKVAULT_PASSPHRASE', host)
  const path = environmentValue('BLOCKVAULT_KEY_FILE', host)
  if (passphrase !== undefined && path !== undefined) {
    throw usageError('BLOCKVAULT_PASSPHRASE and BLOCKVAULT_KEY_FILE are both set: unset one, or name one on the command line')
  }
  if (passphrase !== undefined) return { kind: 'passphrase', passphrase }
  if (path !== undefined) return { kind: 'key-file', path }
  return { kind: 'default-key-file' }
}
