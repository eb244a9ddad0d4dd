/**
 * Cinder's containers as directories and its objects as files, as its posix driver keeps them.
 *
 * Invariants: an object is written beside its name → fsync → renamed → fsync of the directory; no call follows a link out of the root, and
 * no link, FIFO or device is read as an object.
 */
import { chmod, lstat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { BlockvaultError, throwIfCancelled } from '../../src/contract/errors.ts'
import type { ObjectStore } from '../../src/contract/object-store.ts'
import { checkRange, containerMissing, endedEarly, missing, notAnObject } from '../../src/storage/object-errors.ts'
import { checkContainerName, checkNamePrefix, checkStoredName, isStoreName, nameOfTemporary } from '../../src/storage/store-names.ts'
import { makeDirectory, removeFile } from './files.ts'
import { entriesOf, isDirectory, listFiles, realInside, removeUnfinished, requireRoot, syncSoon } from './object-files.ts'
import { createObjectWriter } from './object-writer.ts'
import { ABSENT, NOT_REGULAR, openRegular, readExactly } from './regular-file.ts'
import { fromSystem, STORAGE_ERRORS, systemCode } from './system-error.ts'

/** The directory of one container, as Cinder's posix driver makes it; those above it follow the umask. */
const CONTAINER_MODE = 0o770
/** Older than any write in progress can be: each write renews a file's time. */
const ABANDONED_MS = 24 * 60 * 60 * 1000
/** Directories known to be swept; the set is emptied then, and some are swept again. */
const SWEPT_MAX = 1000

/** `place` need not exist until the first container is made. @throws InvalidConfigurationValue when it is empty: that would be the working directory */
export function createDirectoryObjects(place: string): ObjectStore {
  if (place === '') throw new BlockvaultError('InvalidConfigurationValue', 'The path of the object store is empty: give a directory.')
  const root = resolve(place)
  const writingFailed = (error: unknown, doing: string, name: string): BlockvaultError =>
    systemCode(error) === 'ENAMETOOLONG'
      ? new BlockvaultError('InvalidInput', `${name} has a part that is too long for a file's name in ${root}.`, { details: { object: name }, cause: error })
      : fromSystem(error, STORAGE_ERRORS, `${doing} ${name} in ${root}`, { object: name })
  const failed = (error: unknown, doing: string, name: string): BlockvaultError => {
    if (error instanceof BlockvaultError) return error
    const system = systemCode(error)
    if (ABSENT.includes(system)) return missing(name, error)
    if (NOT_REGULAR.includes(system)) return notAnObject(name, error)
    return writingFailed(error, doing, name)
  }
  /** Where a container, or a directory of objects in it, lies with its links resolved; `undefined` when it is absent. */
  const directoryOf = async (container: string, parts: readonly string[] = []): Promise<string | undefined> =>
    realInside(root, join(root, ...checkContainerName(container).split('/'), ...parts))
  const placeOf = async (container: string, name: string): Promise<string | undefined> => {
    const parts = checkStoredName(name).split('/')
    const directory = await directoryOf(container, parts.slice(0, -1))
    return directory === undefined ? undefined : join(directory, parts.at(-1) as string)
  }

  const swept = new Set<string>()
  const sweeping = new Set<Promise<void>>()
  const sweepOnce = (directory: string) => {
    if (swept.has(directory)) return
    if (swept.size >= SWEPT_MAX) swept.clear()
    swept.add(directory)
    const sweep = removeUnfinished(directory, async (path) => Date.now() - (await lstat(path)).mtimeMs > ABANDONED_MS).catch(() => {})
    sweeping.add(sweep)
    sweep.finally(() => sweeping.delete(sweep))
  }

  const store: ObjectStore = {
    description: root,
    async containerExists(container, { signal } = {}) {
      throwIfCancelled(signal)
      try {
        const directory = await directoryOf(container)
        return directory !== undefined && (await isDirectory(directory))
      } catch (error) {
        throw failed(error, 'Looking for container', container)
      }
    },
    async createContainer(container, options = {}) {
      if (await store.containerExists(container, options)) return
      const path = join(root, ...container.split('/'))
      try {
        await makeDirectory(path)
        if (!(await store.containerExists(container, options)))
          throw new BlockvaultError('STORAGE_FAILED', `${path} is no directory: move it away, or choose another container.`, { details: { container } })
        await chmod(path, CONTAINER_MODE)
      } catch (error) {
        throw fromSystem(error, STORAGE_ERRORS, `Making container ${container} in ${root}`, { container })
      }
    },
    async *containers({ signal } = {}) {
      const found: string[] = []
      const walk = async (parts: readonly string[]): Promise<void> => {
        throwIfCancelled(signal)
        const entries = await entriesOf(join(root, ...parts))
        if (entries.some((entry) => entry.isFile() && nameOfTemporary(entry.name) === undefined)) found.push(parts.join('/'))
        for (const entry of entries) if (entry.isDirectory() && isStoreName([...parts, entry.name].join('/'))) await walk([...parts, entry.name])
      }
      await requireRoot(root)
      await walk([])
      yield* found.sort()
    },
    async *list(container, prefix, { signal } = {}) {
      checkNamePrefix(prefix)
      throwIfCancelled(signal)
      await requireRoot(root)
      let directory: string | undefined
      try {
        directory = await directoryOf(container)
      } catch (error) {
        throw fromSystem(error, STORAGE_ERRORS, `Listing ${container} in ${root}`, { container })
      }
      if (directory !== undefined) yield* listFiles(directory, prefix, signal)
    },
    async create(container, name, { signal } = {}) {
      throwIfCancelled(signal)
      try {
        const parts = checkStoredName(name).split('/')
        const directory = await directoryOf(container)
        if (directory === undefined) throw containerMissing(container, root)
        let inner = await directoryOf(container, parts.slice(0, -1))
        if (inner === undefined) {
          inner = join(directory, ...parts.slice(0, -1))
          await makeDirectory(inner)
        }
        sweepOnce(inner)
        const path = join(inner, parts.at(-1) as string)
        // What would speak against the name only once everything is written.
        if (await isDirectory(path)) throw new BlockvaultError('STORAGE_FAILED', `${path} is a directory: move it away.`, { details: { object: name } })
        return await createObjectWriter({ path, signal, failed: (error) => writingFailed(error, 'Writing', name) })
      } catch (error) {
        throw writingFailed(error, 'Making', name)
      }
    },
    async open(container, name, { signal } = {}) {
      throwIfCancelled(signal)
      try {
        const path = await placeOf(container, name)
        if (path === undefined) throw missing(name)
        const { file, size } = await openRegular(path, name)
        return {
          size,
          async read(offset, length) {
            checkRange(offset, length)
            if (offset + length > size) throw endedEarly(name, size, offset + length)
            try {
              return await readExactly(file, name, offset, length)
            } catch (error) {
              throw failed(error, 'Reading', name)
            }
          },
          close: () => file.close(),
        }
      } catch (error) {
        throw failed(error, 'Opening', name)
      }
    },
    async delete(container, name, { signal } = {}) {
      throwIfCancelled(signal)
      try {
        const path = await placeOf(container, name)
        if (path === undefined) return
        await removeFile(path)
        await syncSoon(dirname(path))
      } catch (error) {
        if (!ABSENT.includes(systemCode(error))) throw fromSystem(error, STORAGE_ERRORS, `Deleting ${name} in ${root}`, { object: name })
      }
    },
    async deleteUnfinished(container, prefix, { signal, only = () => true } = {}) {
      throwIfCancelled(signal)
      const parts = checkNamePrefix(prefix).split('/').slice(0, -1)
      try {
        const directory = await directoryOf(container, parts)
        if (directory === undefined) return
        await removeUnfinished(directory, async (_path, object) => {
          const name = [...parts, object].join('/')
          return object !== '' && name.startsWith(prefix) && only(name)
        })
      } catch (error) {
        throw fromSystem(error, STORAGE_ERRORS, `Removing what is unfinished of ${prefix} in ${root}`, { container })
      }
    },
    async close() {
      await Promise.all(sweeping)
    },
    [Symbol.asyncDispose]: () => store.close(),
  }

  return store
}
