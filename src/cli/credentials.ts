/**
 * Turns a `KeySource` into the credentials of one repository, once its id is known.
 *
 * Invariants: a key file is on the disk before the repository that needs it (the library writes nothing until `toCreate`
 * resolved), and is never removed, not even when making the repository failed: a write that failed for us may have landed.
 * Secrets are held as bytes where they can be, and wiped by `wipe`.
 */
import type { Credentials } from '../contract/backup.ts'
import { KEY_BYTES } from '../contract/core.ts'
import { BlockvaultError } from '../contract/errors.ts'
import type { CommandHost } from './host.ts'
import { decodeKeyFile, encodeKeyFile, KEY_FILE_BYTES } from './key-file.ts'
import type { KeySource } from './key-source.ts'
import { decodePassphraseFile, PASSPHRASE_FILE_BYTES_MAX } from './passphrase-file.ts'
import { defaultKeyFile } from './places.ts'
import type { Report } from './report.ts'
import { usageError } from './usage.ts'

export interface CredentialsReader {
  /** For a repository that exists. */
  toOpen(repositoryId: string, encrypted: boolean): Promise<Credentials>
  /** For a repository that is about to be made. Makes its key file where that is wanted. */
  toCreate(repositoryId: string, encrypted: boolean): Promise<Credentials>
  /** Absolute path of the key file that was made. */
  createdKeyFile(): string | undefined
  /** Overwrites every secret that was given out. */
  wipe(): void
}

export interface CredentialsOptions {
  /** Make the file that --key-file names when it is missing: `init` only, elsewhere it is a wrong path. */
  createNamedKeyFile: boolean
}

export function createCredentialsReader(
  source: KeySource,
  { host, report }: { host: CommandHost; report: Report },
  { createNamedKeyFile }: CredentialsOptions,
): CredentialsReader {
  const secrets: Uint8Array[] = []
  let created: string | undefined

  async function readFile(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
    const file = await host.readSecretFile(path, bytesMax + 1)
    if (file === undefined) return undefined
    secrets.push(file.bytes)
    if (file.exposed) {
      report.notice({
        code: 'SECRET_FILE_EXPOSED',
        lines: [`warning: others on this machine can read ${path}; \`chmod 600\` it.`],
        details: { path },
        loud: true,
      })
    }
    return file.bytes
  }

  async function readKey(path: string): Promise<Uint8Array | undefined> {
    const file = await readFile(path, KEY_FILE_BYTES)
    if (file === undefined) return undefined
    const key = decodeKeyFile(file, path)
    secrets.push(key)
    return key
  }

  async function readPassphrase(from: PassphraseSource): Promise<string | Uint8Array> {
    if (from.kind === 'passphrase') return from.passphrase
    const file = await readFile(from.path, PASSPHRASE_FILE_BYTES_MAX)
    if (file === undefined) throw keyRequired(`There is no passphrase file at ${from.path}.`, from.path)
    return decodePassphraseFile(file, from.path)
  }

  async function createKey(path: string): Promise<Uint8Array> {
    const key = host.random(KEY_BYTES)
    const file = encodeKeyFile(key)
    secrets.push(key, file)
    created = await host.createSecretFile(path, file)
    if (created === undefined) {
      throw new BlockvaultError('OBJECT_EXISTS', `${path} exists already and is not replaced: give --key-file FILE.`, { details: { path } })
    }
    report.notice({ code: 'KEY_FILE_CREATED', lines: keyFileLines(created), details: { path: created }, loud: true })
    return key
  }

  return {
    async toOpen(repositoryId, encrypted) {
      if (!encrypted) {
        await refuseKeyWithoutEncryption(source, repositoryId, host)
        return {}
      }
      if (source.kind === 'no-encryption') {
        throw usageError('The repository exists and is encrypted; --no-encryption is for making one. Leave it out')
      }
      if (isPassphrase(source)) return { passphrase: await readPassphrase(source) }
      const path = source.kind === 'key-file' ? source.path : wantedKeyFile(repositoryId, host)
      const key = await readKey(path)
      if (key !== undefined) return { key }
      throw source.kind === 'key-file'
        ? keyRequired(`There is no key file at ${path}.`, path)
        : keyRequired(
            `The repository is encrypted. Its key file is not at ${path}: put it back there, or give --key-file FILE or --passphrase-file FILE.`,
            path,
          )
    },

    async toCreate(repositoryId, encrypted) {
      if (!encrypted || source.kind === 'no-encryption') return {}
      if (isPassphrase(source)) return { passphrase: await readPassphrase(source) }
      if (source.kind === 'default-key-file') return { key: await createKey(wantedKeyFile(repositoryId, host)) }
      const key = await readKey(source.path)
      if (key !== undefined) return { key }
      if (createNamedKeyFile) return { key: await createKey(source.path) }
      throw keyRequired(`There is no key file at ${source.path}; \`blockvault init --key-file FILE\` makes one.`, source.path)
    },

    createdKeyFile: () => created,
    wipe() {
      for (const secret of secrets) secret.fill(0)
    },
  }
}

type PassphraseSource = Extract<KeySource, { kind: 'passphrase' | 'passphrase-file' }>

function isPassphrase(source: KeySource): source is PassphraseSource {
  return source.kind === 'passphrase' || source.kind === 'passphrase-file'
}

/**
 * Who gives a key expects encryption: a repository without it is not the one that was meant, or someone put another in its
 * place to read the next backup.
 */
async function refuseKeyWithoutEncryption(source: KeySource, repositoryId: string, host: CommandHost): Promise<void> {
  if (source.kind === 'no-encryption') return
  if (source.kind !== 'default-key-file') {
    throw new BlockvaultError(
      'KEY_WRONG',
      'A passphrase or key was given, but this repository is not encrypted. If that is right, leave the passphrase or key out (and unset BLOCKVAULT_PASSPHRASE and BLOCKVAULT_KEY_FILE).',
    )
  }
  const path = defaultKeyFile(repositoryId, host)
  if (path === undefined || (await host.readSecretFile(path, 1)) === undefined) return
  throw new BlockvaultError(
    'KEY_WRONG',
    `This repository says that it is not encrypted, but its key file is at ${path}: something replaced it. Compare it with a copy before you use it.`,
    { details: { path } },
  )
}

function wantedKeyFile(repositoryId: string, host: CommandHost): string {
  const path = defaultKeyFile(repositoryId, host)
  if (path !== undefined) return path
  throw usageError('No home directory is known to keep the key file in: give --key-file FILE or --passphrase-file FILE')
}

function keyRequired(message: string, path: string): BlockvaultError {
  return new BlockvaultError('KEY_REQUIRED', message, { details: { path } })
}

function keyFileLines(path: string): string[] {
  const rule = '*'.repeat(78)
  return [rule, 'A new key file opens this repository:', `    ${path}`, 'COPY IT TO ANOTHER PLACE NOW. Without it nobody can restore anything, ever.', rule]
}
