/** What every storage backend keeps (src/contract/storage.ts). A backend passes with `storageSuite(name, make)`. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { StorageBackend } from '../../src/contract/storage.ts'
import { same } from './bytes.ts'

export interface StorageUnderTest {
  storage: StorageBackend
  /** Another handle on the same place, as another process has it. */
  again(): StorageBackend
}

const bytes = (...values: number[]): Uint8Array<ArrayBuffer> => Uint8Array.of(...values)
const code = (expected: string) => expect.objectContaining({ name: 'BlockvaultError', code: expected })

export function storageSuite(name: string, make: () => Promise<StorageUnderTest>): void {
  describe(`the ${name} storage`, () => {
    let place: StorageUnderTest
    let storage: StorageBackend
    beforeEach(async () => {
      place = await make()
      storage = place.storage
      return () => storage.close()
    })
    const listed = async (prefix: string, from = storage) => {
      const objects: Record<string, number> = {}
      for await (const object of from.list(prefix)) {
        expect(objects[object.name], `${object.name} is listed once`).toBeUndefined()
        objects[object.name] = object.size
      }
      return objects
    }
    const whole = (object: string, from = storage) => from.get(object, { bytesMax: 1 << 20 })

    describe('put', () => {
      it('stores the parts one behind the other, for every handle on the place', async () => {
        await storage.put('packs/ab/one', [bytes(1, 2), bytes(), bytes(3)])
        expect(await whole('packs/ab/one')).toEqual(bytes(1, 2, 3))
        expect(await whole('packs/ab/one', place.again())).toEqual(bytes(1, 2, 3))
      })

      it('stores empty objects, and more parts than one system call takes', async () => {
        await storage.put('empty', [])
        await storage.put(
          'parts',
          Array.from({ length: 3000 }, (_, part) => bytes(part % 251)),
        )
        expect(await whole('empty')).toEqual(bytes())
        expect(await whole('parts')).toEqual(Uint8Array.from({ length: 3000 }, (_, part) => part % 251))
      })

      it('keeps no reference to the parts', async () => {
        const part = bytes(1, 2, 3)
        await storage.put('object', [part])
        part.fill(9)
        expect(await whole('object')).toEqual(bytes(1, 2, 3))
      })

      it('never replaces an object', async () => {
        await storage.put('object', [bytes(1)])
        await expect(storage.put('object', [bytes(2, 2)])).rejects.toEqual(code('OBJECT_EXISTS'))
        await expect(place.again().put('object', [bytes(1)])).rejects.toEqual(code('OBJECT_EXISTS'))
        expect(await whole('object')).toEqual(bytes(1))
        expect(await listed('')).toEqual({ object: 1 })
      })

      it('lets one of many at once win, and shows its bytes whole', async () => {
        const contents = Array.from({ length: 8 }, (_, writer) => new Uint8Array(100_000 + writer).fill(writer))
        const results = await Promise.allSettled(contents.map((content) => place.again().put('object', [content])))
        const won = results.flatMap(({ status }, writer) => (status === 'fulfilled' ? [writer] : []))
        expect(won).toHaveLength(1)
        expect(same(await whole('object'), contents[won[0]!]!)).toBe(true)
        for (const result of results) if (result.status === 'rejected') expect(result.reason).toEqual(code('OBJECT_EXISTS'))
      })

      it('shows nothing of an object that was cancelled, before or on the way', async () => {
        await expect(storage.put('object', [bytes(1)], { signal: AbortSignal.abort() })).rejects.toEqual(code('CANCELLED'))
        expect(await listed('')).toEqual({})
        const controller = new AbortController()
        const put = storage.put('object', [new Uint8Array(1 << 20)], { signal: controller.signal })
        queueMicrotask(() => controller.abort())
        const stored = await put.then(
          () => true,
          (error: unknown) => (expect(error).toEqual(code('CANCELLED')), false),
        )
        expect(await listed('')).toEqual(stored ? { object: 1 << 20 } : {})
        await place.again().put(stored ? 'other' : 'object', [bytes(1)])
      })
    })

    describe('get', () => {
      it('gives the whole object, as a copy of its own', async () => {
        await storage.put('object', [bytes(1, 2, 3)])
        const first = await whole('object')
        first.fill(0)
        expect(await whole('object')).toEqual(bytes(1, 2, 3))
      })

      it('rejects with OBJECT_MISSING where nothing is, and names the object', async () => {
        await storage.put('packs/ab/one', [bytes(1)])
        for (const absent of ['packs/ab/two', 'packs/ab', 'packs', 'other', 'packs/ab/one/more']) {
          await expect(whole(absent), absent).rejects.toMatchObject({ code: 'OBJECT_MISSING', details: { object: absent } })
        }
      })

      it('rejects an object that is longer than the caller takes, without reading it', async () => {
        await storage.put('object', [bytes(1, 2, 3)])
        expect(await storage.get('object', { bytesMax: 3 })).toEqual(bytes(1, 2, 3))
        await expect(storage.get('object', { bytesMax: 2 })).rejects.toMatchObject({ code: 'OBJECT_DAMAGED', details: { object: 'object' } })
      })
    })

    describe('getRange', () => {
      it('gives exactly the range, as a copy of its own', async () => {
        await storage.put('object', [bytes(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)])
        for (let offset = 0; offset <= 10; offset++) {
          for (let length = 0; offset + length <= 10; length++) {
            const range = await storage.getRange('object', offset, length)
            expect(range).toEqual(Uint8Array.from({ length }, (_, index) => offset + index))
            expect(range.buffer.byteLength, 'owns its buffer').toBe(length)
            range.fill(99)
          }
        }
      })

      it('rejects with OBJECT_DAMAGED when the object ends before, and never gives less', async () => {
        await storage.put('object', [new Uint8Array(10)])
        await storage.put('empty', [])
        for (const [object, offset, length] of [
          ['object', 0, 11],
          ['object', 9, 2],
          ['object', 10, 1],
          ['object', 11, 1],
          ['object', 2 ** 40, 1],
          ['empty', 0, 1],
        ] as const) {
          await expect(storage.getRange(object, offset, length), `${offset}+${length}`).rejects.toMatchObject({ code: 'OBJECT_DAMAGED', details: { object } })
        }
      })

      it('rejects with OBJECT_MISSING where nothing is', async () => {
        await storage.put('packs/ab/one', [bytes(1)])
        for (const absent of ['packs/ab/two', 'packs/ab', 'other']) await expect(storage.getRange(absent, 0, 1), absent).rejects.toEqual(code('OBJECT_MISSING'))
      })

      it('refuses what is no range', async () => {
        await storage.put('object', [new Uint8Array(10)])
        for (const [offset, length] of [
          [-1, 1],
          [0, -1],
          [0.5, 1],
          [0, 1.5],
          [Number.NaN, 1],
          [0, Number.POSITIVE_INFINITY],
          [2 ** 53, 1],
        ] as const) {
          await expect(storage.getRange('object', offset, length), `${offset}+${length}`).rejects.toEqual(code('INTERNAL'))
        }
      })
    })

    describe('list', () => {
      it('gives every object under a prefix, with its length, and none beside it', async () => {
        for (const object of ['config', 'keys/one', 'packs/aa/one', 'packs/ab/two', 'packs-old/aa/one', 'pack']) await storage.put(object, [bytes(1, 2)])
        await storage.put('packs/ab/three', [])
        expect(await listed('packs/')).toEqual({ 'packs/aa/one': 2, 'packs/ab/two': 2, 'packs/ab/three': 0 })
        expect(await listed('packs/ab/')).toEqual({ 'packs/ab/two': 2, 'packs/ab/three': 0 })
        expect(Object.keys(await listed('', place.again()))).toHaveLength(7)
        expect(await listed('nothing/')).toEqual({})
        expect(await listed('config/')).toEqual({})
      })

      it('shows an object as soon as it is stored, and no longer once it is deleted', async () => {
        await storage.put('backups/one', [bytes(1)])
        expect(await listed('backups/', place.again())).toEqual({ 'backups/one': 1 })
        await storage.delete('backups/one')
        expect(await listed('backups/', place.again())).toEqual({})
      })

      it('gives more than a thousand objects', async () => {
        const names = Array.from({ length: 1203 }, (_, object) => `packs/${(object % 7).toString(16)}/${object}`)
        await Promise.all(names.map((object) => storage.put(object, [bytes(1)])))
        expect(Object.keys(await listed('packs/')).sort()).toEqual([...names].sort())
      }, 60_000)

      it('goes on beside puts and deletes', async () => {
        for (let object = 0; object < 20; object++) await storage.put(`index/${object}`, [bytes(1)])
        const seen = new Set<string>()
        for await (const { name } of storage.list('index/')) {
          seen.add(name)
          if (seen.size === 1) await Promise.all(Array.from({ length: 10 }, (_, object) => storage.delete(`index/${object}`)))
          if (seen.size === 2) await storage.put('index/new', [bytes(1)])
        }
        for (let object = 10; object < 20; object++) expect(seen).toContain(`index/${object}`)
      })

      it('hears the signal', async () => {
        await storage.put('index/one', [bytes(1)])
        const list = async (signal: AbortSignal) => {
          for await (const _ of storage.list('', { signal })) {
            // to the end
          }
        }
        await expect(list(AbortSignal.abort())).rejects.toEqual(code('CANCELLED'))
        await list(new AbortController().signal)
      })
    })

    describe('delete', () => {
      it('removes the object and no other; its name is free again', async () => {
        await storage.put('backups/one', [bytes(1)])
        await storage.put('backups/one-two', [bytes(2)])
        await storage.delete('backups/one')
        await expect(whole('backups/one')).rejects.toEqual(code('OBJECT_MISSING'))
        expect(await listed('')).toEqual({ 'backups/one-two': 1 })
        await storage.put('backups/one', [bytes(3)])
        expect(await whole('backups/one')).toEqual(bytes(3))
      })

      it('is no error for a name that is absent, so that it can be tried again', async () => {
        await storage.put('packs/ab/one', [bytes(1)])
        for (const absent of ['other', 'packs/ab/two', 'none/of/these', 'packs/ab/one/more', 'packs']) await storage.delete(absent)
        expect(await listed('')).toEqual({ 'packs/ab/one': 1 })
      })

      it('leaves the object when it was cancelled before', async () => {
        await storage.put('object', [bytes(1)])
        await expect(storage.delete('object', { signal: AbortSignal.abort() })).rejects.toEqual(code('CANCELLED'))
        expect(await listed('')).toEqual({ object: 1 })
      })
    })

    it('refuses names outside the grammar, in every call', async () => {
      const names = [
        '',
        '.',
        '..',
        '../x',
        'a/../b',
        '/a',
        '/',
        'a/',
        'a//b',
        'a/b/c/d/e',
        'A',
        'a b',
        'a.b',
        'a\\b',
        'a\0',
        'ä',
        '%2e%2e',
        'a\n',
        `a${'b'.repeat(64)}`,
        'a/.',
        'con.',
        'a:b',
        '~',
        '*',
        'tmp',
        'tmp/one',
      ]
      for (const name of names) {
        const shown = JSON.stringify(name)
        await expect(storage.put(name, [bytes(1)]), `put ${shown}`).rejects.toEqual(code('INTERNAL'))
        await expect(storage.get(name, { bytesMax: 10 }), `get ${shown}`).rejects.toEqual(code('INTERNAL'))
        await expect(storage.getRange(name, 0, 1), `getRange ${shown}`).rejects.toEqual(code('INTERNAL'))
        await expect(storage.delete(name), `delete ${shown}`).rejects.toEqual(code('INTERNAL'))
      }
      for (const prefix of ['..', '../', '/', 'a', 'a/../', '../../etc/', 'a//', './', 'A/', 'tmp/']) {
        await expect(listed(prefix), `list ${JSON.stringify(prefix)}`).rejects.toEqual(code('INTERNAL'))
      }
      expect(await listed('')).toEqual({})
    })

    it('hears the signal when it reads', async () => {
      await storage.put('object', [bytes(1)])
      const signal = AbortSignal.abort()
      await expect(storage.get('object', { bytesMax: 10, signal })).rejects.toEqual(code('CANCELLED'))
      await expect(storage.getRange('object', 0, 1, { signal })).rejects.toEqual(code('CANCELLED'))
    })

    it('closes more than once, and says where it is', async () => {
      expect(storage.description).not.toBe('')
      await storage.close()
      await storage[Symbol.asyncDispose]()
    })
  })
}
