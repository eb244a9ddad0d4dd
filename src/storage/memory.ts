/** Objects in memory: for tests, and for a caller that moves them elsewhere itself. */
import { throwIfCancelled } from '../contract/errors.ts'
import type { StorageBackend } from '../contract/storage.ts'
import { concatBytes } from '../core/bytes.ts'
import { checkObjectName, checkPrefix, checkRange, endedEarly, exists, missing, tooLong } from './object-errors.ts'

/** `objects` may be handed in: the storage then shows what is in it, and keeps everything there. */
export function createMemoryStorage(objects: Map<string, Uint8Array<ArrayBuffer>> = new Map()): StorageBackend {
  const find = (name: string): Uint8Array<ArrayBuffer> => {
    const bytes = objects.get(checkObjectName(name))
    if (!bytes) throw missing(name)
    return bytes
  }
  const storage: StorageBackend = {
    description: 'memory',
    async put(name, parts, { signal } = {}) {
      throwIfCancelled(signal)
      if (objects.has(checkObjectName(name))) throw exists(name)
      objects.set(name, concatBytes(parts))
    },
    async get(name, { bytesMax, signal }) {
      throwIfCancelled(signal)
      const bytes = find(name)
      if (bytes.length > bytesMax) throw tooLong(name, bytes.length, bytesMax)
      return bytes.slice()
    },
    async getRange(name, offset, length, { signal } = {}) {
      throwIfCancelled(signal)
      checkRange(offset, length)
      const bytes = find(name)
      if (offset + length > bytes.length) throw endedEarly(name, bytes.length, offset + length)
      return bytes.slice(offset, offset + length)
    },
    async *list(prefix, { signal } = {}) {
      checkPrefix(prefix)
      for (const [name, bytes] of [...objects]) {
        throwIfCancelled(signal)
        if (name.startsWith(prefix)) yield { name, size: bytes.length }
      }
    },
    async delete(name, { signal } = {}) {
      throwIfCancelled(signal)
      objects.delete(checkObjectName(name))
    },
    async close() {},
    [Symbol.asyncDispose]: () => storage.close(),
  }
  return storage
}
