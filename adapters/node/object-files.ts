/** Looking through the directories of an object store: what is in them, inside the root, and what was left unfinished. */
import type { Dirent } from 'node:fs'
import { lstat, readdir, realpath, rm } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative, sep } from 'node:path'
import { BlockvaultError, throwIfCancelled } from '../../src/contract/errors.ts'
import type { StoredFile } from '../../src/contract/object-store.ts'
import { isStoreName, nameOfTemporary } from '../../src/storage/store-names.ts'
import { syncDirectory } from './files.ts'
import { ABSENT } from './regular-file.ts'
import { fromSystem, STORAGE_ERRORS, systemCode } from './system-error.ts'

/** Files whose size is asked for at once: enough for a network file system, few enough for Node's four threads. */
const SIZES_AT_ONCE = 64

/** An absent root, perhaps a share that is not mounted, must not pass for an empty one. */
export async function requireRoot(root: string): Promise<void> {
  await realpath(root).catch((error: unknown) => {
    if (!ABSENT.includes(systemCode(error))) throw fromSystem(error, STORAGE_ERRORS, `Opening ${root}`)
    throw new BlockvaultError('STORAGE_FAILED', `There is no directory ${root}: check the path, and mount what it is on.`, { cause: error, details: { root } })
  })
}

/**
 * `path` with its links resolved, `undefined` when it is absent. Rejects with STORAGE_DENIED when it, or the nearest directory above it
 * that exists, does not lie inside the root.
 */
export async function realInside(root: string, path: string): Promise<string | undefined> {
  for (let at = path; ; at = dirname(at)) {
    const real = await realpath(at).catch((error: unknown) => {
      if (ABSENT.includes(systemCode(error))) return undefined
      throw error
    })
    if (real === undefined && at !== root && at !== dirname(at)) continue
    if (real === undefined) return undefined
    const below = relative(await realpath(root), real)
    if (below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below))
      throw new BlockvaultError('STORAGE_DENIED', `${path} leads out of ${root} through a link, which is not followed.`, { details: { path } })
    return at === path ? real : undefined
  }
}

/** False for what is absent, and for a link to a directory. */
export async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory()
  } catch (error) {
    if (ABSENT.includes(systemCode(error))) return false
    throw error
  }
}

/** Entries of a directory; none when it was removed while somebody walked through. */
export async function entriesOf(path: string): Promise<Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true })
  } catch (error) {
    if (ABSENT.includes(systemCode(error))) return []
    throw fromSystem(error, STORAGE_ERRORS, `Listing ${path}`)
  }
}

/** Objects below `directory` whose name begins with `prefix`, in name order; unfinished ones and what can be no object are passed over. */
export async function* listFiles(directory: string, prefix: string, signal: AbortSignal | undefined): AsyncGenerator<StoredFile> {
  async function* walk(base: string): AsyncGenerator<StoredFile> {
    throwIfCancelled(signal)
    const wanted = (await entriesOf(join(directory, base))).flatMap((entry) => {
      const name = entry.isDirectory() ? `${base}${entry.name}/` : base + entry.name
      const fits = name.startsWith(prefix) || (entry.isDirectory() && prefix.startsWith(name))
      return fits && (entry.isDirectory() || entry.isFile()) && isStoreName(base + entry.name) ? [name] : []
    })
    wanted.sort((left, right) => (left < right ? -1 : 1))
    for (let first = 0; first < wanted.length; first += SIZES_AT_ONCE) {
      throwIfCancelled(signal)
      const names = wanted.slice(first, first + SIZES_AT_ONCE)
      const sizes = await Promise.all(names.map((name) => (name.endsWith('/') ? undefined : sizeOf(join(directory, name)))))
      for (const [index, name] of names.entries()) {
        const size = sizes[index]
        if (name.endsWith('/')) yield* walk(name)
        else if (size !== undefined) yield { name, size }
      }
    }
  }
  yield* walk('')
}

/** `undefined` for what was removed meanwhile, or is no regular file any more. */
async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const stats = await lstat(path)
    return stats.isFile() ? stats.size : undefined
  } catch (error) {
    if (ABSENT.includes(systemCode(error))) return undefined
    throw fromSystem(error, STORAGE_ERRORS, `Reading the size of ${path}`)
  }
}

/** Removes unfinished objects of one directory. `isMeant` gets the file's path, and the object's name there (`''` when it is not known). */
export async function removeUnfinished(directory: string, isMeant: (path: string, object: string) => boolean | Promise<boolean>): Promise<void> {
  for (const name of await readdir(directory)) {
    const object = nameOfTemporary(name)
    const path = join(directory, name)
    if (object !== undefined && (await isMeant(path, object))) await rm(path, { force: true })
  }
}

const waiting = new Map<string, Promise<void>>()
const running = new Map<string, Promise<void>>()

/** Syncs a directory; whoever asks while one sync runs shares the next. A backup is deleted by thousands of files. */
export function syncSoon(directory: string): Promise<void> {
  let next = waiting.get(directory)
  if (!next) {
    next = (running.get(directory) ?? Promise.resolve())
      .catch(() => {})
      .then(() => {
        waiting.delete(directory)
        const sync = syncDirectory(directory)
        running.set(directory, sync)
        return sync
      })
      .finally(() => {
        if (!waiting.has(directory)) running.delete(directory)
      })
    waiting.set(directory, next)
  }
  return next
}
