/** What every object store keeps (src/contract/object-store.ts). A store passes with `objectStoreSuite(name, make)`. */
import { randomInt } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ObjectStore } from '../../src/contract/object-store.ts'

export interface ObjectStoreUnderTest {
  store: ObjectStore
  /** Another handle on the same place, as another process has it. */
  again(): ObjectStore
}

const bytes = (...values: number[]): Uint8Array<ArrayBuffer> => Uint8Array.of(...values)
const code = (expected: string) => expect.objectContaining({ name: 'BlockvaultError', code: expected })

export async function putObject(store: ObjectStore, container: string, name: string, ...parts: Uint8Array[]): Promise<void> {
  const writer = await store.create(container, name)
  for (const part of parts) await writer.write(part)
  await writer.finish()
}

export async function wholeObject(store: ObjectStore, container: string, name: string): Promise<Uint8Array> {
  const reader = await store.open(container, name)
  try {
    return await reader.read(0, reader.size)
  } finally {
    await reader.close()
  }
}

export function objectStoreSuite(name: string, make: () => Promise<ObjectStoreUnderTest>): void {
  describe(`the ${name} object store`, () => {
    let place: ObjectStoreUnderTest
    let store: ObjectStore
    beforeEach(async () => {
      place = await make()
      store = place.store
      await store.createContainer('c')
      return () => store.close()
    })
    const put = (object: string, ...parts: Uint8Array[]) => putObject(store, 'c', object, ...parts)
    const whole = (object: string, from = store) => wholeObject(from, 'c', object)
    const listed = async (prefix: string, container = 'c', from = store) => {
      const found: [string, number][] = []
      for await (const { name: object, size } of from.list(container, prefix)) found.push([object, size])
      return found
    }
    const containers = async (from = store) => {
      const found: string[] = []
      for await (const container of from.containers()) found.push(container)
      return found
    }

    describe('a container', () => {
      it('is there once it is made, for every handle, however deep its name and however often it is made', async () => {
        for (const container of ['39/25/39254f43', 'volumebackups', 'a b.c', 'ä😀']) {
          expect(await store.containerExists(container)).toBe(false)
          await store.createContainer(container)
          await place.again().createContainer(container)
          expect(await place.again().containerExists(container)).toBe(true)
          await putObject(store, container, 'object', bytes(1))
          await store.createContainer(container)
          expect(await wholeObject(place.again(), container, 'object')).toEqual(bytes(1))
        }
      })

      it('is listed when it holds an object, in name order', async () => {
        for (const container of ['b', 'a/b', 'a-b', 'a/a/a', 'empty', 'a']) await store.createContainer(container)
        for (const container of ['b', 'a/b', 'a-b', 'a/a/a']) await putObject(store, container, 'object', bytes(1))
        expect(await containers(place.again())).toEqual(['a-b', 'a/a/a', 'a/b', 'b'])
      })

      it('that is absent holds nothing, and takes nothing', async () => {
        expect(await listed('', 'absent')).toEqual([])
        await expect(store.create('absent', 'object')).rejects.toEqual(code('OBJECT_MISSING'))
        await expect(store.open('absent', 'object')).rejects.toEqual(code('OBJECT_MISSING'))
        await store.delete('absent', 'object')
        await store.deleteUnfinished('absent', 'object')
        expect(await store.containerExists('absent')).toBe(false)
      })

      it('keeps its objects apart from those of others', async () => {
        await store.createContainer('d')
        await put('object', bytes(1))
        await putObject(store, 'd', 'object', bytes(2, 2))
        expect(await whole('object')).toEqual(bytes(1))
        await store.delete('c', 'object')
        expect(await listed('')).toEqual([])
        expect(await wholeObject(store, 'd', 'object')).toEqual(bytes(2, 2))
      })
    })

    describe('a writer', () => {
      it('appends in order, keeps no reference, and shows the object when it finishes', async () => {
        const writer = await store.create('c', 'volume_1')
        const part = bytes(1, 2, 3)
        await writer.write(part)
        part.fill(9)
        await writer.write(bytes())
        await writer.write(bytes(4))
        expect(await listed('')).toEqual([])
        expect(await listed('', 'c', place.again())).toEqual([])
        await expect(store.open('c', 'volume_1')).rejects.toEqual(code('OBJECT_MISSING'))
        await writer.finish()
        expect(await whole('volume_1', place.again())).toEqual(bytes(1, 2, 3, 4))
      })

      it('takes objects longer than any buffer, in parts of any length', { timeout: 30_000 }, async () => {
        const seed = randomInt(2 ** 31)
        let state = seed
        const next = (below: number) => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % below
        const content = new Uint8Array(10 * 2 ** 20 + 4321)
        for (let at = 0; at < content.length; at += 61) content[at] = at >> 7
        const writer = await store.create('c', 'long')
        for (let at = 0; at < content.length; ) {
          const length = [1, 4096, 65_536, 1_000_003, 4 << 20, 5 << 20][next(6)] as number
          await writer.write(content.subarray(at, at + length))
          at += length
        }
        await writer.finish()
        expect(Buffer.compare(await whole('long'), content), `seed ${seed}`).toBe(0)
        await put('exact', content.subarray(0, 4 << 20), content.subarray(4 << 20, 8 << 20))
        expect(Buffer.compare(await whole('exact'), content.subarray(0, 8 << 20))).toBe(0)
      })

      it('makes an empty object, and one whose name has directories', async () => {
        await put('empty')
        await put('volume_1/20240101000000/az_nova_backup_2-00001', bytes(1))
        expect(await whole('empty')).toEqual(bytes())
        expect(await whole('volume_1/20240101000000/az_nova_backup_2-00001')).toEqual(bytes(1))
      })

      it('replaces an object of its name only when it finishes', async () => {
        await put('object', bytes(1))
        const writer = await store.create('c', 'object')
        await writer.write(bytes(2, 2))
        expect(await whole('object')).toEqual(bytes(1))
        await writer.finish()
        expect(await whole('object')).toEqual(bytes(2, 2))
        expect(await listed('')).toEqual([['object', 2]])
      })

      it('that is discarded leaves nothing, before or after it wrote; after it finished, everything', async () => {
        await put('kept', bytes(1))
        for (const parts of [[], [bytes(1)], [new Uint8Array(5 << 20)]]) {
          const writer = await store.create('c', 'kept')
          for (const part of parts) await writer.write(part)
          await writer.discard()
          await writer.discard()
          await expect(writer.write(bytes(1))).rejects.toEqual(code('CLOSED'))
          await expect(writer.finish()).rejects.toEqual(code('CLOSED'))
        }
        const writer = await store.create('c', 'finished')
        await writer.write(bytes(5))
        await writer.finish()
        await writer.discard()
        await expect(writer.write(bytes(1))).rejects.toEqual(code('CLOSED'))
        expect(await listed('')).toEqual([
          ['finished', 1],
          ['kept', 1],
        ])
        expect(await whole('kept')).toEqual(bytes(1))
      })

      it('beside others mixes no bytes', async () => {
        const writers = await Promise.all(Array.from({ length: 6 }, (_, each) => store.create('c', `object-${each}`)))
        for (let round = 0; round < 6; round++) await Promise.all(writers.map((writer, each) => writer.write(new Uint8Array(900_001).fill(each * 16 + round))))
        await writers[0]?.discard()
        await Promise.all(writers.slice(1).map((writer) => writer.finish()))
        for (let each = 1; each < 6; each++) {
          const expected = Buffer.concat(Array.from({ length: 6 }, (_, round) => Buffer.alloc(900_001, each * 16 + round)))
          expect(Buffer.compare(await whole(`object-${each}`), expected)).toBe(0)
        }
        expect((await listed('')).map(([object]) => object)).toEqual([1, 2, 3, 4, 5].map((each) => `object-${each}`))
      })

      it('ends when its signal fires', async () => {
        await expect(store.create('c', 'object', { signal: AbortSignal.abort() })).rejects.toEqual(code('CANCELLED'))
        const controller = new AbortController()
        const writer = await store.create('c', 'object', { signal: controller.signal })
        await writer.write(bytes(1))
        controller.abort()
        await expect(writer.write(bytes(1))).rejects.toEqual(code('CANCELLED'))
        await expect(writer.finish()).rejects.toEqual(code('CANCELLED'))
        await writer.discard()
        expect(await listed('')).toEqual([])
      })
    })

    describe('a reader', () => {
      it('gives exactly the range, as a copy of its own', async () => {
        await put('object', bytes(0, 1, 2, 3, 4, 5, 6, 7, 8, 9))
        const reader = await store.open('c', 'object')
        expect(reader.size).toBe(10)
        for (let offset = 0; offset <= 10; offset++) {
          for (let length = 0; offset + length <= 10; length++) {
            const range = await reader.read(offset, length)
            expect(range).toEqual(Uint8Array.from({ length }, (_, index) => offset + index))
            expect(range.buffer.byteLength, 'owns its buffer').toBe(length)
            range.fill(99)
          }
        }
        await reader.close()
      })

      it('never gives less, and refuses what is no range', async () => {
        await put('object', new Uint8Array(10))
        const reader = await store.open('c', 'object')
        for (const [offset, length] of [
          [0, 11],
          [9, 2],
          [11, 0],
          [2 ** 40, 1],
        ] as const)
          await expect(reader.read(offset, length), `${offset}+${length}`).rejects.toMatchObject({ code: 'OBJECT_DAMAGED', details: { object: 'object' } })
        for (const [offset, length] of [
          [-1, 1],
          [0, -1],
          [0.5, 1],
          [Number.NaN, 1],
          [0, Number.POSITIVE_INFINITY],
        ] as const)
          await expect(reader.read(offset, length), `${offset}+${length}`).rejects.toEqual(code('INTERNAL'))
        await reader.close()
      })

      it('rejects with OBJECT_MISSING where nothing is, and names the object', async () => {
        await put('a/object', bytes(1))
        for (const absent of ['other', 'a', 'a/other', 'a/object/more'])
          await expect(store.open('c', absent), absent).rejects.toMatchObject({ code: 'OBJECT_MISSING', details: { object: absent } })
      })
    })

    describe('list', () => {
      it('gives what begins with the prefix, in name order, with its length', async () => {
        const names = ['v-00001', 'v-00002', 'v-00010', 'v-100000', 'v_metadata', 'v/a', 'v/b/b', 'v/b-', 'v.', 'v2-00001', 'w', 'u', 'V']
        for (const [length, object] of names.entries()) await put(object, new Uint8Array(length))
        const expected = (prefix: string) =>
          names
            .flatMap((object, length) => (object.startsWith(prefix) ? [[object, length]] : []))
            .sort(([left], [right]) => ((left as string) < (right as string) ? -1 : 1))
        for (const prefix of ['', 'v', 'v-', 'v-0000', 'v/', 'v/b', 'v/b/', 'v/b/b', 'v2-00001', 'x', 'v-00001x', 'v/x/', 'v-00001/'])
          expect(await listed(prefix, 'c', place.again()), prefix).toEqual(expected(prefix))
      })

      it('gives thousands of objects', { timeout: 60_000 }, async () => {
        const names = Array.from({ length: 2100 }, (_, object) => `volume_1_backup_2-${String(object + 1).padStart(5, '0')}`)
        for (let at = 0; at < names.length; at += 100) await Promise.all(names.slice(at, at + 100).map((object) => put(object, bytes(1))))
        await put('volume_1_backup_3-00001', bytes(1))
        expect((await listed('volume_1_backup_2-')).map(([object]) => object)).toEqual(names)
      })

      it('goes on beside writes and deletes', async () => {
        for (let object = 0; object < 20; object++) await put(`v-${object}`, bytes(1))
        const seen = new Set<string>()
        for await (const { name: object } of store.list('c', 'v-')) {
          seen.add(object)
          if (seen.size === 1) await Promise.all(Array.from({ length: 10 }, (_, each) => store.delete('c', `v-${each}`)))
          if (seen.size === 2) await put('v-new', bytes(1))
        }
        for (let object = 10; object < 20; object++) expect(seen).toContain(`v-${object}`)
      })
    })

    describe('delete', () => {
      it('removes the object and no other, and its name is free again', async () => {
        for (const object of ['v-00001', 'v-000010', 'v', 'd/v']) await put(object, bytes(1))
        await store.delete('c', 'v')
        await store.delete('c', 'd/v')
        await expect(whole('v')).rejects.toEqual(code('OBJECT_MISSING'))
        expect((await listed('')).map(([object]) => object)).toEqual(['v-00001', 'v-000010'])
        await put('v', bytes(3))
        expect(await whole('v')).toEqual(bytes(3))
      })

      it('is no error for what is absent, and removes no directory of objects', async () => {
        await put('d/v', bytes(1))
        for (const absent of ['other', 'd', 'd/other', 'd/v/more', 'none/of/these']) await store.delete('c', absent)
        expect(await listed('')).toEqual([['d/v', 1]])
        await store.delete('c', 'd/v')
        expect(await store.containerExists('c')).toBe(true)
      })

      it('of what is unfinished leaves every object, and the unfinished ones that are not meant', async () => {
        await put('v-00001', bytes(1))
        const other = await store.create('c', 'v2-00001')
        const meant = await store.create('c', 'v-00002')
        const spared = await store.create('c', 'v-00003')
        await other.write(bytes(1))
        await spared.write(bytes(1))
        await place.again().deleteUnfinished('c', 'v-', { only: (object) => object !== 'v-00003' })
        await other.finish()
        await spared.finish()
        await meant.discard()
        expect((await listed('')).map(([object]) => object)).toEqual(['v-00001', 'v-00003', 'v2-00001'])
      })
    })

    it('refuses names that could lead out or that nobody can tell apart, in every call', async () => {
      const escapes = ['..', '../x', 'a/../b', 'a/..', '/a', '/', 'a//b', './a', 'a/.', 'a\0', 'a\n', 'a\x1b[2J', 'a\x7f', 'a\x85', 'a\ud800', 'é'.repeat(600)]
      for (const wrong of [...escapes, 'a/']) {
        const shown = JSON.stringify(wrong)
        const refused = code('InvalidInput')
        await expect(store.containerExists(wrong), `containerExists ${shown}`).rejects.toEqual(refused)
        await expect(store.createContainer(wrong), `createContainer ${shown}`).rejects.toEqual(refused)
        await expect(listed('', wrong), `list ${shown}`).rejects.toEqual(refused)
        for (const [container, object] of [
          [wrong, 'object'],
          ['c', wrong],
        ] as const) {
          await expect(store.create(container, object), `create ${shown}`).rejects.toEqual(refused)
          await expect(store.open(container, object), `open ${shown}`).rejects.toEqual(refused)
          await expect(store.delete(container, object), `delete ${shown}`).rejects.toEqual(refused)
        }
        await expect(store.deleteUnfinished(wrong, 'v'), `deleteUnfinished ${shown}`).rejects.toEqual(refused)
      }
      for (const prefix of ['../', '/', 'a/../', 'a//', './', '../../etc/passwd', 'a\0']) {
        await expect(listed(prefix), `list by ${prefix}`).rejects.toEqual(code('InvalidInput'))
        await expect(store.deleteUnfinished('c', prefix), `deleteUnfinished by ${prefix}`).rejects.toEqual(code('InvalidInput'))
      }
      await expect(store.create('c', ''), 'the empty name').rejects.toEqual(code('InvalidInput'))
      expect(await listed('')).toEqual([])
      expect(await containers()).toEqual([])
    })

    it('takes names of many scripts, of spaces and of dots', async () => {
      const names = ['az_a b_backup', '..a', 'a..', '...', '%2e%2e', 'ä', 'é', '備份', '😀', 'quote\'"', '~', '*', '-rf', 'con.', 'a:b']
      for (const object of names) await put(object, bytes(1))
      expect((await listed('')).map(([object]) => object)).toEqual([...names].sort())
      for (const object of names) expect(await whole(object)).toEqual(bytes(1))
    })

    it('hears the signal in every call', async () => {
      await put('object', bytes(1))
      const signal = AbortSignal.abort()
      const first = async (from: AsyncIterable<unknown>) => {
        for await (const _ of from) return
      }
      for (const call of [
        () => store.containerExists('c', { signal }),
        () => store.createContainer('d', { signal }),
        () => first(store.containers({ signal })),
        () => first(store.list('c', '', { signal })),
        () => store.create('c', 'other', { signal }),
        () => store.open('c', 'object', { signal }),
        () => store.delete('c', 'object', { signal }),
        () => store.deleteUnfinished('c', 'o', { signal }),
      ])
        await expect(call()).rejects.toEqual(code('CANCELLED'))
      expect(await listed('')).toEqual([['object', 1]])
      expect(await store.containerExists('d')).toBe(false)
    })

    it('closes more than once, and says where it is', async () => {
      expect(store.description).not.toBe('')
      await store.close()
      await store[Symbol.asyncDispose]()
    })
  })
}
