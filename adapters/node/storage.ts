/**
 * Objects as files in a local directory.
 *
 * `put`: write under a random name in `tmp/` → fsync → link under its own name, failing if that is taken → fsync of the
 * directory. `tmp/` is outside every listing; what a crash leaves there is removed a day later.
 */
import { randomUUID } from 'node:crypto'
import { open, readdir, rm, stat } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { BlockvaultError, throwIfCancelled } from '../../src/contract/errors.ts'
import type { StorageBackend, StoredObject } from '../../src/contract/storage.ts'
import { checkObjectName, checkPrefix, checkRange, endedEarly, exists, missing, notAnObject, tooLong } from '../../src/storage/object-errors.ts'
import { writeDirect } from './direct-write.ts'
import { linkExclusive, makeDirectory, removeFile, syncDirectory } from './files.ts'
import { ABSENT, NOT_REGULAR, type OpenFile, openRegular, readExactly } from './regular-file.ts'
import { fromSystem, STORAGE_ERRORS, systemCode } from './system-error.ts'

const TEMPORARY = 'tmp'
/** Older than any write in progress can be. */
const ABANDONED_MS = 24 * 60 * 60 * 1000

/** Objects as files below the directory `root`: a file is synced before it has its name, and no name is ever given twice. */
export function createDirectoryStorage(root: string): StorageBackend {
  const pathOf = (name: string) => join(root, ...checkObjectName(name).split('/'))
  const failed = (error: unknown, doing: string, name: string): BlockvaultError => {
    const system = systemCode(error)
    if (ABSENT.includes(system)) return missing(name, error)
    if (NOT_REGULAR.includes(system)) return notAnObject(name, error)
    return fromSystem(error, STORAGE_ERRORS, `${doing} ${name} in ${root}`, { object: name })
  }
  const made = new Set<string>()
  const makeOnce = async (path: string): Promise<void> => {
    if (made.has(path)) return
    await makeDirectory(path)
    made.add(path)
  }
  let swept: Promise<void> | undefined

  const storage: StorageBackend = {
    description: root,
    async put(name, parts, { signal } = {}) {
      const path = pathOf(name)
      const temporary = join(root, TEMPORARY, randomUUID())
      throwIfCancelled(signal)
      try {
        await makeOnce(dirname(temporary))
        await makeOnce(dirname(path))
        swept ??= sweep(join(root, TEMPORARY)).catch(() => {})
        try {
          if (!(await writeDirect(temporary, parts))) await writeCached(temporary, parts)
          throwIfCancelled(signal)
          await linkExclusive(temporary, path).catch((error: unknown) => {
            throw systemCode(error) === 'EEXIST' ? exists(name, error) : error
          })
        } catch (error) {
          await rm(temporary, { force: true })
          throw error
        }
        await syncDirectory(dirname(path))
      } catch (error) {
        throw fromSystem(error, STORAGE_ERRORS, `Writing ${name} to ${root}`, { object: name })
      }
    },
    async get(name, { bytesMax, signal }) {
      throwIfCancelled(signal)
      try {
        const { file, size } = await openRegular(pathOf(name), name)
        try {
          if (size > bytesMax) throw tooLong(name, size, bytesMax)
          return await readExactly(file, name, 0, size)
        } finally {
          await file.close()
        }
      } catch (error) {
        throw error instanceof BlockvaultError ? error : failed(error, 'Reading', name)
      }
    },
    async getRange(name, offset, length, { signal } = {}) {
      throwIfCancelled(signal)
      checkRange(offset, length)
      try {
        const { file, size } = await openRegular(pathOf(name), name)
        try {
          if (offset + length > size) throw endedEarly(name, size, offset + length)
          return await readExactly(file, name, offset, length)
        } finally {
          await file.close()
        }
      } catch (error) {
        throw error instanceof BlockvaultError ? error : failed(error, 'Reading', name)
      }
    },
    async *list(prefix, { signal } = {}): AsyncGenerator<StoredObject> {
      yield* walk(root, checkPrefix(prefix).split('/').slice(0, -1), signal)
    },
    async delete(name, { signal } = {}) {
      throwIfCancelled(signal)
      const path = pathOf(name)
      try {
        await removeFile(path)
        await syncDirectory(dirname(path))
      } catch (error) {
        if (!ABSENT.includes(systemCode(error))) throw fromSystem(error, STORAGE_ERRORS, `Deleting ${name} in ${root}`, { object: name })
      }
    },
    async close() {
      await swept
    },
    [Symbol.asyncDispose]: () => storage.close(),
  }
  return storage
}

async function writeCached(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await writeAll(file, parts)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** `writev` may write less than asked (a signal, a nearly full disk): goes on from there until an error says why. */
async function writeAll(file: OpenFile, parts: readonly Uint8Array[]): Promise<void> {
  /** IOV_MAX is 1024 on Linux. */
  const partsMax = 512
  let rest = parts.filter(({ length }) => length > 0)
  while (rest.length > 0) {
    let { bytesWritten } = await file.writev(rest.slice(0, partsMax))
    let whole = 0
    while (whole < rest.length && bytesWritten >= (rest[whole] as Uint8Array).length) bytesWritten -= (rest[whole++] as Uint8Array).length
    rest = rest.slice(whole)
    const [first] = rest
    if (first && bytesWritten > 0) rest[0] = first.subarray(bytesWritten)
  }
}

/** Files under `parts`, foreign ones too, so that somebody else's folder is seen for what it is; `tmp/` is not listed. */
async function* walk(root: string, parts: readonly string[], signal: AbortSignal | undefined): AsyncGenerator<StoredObject> {
  throwIfCancelled(signal)
  const directory = join(root, ...parts)
  let entries: Awaited<ReturnType<typeof readEntries>>
  try {
    entries = await readEntries(directory)
  } catch (error) {
    const system = systemCode(error)
    if (system === 'ENOENT' || (system === 'ENOTDIR' && parts.length > 0)) return
    if (system === 'ENOTDIR') throw new BlockvaultError('REPOSITORY_INVALID', `${root} is not a directory: a repository is one.`, { cause: error })
    throw fromSystem(error, STORAGE_ERRORS, `Listing ${directory}`)
  }
  for (const entry of entries) {
    const name = [...parts, entry.name].join('/')
    if (entry.isDirectory()) {
      if (!(parts.length === 0 && entry.name === TEMPORARY) && parts.length < 3) yield* walk(root, [...parts, entry.name], signal)
      continue
    }
    if (!entry.isFile()) continue
    const found = await stat(join(directory, entry.name)).catch(() => undefined)
    if (found) yield { name, size: found.size }
  }
}

function readEntries(directory: string) {
  return readdir(directory, { withFileTypes: true })
}

/** One that can not be removed, or is gone meanwhile, keeps none of the others. */
async function sweep(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = `${directory}${sep}${name}`
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }))
    if (Date.now() - mtimeMs > ABANDONED_MS) await rm(path, { force: true }).catch(() => {})
  }
}
