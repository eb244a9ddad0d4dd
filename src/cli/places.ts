/**
 * Where the repository and the key files lie when nobody says otherwise: the XDG base directories, on every system, so that
 * a script finds them by one rule.
 */
import { BlockvaultError } from '../contract/errors.ts'
import type { Arguments } from './arguments.ts'
import type { CommandHost } from './host.ts'
import { usageError } from './usage.ts'

const REPOSITORY_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export interface RepositoryPlace {
  path: string
  /** True when nobody named it: only then may a backup make it. */
  isDefault: boolean
}

export function repositoryPlace(given: Arguments, host: CommandHost): RepositoryPlace {
  const named = given.value('--repo') ?? environmentValue('BLOCKVAULT_REPO', host)
  if (named !== undefined) return { path: named, isDefault: false }
  const directory = baseDirectory('XDG_DATA_HOME', '.local/share', host)
  if (directory === undefined) throw usageError('No home directory is known to keep the repository in: give --repo DIR')
  return { path: `${directory}/blockvault/repository`, isDefault: true }
}

/**
 * A key file is named by its repository's id: it is still found after the repository was moved, mounted elsewhere or copied
 * to another machine, and two repositories that take turns at one path never meet each other's key. `undefined` where no
 * home is known.
 */
export function defaultKeyFile(repositoryId: string, host: CommandHost): string | undefined {
  // The id comes out of a file that others may have written: it must not choose a path.
  if (!REPOSITORY_ID.test(repositoryId)) {
    throw new BlockvaultError('REPOSITORY_INVALID', "The repository's id is not a UUID: this is no repository of blockvault.")
  }
  const directory = baseDirectory('XDG_CONFIG_HOME', '.config', host)
  return directory === undefined ? undefined : `${directory}/blockvault/${repositoryId}.key`
}

/** The variable's value; set and empty is most likely a script's mistake, so it is refused. */
export function environmentValue(name: string, host: CommandHost): string | undefined {
  const value = host.environment(name)
  if (value === '') throw usageError(`${name} is set but empty: give it a value or unset it`)
  return value
}

/** The XDG specification says to ignore a relative path. */
function baseDirectory(variable: string, below: string, host: CommandHost): string | undefined {
  const named = host.environment(variable)
  if (named?.startsWith('/')) return named
  const home = host.homeDirectory()
  return home === undefined ? undefined : `${home}/${below}`
}
