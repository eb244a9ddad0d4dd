/** Backups that are stopped, cancelled or fail anywhere: nothing of them stays, and nothing of anybody else goes. */
import { truncateSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { writeBackup } from '../../src/cinder/write-backup.ts'
import { BlockvaultError } from '../../src/contract/errors.ts'
import type { ObjectStore } from '../../src/contract/object-store.ts'
import type { Port } from '../../src/contract/port.ts'
import { createPool } from '../../src/io/pool.ts'
import { openVolumeFile } from '../../src/io/volume-file.ts'
import { createMemoryObjects, type MemoryContainers } from '../../src/storage/memory-objects.ts'
import { startWorker } from '../io/support/worker.ts'
import { coded, codeOf } from '../repository/support/repositories.ts'
import { noise, numbers, SEED } from '../repository/support/random.ts'
import { fileOf, handleOf } from '../repository/support/volumes.ts'
import { type BackUpOptions, backUp, CONTAINER, memberAt, portsOf, randomVolume, writeOptions } from './support/engine.ts'
import { prefixOf } from './support/manifests.ts'
import { naiveHashes, naiveRead } from './support/naive.ts'
import { watchedObjects } from './support/watched-objects.ts'

const inline = await portsOf(0)
const workers = await portsOf(2)
afterAll(() => Promise.all([...inline, ...workers].map((port) => port.close())))
const MIB = 1024 * 1024
const volume = randomVolume(SEED, 900_000)
const later = volume.slice()
later.set(noise(SEED, 200_000), 100_000)
later.fill(0, 500_000, 600_000)

/** A store with a full backup of `volume`, and with objects whose names begin as those of backup 2 will. */
async function storeWithNeighbours() {
  const containers: MemoryContainers = new Map()
  const store = createMemoryObjects(containers)
  await backUp(volume, { store, ports: inline, number: 1 })
  const objects = containers.get(CONTAINER)!
  for (const name of [`${prefixOf(2)}0-00001`, `${prefixOf(2)}-00001.tmp`, `${prefixOf(2)}_metadata.old`, `${prefixOf(2)}-1`, `${prefixOf(2)}-a-00002`])
    objects.set(name, new Uint8Array(7))
  return { store, names: () => [...objects.keys()].sort() }
}

type Options = Partial<BackUpOptions>
/** Backs `later` up on the full backup and returns the code it fails with: CLOSED when it was stopped. */
async function attempt(store: ObjectStore, ports: readonly Port[], options: Options, source?: Parameters<typeof writeOptions>[1]) {
  const backup = async () => {
    const file = source ?? (await openVolumeFile(createPool(ports), fileOf(later), { mode: 'read' }))
    try {
      const written = await writeBackup(writeOptions({ store, ports, number: 2, compression: 'zlib', ...options }, file))
      if (!written) throw new BlockvaultError('CLOSED', 'stopped')
    } finally {
      await file.close()
    }
  }
  return codeOf(backup())
}

for (const [crew, ports] of [
  ['the calling thread', inline],
  ['workers', workers],
] as const) {
  describe(`a backup by ${crew}`, () => {
    it(`that is cancelled at any call to the store leaves nothing behind (seed ${SEED})`, { timeout: 120_000 }, async () => {
      const { store, names } = await storeWithNeighbours()
      const before = names()
      let calls = 0
      for (let at = 1; ; at += 1 + (at >> 2)) {
        const abort = new AbortController()
        calls = 0
        const watched = watchedObjects(store, { before: () => void (++calls === at && abort.abort(new Error('enough'))) })
        const code = await attempt(watched, ports, { signal: abort.signal, parent: at % 2 })
        if (calls < at) {
          expect(code).toBeUndefined()
          break
        }
        // The last call of all is one that nothing can come after.
        expect(['CANCELLED', undefined], `call ${at}`).toContain(code)
        if (code === undefined) break
        expect(names(), `call ${at}`).toEqual(before)
      }
      expect(calls).toBeGreaterThan(20)
    })

    it('that is told to stop at any question returns nothing, and leaves nothing behind', { timeout: 60_000 }, async () => {
      const { store, names } = await storeWithNeighbours()
      const before = names()
      for (const parent of [0, 1]) {
        for (let at = 1; ; at++) {
          let questions = 0
          const code = await attempt(store, ports, { parent, objectBytes: 40_960, goesOn: async () => ++questions < at })
          if (questions < at) {
            expect(code).toBeUndefined()
            expect(at, 'a question for each read unit, at least').toBeGreaterThan(parent === 0 ? 22 : 1)
            break
          }
          expect(code).toBe('CLOSED')
          expect(names()).toEqual(before)
        }
        await removeBackup(store, 2)
      }
    })

    it('whose store fails at any call fails with its error, and leaves nothing behind', { timeout: 120_000 }, async () => {
      const { store, names } = await storeWithNeighbours()
      const before = names()
      for (let at = 1; ; at += 1 + (at >> 2)) {
        let calls = 0
        const failing = watchedObjects(store, {
          before({ method }) {
            if (++calls === at && method !== 'delete') throw new BlockvaultError('STORAGE_FULL', 'The test let it be full.')
          },
        })
        const code = await attempt(failing, ports, { parent: at % 2 })
        if (calls < at) {
          expect(code).toBeUndefined()
          break
        }
        expect(code, `call ${at}`).toBe('STORAGE_FULL')
        expect(names(), `call ${at}`).toEqual(before)
      }
    })

    it('whose volume can not be read, or shrinks, fails and leaves nothing behind', async () => {
      const { store, names } = await storeWithNeighbours()
      const before = names()
      for (const parent of [0, 1]) {
        for (const at of [0, 300_000, 899_999]) {
          const broken = {
            ...handleOf(later),
            async readAt(offset: number, length: number) {
              if (offset + length > at) throw new BlockvaultError('SOURCE_READ_FAILED', 'A bad sector.', { details: { offset: at } })
              return later.slice(offset, offset + length)
            },
          }
          expect(await attempt(store, ports, { parent }, broken)).toBe('SOURCE_READ_FAILED')
          expect(await attempt(store, ports, { parent }, { ...handleOf(later.subarray(0, at)), size: later.length })).toBe('SOURCE_CHANGED')
          const path = fileOf(later)
          const file = await openVolumeFile(createPool(ports), path, { mode: 'read' })
          truncateSync(path, at)
          expect(await attempt(store, ports, { parent }, file)).toBe('SOURCE_CHANGED')
          expect(names()).toEqual(before)
        }
      }
    })
  })
}

async function removeBackup(store: ObjectStore, number: number): Promise<void> {
  const names: string[] = []
  for await (const { name } of store.list(CONTAINER, prefixOf(number))) if (/(-\d{5}|_metadata|_sha256file)$/.test(name)) names.push(name)
  for (const name of names) if (name.startsWith(`${prefixOf(number)}-0`) || name.startsWith(`${prefixOf(number)}_`)) await store.delete(CONTAINER, name)
}

describe('a backup', () => {
  it('whose worker dies fails with WORKER_FAILED and leaves nothing behind', { timeout: 60_000 }, async () => {
    const { store, names } = await storeWithNeighbours()
    const before = names()
    for (let at = 1; at < 40; at += 4) {
      const [dying, other] = [startWorker(), startWorker()]
      let calls = 0
      const call: Port['call'] = (operation, argument, transfer) => {
        const answer = dying.port.call(operation, argument, transfer)
        if (++calls === at) void dying.kill()
        return answer
      }
      const code = await attempt(store, [{ ...dying.port, call }, other.port], { parent: at % 8 === 1 ? 0 : 1 })
      if (calls >= at) expect(['WORKER_FAILED', undefined]).toContain(code)
      if (code === undefined) await removeBackup(store, 2)
      expect(names(), `call ${at}`).toEqual(before)
      await other.port.close()
    }
  })

  it('says so when what it stored can not be removed', async () => {
    const { store } = await storeWithNeighbours()
    let finished = 0
    const dead = watchedObjects(store, {
      before({ method }) {
        if (method === 'finish') finished++
        if (finished > 3) throw new BlockvaultError('STORAGE_FAILED', 'The test cut the network.')
      },
    })
    const file = handleOf(later)
    await expect(writeBackup(writeOptions({ store: dead, ports: inline, number: 2, parent: 0 }, file))).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringMatching(/The test cut the network\. \d+ objects that it had stored could not be removed from backups/),
      details: { container: CONTAINER, left: expect.any(Number) },
    })
  })

  it('whose volume metadata can not be had leaves nothing behind', async () => {
    const { store, names } = await storeWithNeighbours()
    const before = names()
    const volumeMeta = async () => {
      throw new BlockvaultError('VolumeNotFound', 'gone')
    }
    expect(await attempt(store, inline, { volumeMeta })).toBe('VolumeNotFound')
    expect(names()).toEqual(before)
  })

  it('makes its data durable before the hashes, and these before the manifest', async () => {
    const { store } = await storeWithNeighbours()
    const finished: string[] = []
    const watched = watchedObjects(store, {
      after({ method, name }) {
        if (method === 'finish') finished.push(name.replace(prefixOf(2), ''))
      },
    })
    await backUp(later, { store: watched, ports: workers, number: 2, parent: 0, compression: 'zlib' })
    const data = Array.from({ length: 14 }, (_, index) => `-${String(index + 1).padStart(5, '0')}`)
    expect(finished.slice(0, -2).sort()).toEqual(data)
    expect(finished.slice(-2)).toEqual(['_sha256file', '_metadata'])
  })
})

