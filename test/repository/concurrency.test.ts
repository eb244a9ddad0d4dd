/** Jobs side by side: in one repository object, in two on one storage, and while another process writes. */
import { describe, expect, it } from 'vitest'
import type { StorageBackend } from '../../src/contract/storage.ts'
import { initRepository, openRepository } from '../../src/repository/open.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { coded, copyOf, newRepository, opened, platform, type TestRepository } from './support/repositories.ts'
import { noise, numbers, SEED } from './support/random.ts'
import { watched } from './support/storages.ts'
import { fileOf, handleOf, restored, spread, volumeOf } from './support/volumes.ts'
import { platform as workers } from './support/worker-platform.ts'

const MIB = 1024 * 1024
const same = (left: Uint8Array, right: Uint8Array) => Buffer.compare(left, right) === 0
const volumes = Array.from({ length: 4 }, (_, number) => volumeOf(5 * MIB, [...spread(1, 3 * MIB, 20), { offset: 4 * MIB, bytes: noise(number, 300_000) }]))
const [first, second] = volumes as [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>]

/** A storage whose calls take a while, another one each time: what runs at once gets mixed thoroughly. */
function slow(inner: StorageBackend, seed: number): StorageBackend {
  const below = numbers(seed)
  const wait = () => new Promise<void>((done) => (below(2) ? setTimeout(done, below(5)) : setImmediate(done)))
  return watched(inner, { before: wait, after: wait })
}

async function whole(repository: TestRepository, expected: ReadonlyMap<string, Uint8Array>): Promise<void> {
  await opened(repository, async (open) => {
    expect((await open.list()).map(({ id }) => id).sort()).toEqual([...expected.keys()].sort())
    for (const [id, volume] of expected) expect(same(await restored(open, id), volume)).toBe(true)
    expect((await open.verify({ readData: true })).errors).toEqual([])
  })
}

describe('two processes on one storage', () => {
  it.each([
    ['the same volume', [first, first]],
    ['volumes that share content', [first, second]],
  ])(`back %s up at once, and all of it restores (seed ${SEED})`, async (_, pair) => {
    for (let round = 0; round < 6; round++) {
      const repository = await newRepository({ encryption: round % 2 === 0 })
      const results = await Promise.all(
        pair.map((volume, number) =>
          opened(repository, (open) => open.backup(handleOf(volume)), { storage: slow(createMemoryStorage(repository.objects), SEED + round * 2 + number) }),
        ),
      )
      await whole(repository, new Map(results.map(({ id }, number) => [id, pair[number]!])))
      if (pair[0] === pair[1]) expect(results[0]!.digest).toBe(results[1]!.digest)
      const again = await opened(repository, (open) => open.backup(handleOf(first)))
      expect(again).toMatchObject({ newBytes: 0, storedBytes: 0 })
    }
  })

  it('see at once what the other one stored, and share it', async () => {
    const repository = await newRepository()
    await opened(repository, (one) =>
      opened(repository, async (other) => {
        await one.backup(handleOf(first))
        expect(await other.backup(handleOf(first))).toMatchObject({ newBytes: 0, storedBytes: 0 })
        const { id } = await other.backup(handleOf(second))
        expect(same(await restored(one, id), second)).toBe(true)
        await other.delete([id])
        expect((await one.list()).map((backup) => backup.id)).not.toContain(id)
      }),
    )
  })

  it('restore what the other one commits while a job here is reading the index', async () => {
    const repository = await newRepository()
    await opened(repository, (open) => open.backup(handleOf(first)))
    let reached = () => {}
    const reading = new Promise<void>((resolve) => (reached = resolve))
    let release = () => {}
    const released = new Promise<void>((resolve) => (release = resolve))
    let held = false
    const storage = watched(createMemoryStorage(repository.objects), {
      async before({ method, name }) {
        if (held || method !== 'get' || !name.startsWith('index/')) return
        held = true
        reached()
        await released
      },
    })
    await opened(
      repository,
      async (open) => {
        const verifying = open.verify()
        await reading // It has listed indexes and packs by now, and waits.
        const { id } = await opened(repository, (other) => other.backup(handleOf(second)))
        const bytes = restored(open, id)
        setTimeout(release, 20)
        expect(same(await bytes, second)).toBe(true)
        expect((await verifying).errors).toEqual([])
      },
      { storage },
    )
  })

  it('make one repository when both init at once', async () => {
    for (let round = 0; round < 10; round++) {
      const objects = new Map<string, Uint8Array<ArrayBuffer>>()
      const options = { credentials: { key: noise(1, 32) }, workers: 0 }
      const results = await Promise.allSettled(
        [1, 2].map((number) => initRepository(platform, slow(createMemoryStorage(objects), SEED + round * 2 + number), options)),
      )
      expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
      for (const result of results) if (result.status === 'rejected') expect(result.reason).toEqual(coded('REPOSITORY_EXISTS'))
      // The loser's key slot stays behind. It is for a repository that never was, and hinders nobody.
      const open = await openRepository(platform, createMemoryStorage(objects), options)
      const { id } = await open.backup(handleOf(first))
      expect(same(await restored(open, id), first)).toBe(true)
      await open.close()
    }
  })
})

