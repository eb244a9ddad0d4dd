/** Storages that fail. Each wraps a healthy one and counts its calls. */
import { BlockvaultError } from '../../../src/contract/errors.ts'
import type { StorageBackend } from '../../../src/contract/storage.ts'

export type StorageMethod = 'put' | 'get' | 'getRange' | 'list' | 'delete'

export interface StorageCall {
  /** From 1. */
  number: number
  method: StorageMethod
  name: string
}

export interface Watch {
  /** Before the call has any effect; what it throws, the call rejects with. */
  before?(call: StorageCall): void | Promise<void>
  /** After its effect. */
  after?(call: StorageCall): void | Promise<void>
}

export function watched(inner: StorageBackend, { before, after }: Watch): StorageBackend {
  let calls = 0
  const run = async <Result>(method: StorageMethod, name: string, work: () => Promise<Result>): Promise<Result> => {
    const call = { number: ++calls, method, name }
    await before?.(call)
    const result = await work()
    await after?.(call)
    return result
  }
  return {
    description: inner.description,
    put: (name, parts, options) => run('put', name, () => inner.put(name, parts, options)),
    get: (name, options) => run('get', name, () => inner.get(name, options)),
    getRange: (name, offset, length, options) => run('getRange', name, () => inner.getRange(name, offset, length, options)),
    async *list(prefix, options) {
      await run('list', prefix, async () => {})
      yield* inner.list(prefix, options)
    },
    delete: (name, options) => run('delete', name, () => inner.delete(name, options)),
    close: () => inner.close(),
    [Symbol.asyncDispose]: () => inner.close(),
  }
}

/**
 * How a storage fails at its `at`-th call: `once` and is well again; `dead` from then on, as after `kill -9` or a lost
 * network; `landed`: dead from then on too, but that call had its effect.
 */
export type FailureMode = 'once' | 'dead' | 'landed'

export interface FailingStorage {
  storage: StorageBackend
  /** True once the failure has happened: when it has not, the work needs fewer calls. */
  failed(): boolean
}

export function failing(inner: StorageBackend, at: number, mode: FailureMode): FailingStorage {
  let failed = false
  const fail = (call: StorageCall) => {
    failed = true
    throw new BlockvaultError('STORAGE_FAILED', `The test let ${call.method} ${call.name} fail.`)
  }
  const storage = watched(inner, {
    before(call) {
      if (mode === 'landed' ? call.number > at : mode === 'once' ? call.number === at : call.number >= at) fail(call)
    },
    after(call) {
      if (mode === 'landed' && call.number === at) fail(call)
    },
  })
  return { storage, failed: () => failed }
}
