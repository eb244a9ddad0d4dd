/** A storage of four functions keeps what every backend keeps, and finds out functions that do not do their part. */
import { describe, expect, it } from 'vitest'
import type { MaybePromise } from '../../src/contract/volume.ts'
import { createStorage, type StorageFunctions } from '../../src/storage/own-storage.ts'
import { storageSuite } from '../suites/storage.ts'
import { mapFunctions } from './map-functions.ts'

storageSuite('four functions', async () => {
  const objects = new Map<string, Uint8Array<ArrayBuffer>>()
  return { storage: createStorage(mapFunctions(objects)), again: () => createStorage(mapFunctions(objects)) }
})

storageSuite('four slow functions', async () => {
  const objects = new Map<string, Uint8Array<ArrayBuffer>>()
  const functions = mapFunctions(objects)
  const later = <Result>(work: () => MaybePromise<Result>) => new Promise<void>((resolve) => setImmediate(resolve)).then(work)
  const slow = () =>
    createStorage({
      put: (...args) => later(() => functions.put(...args)),
      get: (...args) => later(() => functions.get(...args)),
      async *list() {
        for (const [name, { length }] of [...objects]) yield { name, size: length }
      },
      delete: (...args) => later(() => functions.delete(...args)),
    })
  return { storage: slow(), again: slow }
})

describe('functions that do not do their part', () => {
  const objects = new Map([['config', Uint8Array.of(1, 2, 3)]])
  const broken = (functions: Partial<Record<keyof StorageFunctions, unknown>>) =>
    createStorage({ ...mapFunctions(objects), ...functions } as StorageFunctions, { description: 'the broken one' })
  const failed = (message: string) => expect.objectContaining({ code: 'STORAGE_FAILED', message: expect.stringContaining(message) })
  const all = async (storage: ReturnType<typeof createStorage>, prefix = '') => {
    const names: string[] = []
    for await (const { name } of storage.list(prefix)) names.push(name)
    return names
  }

  it('are found out when put replaces', async () => {
    const storage = broken({ put: (name: string, bytes: Uint8Array<ArrayBuffer>) => (objects.set(name, bytes), true) })
    await expect(storage.put('backups/one', [Uint8Array.of(1)])).rejects.toEqual(failed('replaces objects'))
  })

  it('are tried out once, with a small object, and its bytes stay', async () => {
    const puts: number[] = []
    const { put } = mapFunctions(new Map())
    const storage = broken({ put: (name: string, bytes: Uint8Array<ArrayBuffer>) => (puts.push(bytes.length), put(name, bytes, {})) })
    await storage.put('packs/aa/large', [new Uint8Array(2 ** 20 + 1)])
    await storage.put('backups/one', [Uint8Array.of(1)])
    await storage.put('backups/two', [Uint8Array.of(1, 2)])
    expect(puts).toEqual([2 ** 20 + 1, 1, 1, 2])
  })

  it('are found out when they answer something else', async () => {
    await expect(broken({ put: () => undefined }).put('backups/one', [])).rejects.toEqual(failed('does not say whether it stored'))
    await expect(broken({ get: () => 'text' }).get('config', { bytesMax: 9 })).rejects.toEqual(failed('gave no bytes'))
    await expect(broken({ get: () => new Uint8Array(10) }).getRange('config', 0, 2)).rejects.toEqual(failed('gave 10 bytes of config where 2 were asked for'))
    await expect(all(broken({ list: () => [{ name: 'config', size: -1 }] }))).rejects.toEqual(failed('lists what is no object'))
    await expect(all(broken({ list: () => ['config'] }))).rejects.toEqual(failed('lists what is no object'))
  })

  it('keep what they throw as the cause, and their own codes', async () => {
    const cause = new Error('connection reset')
    const storage = broken({
      put: () => Promise.reject(cause),
      get: () => Promise.reject(cause),
      list: () => Promise.reject(cause),
      delete: () => Promise.reject(cause),
    })
    const code = { code: 'STORAGE_FAILED', cause }
    await expect(storage.put('config', [])).rejects.toMatchObject({ ...code, message: 'The storage failed storing config (the broken one).' })
    await expect(storage.get('config', { bytesMax: 9 })).rejects.toMatchObject(code)
    await expect(all(storage)).rejects.toMatchObject(code)
    await expect(storage.delete('config')).rejects.toMatchObject(code)
    const { BlockvaultError } = await import('../../src/contract/errors.ts')
    const full = new BlockvaultError('STORAGE_FULL', 'No space.')
    await expect(broken({ put: () => Promise.reject(full) }).put('config', [])).rejects.toBe(full)
  })

  it('throw in the middle of a list, or because they were cancelled', async () => {
    const storage = broken({
      async *list() {
        yield { name: 'config', size: 1 }
        throw new Error('connection reset')
      },
    })
    await expect(all(storage)).rejects.toEqual(failed('failed listing'))
    const stop = new AbortController()
    const hanging = broken({
      get: (_name: string, _offset: number, _length: number, { signal }: { signal: AbortSignal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    })
    const read = hanging.get('config', { bytesMax: 9, signal: stop.signal })
    stop.abort()
    await expect(read).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  it('list what is no object of a repository, which is passed over', async () => {
    const list = () => ['config', 'packs/ab/one', 'Thumbs.db', '../config', 'tmp/one', ''].map((name) => ({ name, size: 1 }))
    expect(await all(broken({ list }))).toEqual(['config', 'packs/ab/one'])
    expect(await all(broken({ list }), 'packs/')).toEqual(['packs/ab/one'])
  })

  it('are closed once', async () => {
    let closed = 0
    const storage = createStorage(mapFunctions(objects), { close: () => void closed++ })
    await Promise.all([storage.close(), storage.close(), storage[Symbol.asyncDispose]()])
    expect(closed).toBe(1)
  })
})