describe('a repository that is made', () => {
  it.each(['before', 'after'])('while another looks for its config is found, or is not there yet: %s it lists', async (moment) => {
    const objects = new Map<string, Uint8Array<ArrayBuffer>>()
    const options = { credentials: { key: noise(1, 32) }, workers: 0 }
    const make = async () => void (await initRepository(platform, createMemoryStorage(objects), options))
    const inner = createMemoryStorage(objects)
    const storage: StorageBackend = {
      ...inner,
      async *list(prefix, given) {
        if (moment === 'before' && prefix === '') await make()
        yield* inner.list(prefix, given)
        if (moment === 'after' && prefix === '') await make()
      },
    }
    const opening = openRepository(platform, storage, options)
    if (moment === 'after') return expect(opening).rejects.toEqual(coded('REPOSITORY_MISSING'))
    const open = await opening
    expect(await open.list()).toEqual([])
    await open.close()
  })
})

describe.each([0, 2])('one repository object (workers: %s)', (count) => {
  it(`runs backups, lists, restores and verifies at once (seed ${SEED})`, async () => {
    const repository = await newRepository()
    const { id: earlier } = await opened(repository, (open) => open.backup(handleOf(first)))
    const expected = new Map<string, Uint8Array>([[earlier, first]])
    await opened(
      repository,
      async (open) => {
        const jobs: Promise<unknown>[] = []
        for (const volume of [...volumes, ...volumes]) jobs.push(open.backup(fileOf(volume)).then(({ id }) => expected.set(id, volume)))
        for (let number = 0; number < 3; number++) {
          jobs.push(open.list().then((backups) => expect(backups.map(({ id }) => id)).toContain(earlier)))
          jobs.push(restored(open, earlier).then((bytes) => expect(same(bytes, first)).toBe(true)))
          jobs.push(open.verify({ readData: number > 0 }).then(({ errors }) => expect(errors).toEqual([])))
          jobs.push(
            restored(open, earlier, { range: { offset: 4 * MIB - 10, length: 1000 } }).then((bytes) =>
              expect(same(bytes, first.subarray(4 * MIB - 10, 4 * MIB + 990))).toBe(true),
            ),
          )
        }
        await Promise.all(jobs)
      },
      { storage: slow(createMemoryStorage(repository.objects), SEED), on: workers, workers: count },
    )
    expect(expected.size).toBe(9)
    await whole(repository, expected)
  })
})

