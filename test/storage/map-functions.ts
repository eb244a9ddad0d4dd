/** The four functions of an own storage, as little as will do: a Map. */
import type { StorageFunctions } from '../../src/storage/own-storage.ts'

export function mapFunctions(objects: Map<string, Uint8Array<ArrayBuffer>>): StorageFunctions {
  return {
    put: (name, bytes) => !objects.has(name) && (objects.set(name, bytes), true),
    get: (name, offset, length) => objects.get(name)?.subarray(offset, offset + length),
    list: () => [...objects].map(([name, { length }]) => ({ name, size: length })),
    delete: (name) => void objects.delete(name),
  }
}
