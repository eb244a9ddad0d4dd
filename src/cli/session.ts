/**
 * What a command has at hand, and how it comes to its repository.
 *
 * Invariants: a repository is made only by `init`, or by the first backup at the default place; it is closed whatever
 * happens, and before the result is told.
 */
import type { Repository } from '../contract/backup.ts'
import { BlockvaultError, isBlockvaultError } from '../contract/errors.ts'
import type { Arguments } from './arguments.ts'
import { createCredentialsReader, type CredentialsOptions, type CredentialsReader } from './credentials.ts'
import type { CommandHost, OpenOptions } from './host.ts'
import { keySource } from './key-source.ts'
import { workersOption } from './options.ts'
import { repositoryPlace } from './places.ts'
import type { Report } from './report.ts'

export interface Session {
  host: CommandHost
  given: Arguments
  report: Report
}

/** Opens the repository that exists. */
export async function openRepository(session: Session): Promise<Repository> {
  const place = repositoryPlace(session.given, session.host)
  try {
    return await withCredentials(session, { createNamedKeyFile: false }, (reader, options) =>
      session.host.openRepository({ ...options, credentials: reader.toOpen }),
    )
  } catch (error) {
    throw isBlockvaultError(error, 'REPOSITORY_MISSING') ? repositoryMissing(place.path, place.isDefault, error) : error
  }
}

/** Makes the repository; the second value is the key file that was made for it. */
export function createRepository(session: Session, keys: CredentialsOptions): Promise<[Repository, string | undefined]> {
  return withCredentials(session, keys, async (reader, options) => {
    const encryption = !session.given.flag('--no-encryption')
    const repository = await session.host.initRepository({ ...options, encryption, credentials: reader.toCreate })
    return [repository, reader.createdKeyFile()]
  })
}

/** Opens the repository for a backup of `source`; at the default place, makes it when there is none yet. */
export async function openOrCreateRepository(session: Session, source: string): Promise<Repository> {
  const { host, given, report } = session
  try {
    return await openRepository(session)
  } catch (error) {
    if (!repositoryPlace(given, host).isDefault || !isBlockvaultError(error, 'REPOSITORY_MISSING')) throw error
  }
  // A misspelt source must not leave a repository and a key behind.
  if ((await host.volumeFacts(source)) === undefined) {
    throw new BlockvaultError('SOURCE_MISSING', `There is no file or device at ${source}.`, { details: { path: source } })
  }
  try {
    const [repository] = await createRepository(session, { createNamedKeyFile: false })
    report.notice({
      code: 'REPOSITORY_CREATED',
      lines: [`Made ${describeRepository(repository)}.`],
      details: { id: repository.id, repository: repository.location, encrypted: repository.encrypted },
    })
    return repository
  } catch (error) {
    // Another first backup was quicker.
    if (isBlockvaultError(error, 'REPOSITORY_EXISTS')) return openRepository(session)
    throw error
  }
}

/** Runs `work` on the repository and closes it. When both fail, the work's error is the one that tells why. */
export async function withRepository<T>(opening: Promise<Repository>, work: (repository: Repository) => Promise<T>): Promise<T> {
  const repository = await opening
  let result: T
  try {
    result = await work(repository)
  } catch (error) {
    await repository.close().catch(() => {})
    throw error
  }
  await repository.close()
  return result
}

export function describeRepository(repository: Repository): string {
  return `${repository.encrypted ? 'an encrypted repository' : 'a repository WITHOUT encryption'} at ${repository.location}`
}

async function withCredentials<T>(
  { host, given, report }: Session,
  keys: CredentialsOptions,
  open: (reader: CredentialsReader, options: Omit<OpenOptions, 'credentials'>) => Promise<T>,
): Promise<T> {
  const reader = createCredentialsReader(keySource(given, host), { host, report }, keys)
  const repository = repositoryPlace(given, host).path
  try {
    return await open(reader, { repository, workers: workersOption(given), signal: host.interrupted })
  } finally {
    reader.wipe()
  }
}

function repositoryMissing(path: string, isDefault: boolean, cause: unknown): BlockvaultError {
  const next = isDefault ? '`blockvault backup SOURCE` makes it; --repo DIR names another' : `\`blockvault init --repo ${shellWord(path)}\` makes one`
  return new BlockvaultError('REPOSITORY_MISSING', `There is no repository at ${path}: ${next}.`, { details: { repository: path }, cause })
}

/** Quoted for a POSIX shell where that is needed, so that the line can be copied. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
