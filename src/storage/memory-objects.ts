/**
 * Containers and objects in memory: for tests, and for a caller that moves them elsewhere itself.
 *
 * Invariant: bytes that went in or come out are copies; nobody outside can alter an object.
 */
import { throwIfCancelled } from '../contract/errors.ts'
import type { ObjectReader, ObjectStore, ObjectWriter } from '../contract/object-store.ts'
import { concatBytes } from '../core/bytes.ts'
import { checkRange, containerMissing, endedEarly, missing, writerClosed } from './object-errors.ts'
import { checkContainerName, checkNamePrefix, checkStoredName } from './store-names.ts'

/** Containers by name, objects by name in each. */
export type MemoryContainers = Map<string, Map<string, Uint8Array<ArrayBuffer>>>

/** `places` may be handed in: the store then shows what is in it, and keeps everything there. */
export function createMemoryObjects(places: MemoryContainers = new Map()): ObjectStore {
  const find = (container: string) => places.get(checkContainerName(container))
  const store: ObjectStore = {
    description: 'memory',
    async containerExists(container, { signal } = {}) {
      throwIfCancelled(signal)
      return find(container) !== undefined
    },
    async createContainer(container, { signal } = {}) {
      throwIfCancelled(signal)
      if (!find(container)) places.set(container, new Map())
    },
    async *containers({ signal } = {}) {
      for (const [container, { size }] of sorted(places)) {
        throwIfCancelled(signal)
        if (size > 0) yield container
      }
    },
    async *list(container, prefix, { signal } = {}) {
      checkNamePrefix(prefix)
      throwIfCancelled(signal)
      for (const [name, { length }] of sorted(find(container) ?? new Map<string, Uint8Array>())) {
        throwIfCancelled(signal)
        if (name.startsWith(prefix)) yield { name, size: length }
      }
    },
    async create(container, name, { signal } = {}) {
      throwIfCancelled(signal)
      checkStoredName(name)
      const objects = find(container)
      if (!objects) throw containerMissing(container, store.description)
      return writer((bytes) => objects.set(name, bytes), signal)
    },
    async open(container, name, { signal } = {}) {
      throwIfCancelled(signal)
      const bytes = find(container)?.get(checkStoredName(name))
      if (!bytes) throw missing(name)
      return reader(name, bytes)
    },
    async delete(container, name, { signal } = {}) {
      throwIfCancelled(signal)
      checkStoredName(name)
      find(container)?.delete(name)
    },
    /** What is not finished is in its writer alone. */
    async deleteUnfinished(container, prefix, { signal } = {}) {
      throwIfCancelled(signal)
      checkContainerName(container)
      checkNamePrefix(prefix)
    },
    async close() {},
    [Symbol.asyncDispose]: () => store.close(),
  }
  return store
}

function writer(keep: (bytes: Uint8Array<ArrayBuffer>) => void, signal: AbortSignal | undefined): ObjectWriter {
  let parts: Uint8Array[] | undefined = []
  return {
    async write(bytes) {
      throwIfCancelled(signal)
      if (!parts) throw writerClosed()
      parts.push(bytes.slice())
    },
    async finish() {
      throwIfCancelled(signal)
      if (!parts) throw writerClosed()
      keep(concatBytes(parts))
      parts = undefined
    },
    async discard() {
      parts = undefined
    },
  }
}

function reader(name: string, bytes: Uint8Array<ArrayBuffer>): ObjectReader {
  return {
    size: bytes.length,
    async read(offset, length) {
      checkRange(offset, length)
      if (offset + length > bytes.length) throw endedEarly(name, bytes.length, offset + length)
      return bytes.slice(offset, offset + length)
    },
    async close() {},
  }
}

function sorted<Value>(map: ReadonlyMap<string, Value>): [string, Value][] {
  return [...map].sort(([left], [right]) => (left < right ? -1 : 1))
}