describe('what speaks against a backup is found before anything is stored', () => {
  const refused = async (code: string, options: Options, source = handleOf(later)) => {
    const { store, names } = await storeWithNeighbours()
    const before = names()
    const watched = watchedObjects(store, {
      before({ method, name }) {
        if (method === 'create') throw new Error(`${name} was created`)
      },
    })
    await expect(writeBackup(writeOptions({ store: watched, ports: inline, number: 2, ...options }, source))).rejects.toEqual(coded(code))
    expect(names()).toEqual(before)
  }

  it('sizes', async () => {
    await refused('InvalidBackup', { objectBytes: 65_537 })
    for (const blockBytes of [0, -1, 1.5, Number.NaN, 65 * MIB]) await refused('InvalidConfigurationValue', { blockBytes, objectBytes: 65 * MIB })
    await refused('InvalidConfigurationValue', { objectBytes: 65 * 1024 ** 3 })
  })

  it('names', async () => {
    for (const container of ['../other', '/etc', 'a//b', 'a\nb', '']) await refused('InvalidInput', { container })
    for (const prefix of ['../other', '/etc', 'a//b', 'a\nb', '']) await refused('InvalidInput', { prefix })
  })

  it('a prefix that is in use', () => refused('InvalidBackup', { prefix: prefixOf(1), parent: 0 }))

  it('a parent with other blocks, a smaller parent, another parent, none', async () => {
    await refused('InvalidBackup', { blockBytes: 8192 })
    await refused('InvalidBackup', {}, handleOf(randomVolume(1, 901_121)))
    await refused('InvalidBackup', {}, handleOf(randomVolume(1, 2_000_000)))
    await refused('OBJECT_MISSING', { parent: 3 })
  })
})

