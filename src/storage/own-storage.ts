/**
 * A storage backend made of four functions: what a database, a cloud client or another program's store needs to hold a repository.
 *
 * Invariant: the functions see valid names and ranges only, and what they give is not believed. The names' grammar, bounds, missing
 * objects, whole ranges, copies, cancellation and error codes are kept here; atomic, durable, write-once puts only the functions can keep.
 */
import { BlockvaultError, throwIfCancelled } from '../contract/errors.ts'
import type { StorageBackend, StorageOptions, StoredObject } from '../contract/storage.ts'
import type { MaybePromise } from '../contract/volume.ts'
import { concatBytes } from '../core/bytes.ts'
import { checkObjectName, checkPrefix, checkRange, endedEarly, exists, isObjectName, missing, nothingAt, tooLong } from './object-errors.ts'

/**
 * Each may be called many times at once, and may throw anything: STORAGE_FAILED with that as its cause, a `BlockvaultError` as it is,
 * CANCELLED when the signal has fired. Names keep to `OBJECT_NAME`: lower-case letters, digits, `-` and at most three `/`.
 */
export interface StorageFunctions {
  /**
   * Stores all of `bytes` (10 MiB mostly; they are the function's to keep) and gives true; gives false, and changes nothing, where an object
   * of this name exists. Of two at once one wins. True means that the object survives a power cut; when it throws, or the process dies
   * inside it, no part of the object is seen.
   */
  put(name: string, bytes: Uint8Array<ArrayBuffer>, options: StorageOptions): MaybePromise<boolean>
  /**
   * The bytes of the object from `offset` on: `length` of them, or fewer when the object ends before, as `offset` may lie beyond its end
   * and `length` go far beyond it. `undefined` or `null` where there is no such object.
   */
  get(name: string, offset: number, length: number, options: StorageOptions): MaybePromise<Uint8Array | undefined | null>
  /** Every object whose name starts with `prefix`, once, in any order. Others may be among them: they are passed over. */
  list(prefix: string, options: StorageOptions): MaybePromise<Iterable<StoredObject> | AsyncIterable<StoredObject>>
  /** Removes the object. An absent one is no error. */
  delete(name: string, options: StorageOptions): MaybePromise<void>
}

/** What else a storage of one's own has. */
export interface OwnStorageOptions {
  /** Where it is, for messages; without secrets. `a storage of your own` by default. */
  description?: string | undefined
  /** Called once, when the repository or storage is closed. */
  close?: (() => MaybePromise<void>) | undefined
}

/** An object of at most this length is put twice once, to see that the second time is refused. */
const TRIAL_BYTES_MAX = 1024 * 1024

/**
 * A storage for repositories out of four functions. What only they can keep stands at each. The first small object is put twice: an object that
 * can be replaced is STORAGE_FAILED.
 */
export function createStorage(functions: StorageFunctions, options: OwnStorageOptions = {}): StorageBackend {
  const { description = 'a storage of your own' } = options
  let tried = false
  let closed: Promise<void> | undefined

  const failed = (what: string, cause?: unknown) => new BlockvaultError('STORAGE_FAILED', `The storage ${what} (${description}).`, { cause })
  /** The function's outcome; whatever it throws has a code. */
  const ask = async <Result>(doing: string, signal: AbortSignal | undefined, work: () => MaybePromise<Result>): Promise<Result> => {
    throwIfCancelled(signal)
    try {
      return await work()
    } catch (error) {
      throwIfCancelled(signal)
      throw error instanceof BlockvaultError ? error : failed(`failed ${doing}`, error)
    }
  }
  const put = async (name: string, bytes: Uint8Array<ArrayBuffer>, signal: AbortSignal | undefined): Promise<boolean> => {
    const stored: unknown = await ask(`storing ${name}`, signal, () => functions.put(name, bytes, { signal }))
    if (typeof stored !== 'boolean') throw failed(`does not say whether it stored ${name}: put gives true, or false where the name is taken`)
    return stored
  }
  /** At most `length` bytes, in a buffer of their own: who gave them may keep theirs. */
  const get = async (name: string, offset: number, length: number, signal: AbortSignal | undefined): Promise<Uint8Array<ArrayBuffer>> => {
    const bytes: unknown = await ask(`reading ${name}`, signal, () => functions.get(checkObjectName(name), offset, length, { signal }))
    if (bytes === undefined || bytes === null) throw missing(name)
    if (!(bytes instanceof Uint8Array)) throw failed(`gave no bytes for ${name}: get gives a Uint8Array`)
    if (bytes.length > length) throw failed(`gave ${bytes.length} bytes of ${name} where ${length} were asked for`)
    return new Uint8Array(bytes)
  }

  const storage: StorageBackend = {
    description,
    async put(name, parts, { signal } = {}) {
      checkObjectName(name)
      // Copies: the parts are the caller's again when this settles, and the trial's are not those that the first call may have changed.
      const bytes = concatBytes(parts)
      const again = tried || bytes.length > TRIAL_BYTES_MAX ? undefined : bytes.slice()
      if (!(await put(name, bytes, signal))) throw exists(name)
      if (!again) return
      // What fails here fails no put: the object is stored.
      const replaced = await put(name, again, undefined).catch(() => undefined)
      if (replaced === true) throw failed(`replaces objects that exist (${name}): put must give false where the name is taken`)
      tried ||= replaced === false
    },
    async get(name, { bytesMax, signal }) {
      const bytes = await get(name, 0, bytesMax + 1, signal)
      if (bytes.length > bytesMax) throw tooLong(name, bytes.length, bytesMax)
      return bytes
    },
    async getRange(name, offset, length, { signal } = {}) {
      checkRange(offset, length)
      // Of an empty range it is only asked whether the object reaches so far.
      const before = length === 0 && offset > 0 ? 1 : 0
      const bytes = await get(name, offset - before, Math.max(1, length), signal)
      if (bytes.length < before + length) {
        if (bytes.length === 0 && offset > 0) throw nothingAt(name, offset, offset + length)
        throw endedEarly(name, offset - before + bytes.length, offset + length)
      }
      return length === 0 ? new Uint8Array(0) : bytes
    },
    async *list(prefix, { signal } = {}) {
      checkPrefix(prefix)
      try {
        for await (const { name, size } of await ask(`listing ${prefix}`, signal, () => functions.list(prefix, { signal }))) {
          throwIfCancelled(signal)
          if (typeof name !== 'string' || !Number.isSafeInteger(size) || size < 0) throw failed('lists what is no object: list gives { name, size }')
          if (name.startsWith(prefix) && isObjectName(name)) yield { name, size }
        }
      } catch (error) {
        throwIfCancelled(signal)
        throw error instanceof BlockvaultError ? error : failed(`failed listing ${prefix}`, error)
      }
    },
    async delete(name, { signal } = {}) {
      checkObjectName(name)
      await ask(`deleting ${name}`, signal, () => functions.delete(name, { signal }))
    },
    close: () => (closed ??= (async () => options.close?.())()),
    [Symbol.asyncDispose]: () => storage.close(),
  }
  return storage
}