describe('a repository that stays open', () => {
  const start = async () => {
    const repository = await newRepository()
    const { id } = await opened(repository, (open) => open.backup(handleOf(first)))
    const pack = [...repository.objects.keys()].find((name) => name.startsWith('packs/'))!
    // A second pack, which stays as it is.
    await opened(repository, (open) => open.backup(handleOf(second)))
    return { repository: copyOf(repository), id, pack }
  }

  it.each([
    ['is removed', (objects: Map<string, Uint8Array<ArrayBuffer>>, pack: string) => void objects.delete(pack)],
    ['is cut short', (objects: Map<string, Uint8Array<ArrayBuffer>>, pack: string) => void objects.set(pack, objects.get(pack)!.slice(0, -1))],
  ])('notices that a pack %s: verify tells, and the next backup stores it again', async (_, damage) => {
    const { repository, id, pack } = await start()
    const intact = repository.objects.get(pack)!
    await opened(repository, async (open) => {
      await open.backup(handleOf(first))
      damage(repository.objects, pack)
      expect((await open.verify()).errors).toMatchObject([{ object: pack, code: 'OBJECT_MISSING', backups: expect.arrayContaining([id]) }])
      const again = await open.backup(handleOf(first))
      expect(again.newBytes).toBeGreaterThan(300_000)
      expect(same(await restored(open, again.id), first)).toBe(true)
      expect(same(await restored(open, id), first), 'the old backup has it too').toBe(true)
      // What is left of the pack is still told, but nobody needs it.
      for (const { object, backups } of (await open.verify({ readData: true })).errors) expect([object, backups]).toEqual([pack, []])
      repository.objects.set(pack, intact)
      expect((await open.verify({ readData: true })).errors).toEqual([])
      expect(same(await restored(open, id), first)).toBe(true)
    })
  })

  it('sees a pack that was put back', async () => {
    const { repository, id, pack } = await start()
    const intact = repository.objects.get(pack)!
    repository.objects.delete(pack)
    await opened(repository, async (open) => {
      expect((await open.verify()).errors).toMatchObject([{ object: pack }])
      repository.objects.set(pack, intact)
      expect((await open.verify({ readData: true })).errors).toEqual([])
      expect(same(await restored(open, id), first)).toBe(true)
      expect(await open.backup(handleOf(first))).toMatchObject({ newBytes: 0 })
    })
  })

  it('notices that an index is removed, and forgets one that was damaged once it is gone or mended', async () => {
    const { repository } = await start()
    await opened(repository, async (open) => {
      const index = [...repository.objects.keys()].find((name) => name.startsWith('index/'))!
      const intact = repository.objects.get(index)!
      expect((await open.verify()).errors).toEqual([])
      repository.objects.delete(index)
      expect((await open.verify()).errors).toMatchObject([{ object: index, code: 'OBJECT_MISSING' }])
      repository.objects.set(index, intact.slice(0, -1))
      expect((await open.verify()).errors).toMatchObject([{ object: index, code: 'OBJECT_DAMAGED' }])
      repository.objects.set(index, intact)
      expect((await open.verify()).errors).toEqual([])
      const foreign = `index/${'0'.repeat(32)}`
      repository.objects.set(foreign, intact)
      expect((await open.verify()).errors).toMatchObject([{ object: foreign, backups: [] }])
      repository.objects.delete(foreign)
      expect((await open.verify()).errors).toEqual([])
    })
  })

  it('is not disturbed by files that others put beside its objects', async () => {
    const { repository, id } = await start()
    const foreign = [
      'index/.DS_Store',
      'index/readme',
      'keys/.nfs0001',
      'keys/readme',
      'packs/.x',
      'packs/ab/readme',
      'packs/zz',
      'backups/readme',
      'backups/.x',
      'README.md',
    ]
    for (const name of foreign) repository.objects.set(name, noise(1, 100))
    await opened(repository, async (open) => {
      expect((await open.verify({ readData: true })).errors).toEqual([])
      expect((await open.list()).map((backup) => backup.id)).toContain(id)
      const { id: next } = await open.backup(handleOf(second))
      expect(same(await restored(open, next), second)).toBe(true)
    })
    for (const name of foreign) expect(repository.objects.has(name)).toBe(true)
  })
})