describe('a volume that changes while it is read', () => {
  /** Gives other bytes each time a place is read. */
  const restless = (bytes: number, kind: (seed: number, length: number) => Uint8Array<ArrayBuffer>) => {
    let reads = 0
    return { ...handleOf(new Uint8Array(bytes)), readAt: async (_offset: number, length: number) => kind(SEED + reads++, length) }
  }
  const consistent = async (store: ObjectStore, number: number, blockBytes: number) => {
    const { objects, sha256s } = await naiveRead(store, CONTAINER, prefixOf(number))
    for (const { offset, plain } of objects)
      expect(sha256s.slice(offset / blockBytes, Math.ceil((offset + plain.length) / blockBytes)), `the object at ${offset}`).toEqual(
        naiveHashes(plain, blockBytes),
      )
    return objects
  }

  it('is stored as it was hashed, also when an object is written again because it did not get smaller', async () => {
    const store = createMemoryObjects()
    await store.createContainer(CONTAINER)
    const sizes = { objectBytes: 5 * MIB, blockBytes: 32_768 }
    for (const compression of ['zlib', 'zstd'] as const) {
      await writeBackup(writeOptions({ store, ports: workers, number: 1, compression, ...sizes }, restless(10 * MIB, noise)))
      const objects = await consistent(store, 1, sizes.blockBytes)
      expect(objects.map(({ compression }) => compression)).toEqual(['none', 'none'])
      await removeBackup(store, 1)
    }
  })

  it('is stored as it was hashed in an incremental, which reads what changed twice', async () => {
    const store = createMemoryObjects()
    await backUp(new Uint8Array(600_000), { store, ports: workers, number: 1 })
    const source = restless(600_000, (seed, length) => randomVolume(seed, length))
    await writeBackup(writeOptions({ store, ports: workers, number: 2, compression: 'zlib' }, source))
    expect((await consistent(store, 2, 4096)).length).toBeGreaterThan(2)
  })
})

describe('progress', () => {
  for (const parent of [0, 1]) {
    it(`of ${parent ? 'an incremental' : 'a full'} backup goes up to the length of the volume, and tells what was new and stored`, async () => {
      const store = createMemoryObjects()
      await backUp(volume, { store, ports: inline, number: 1 })
      const seen: { doneBytes: number; totalBytes: number; newBytes: number; storedBytes: number }[] = []
      let clock = 0
      const below = numbers(SEED)
      await backUp(later, {
        store,
        ports: workers,
        number: 2,
        parent,
        compression: 'zlib',
        now: () => (clock += below(200)),
        onProgress: (progress) => void seen.push(progress),
      })
      const { manifest } = await memberAt(store, 2)
      const lengths = [...manifest.objects].map(({ length }) => length!)
      for (const [index, { doneBytes }] of seen.entries()) expect(doneBytes).toBeGreaterThanOrEqual(seen[index - 1]?.doneBytes ?? 0)
      expect(seen.at(-1)).toMatchObject({ phase: 'backup', doneBytes: later.length, totalBytes: later.length })
      expect(seen.at(-1)!.newBytes).toBe(lengths.reduce((sum, length) => sum + length, 0))
      expect(seen.at(-1)!.storedBytes).toBe((await naiveRead(store, CONTAINER, prefixOf(2))).objects.reduce((sum, { storedBytes }) => sum + storedBytes, 0))
    })
  }
})
