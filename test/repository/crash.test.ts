/**
 * A storage that fails at any one of its calls, and a process that dies there: what was backed up before stays whole, what was
 * under way is whole or absent, and the next backup works.
 */
import { describe, expect, it } from 'vitest'
import { initRepository, openRepository } from '../../src/repository/open.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { coded, copyOf, newRepository, type Objects, opened, platform, type TestRepository } from './support/repositories.ts'
import { noise } from './support/random.ts'
import { type FailureMode, failing, watched } from './support/storages.ts'
import { fileOf, restored, spread, volumeOf } from './support/volumes.ts'

const MIB = 1024 * 1024
const MODES: FailureMode[] = ['once', 'dead', 'landed']
/** More calls than any job here makes. */
const CALLS_MAX = 200
const same = (left: Uint8Array, right: Uint8Array) => Buffer.compare(left, right) === 0

const earlier = volumeOf(MIB, spread(1, MIB, 40))
const later = earlier.slice()
later.set(noise(2, 20_000), 300_000)
const source = fileOf(later)

async function withEarlier(encryption: boolean): Promise<{ repository: TestRepository; id: string }> {
  const repository = await newRepository({ encryption })
  const { id } = await opened(repository, (open) => open.backup(fileOf(earlier)))
  return { repository, id }
}

/** Runs `job` against storages that fail at call 1, 2, … until one lets it through. Returns how many calls it makes. */
async function atEveryCall(
  start: TestRepository,
  mode: FailureMode,
  job: (repository: TestRepository, storage: ReturnType<typeof failing>, call: number) => Promise<void>,
): Promise<number> {
  for (let call = 1; call <= CALLS_MAX; call++) {
    const repository = copyOf(start)
    const storage = failing(createMemoryStorage(repository.objects), call, mode)
    await job(repository, storage, call)
    if (!storage.failed()) return call - 1
  }
  throw new Error('The job never got through.')
}

describe.each(MODES)('a storage that fails %s', (mode) => {
  it.each([true, false])('during a backup loses no earlier one and no later one (encrypted: %s)', async (encryption) => {
    const { repository: start, id: earlierId } = await withEarlier(encryption)
    const seen = new Set<string>()
    const calls = await atEveryCall(start, mode, async (repository, { storage, failed }, call) => {
      const hint = `${mode} at call ${call}`
      const id = '00000000-0000-4000-8000-00000000000a'
      const watchedStorage = watched(storage, { before: ({ number, method, name }) => void (number === call && seen.add(`${method} ${name.split('/')[0]}`)) })
      const outcome = await opened(repository, (open) => open.backup(source, { id }), { storage: watchedStorage }).then(
        () => 'done' as const,
        (error: unknown) => {
          expect(error, hint).toEqual(coded('STORAGE_FAILED'))
          return 'failed' as const
        },
      )
      if (!failed()) expect(outcome).toBe('done')

      await opened(repository, async (open) => {
        expect(same(await restored(open, earlierId), earlier), `${hint}: the earlier backup`).toBe(true)
        const listed = (await open.list()).map((backup) => backup.id)
        if (outcome === 'done') expect(listed, hint).toContain(id)
        if (listed.includes(id)) expect(same(await restored(open, id), later), `${hint}: the interrupted backup`).toBe(true)
        else await expect(open.show(id)).rejects.toEqual(coded('BACKUP_NOT_FOUND'))
        expect((await open.verify({ readData: true })).errors, hint).toEqual([])
        const next = await open.backup(source)
        expect(same(await restored(open, next.id), later), `${hint}: the next backup`).toBe(true)
        expect((await open.verify({ readData: true })).errors, hint).toEqual([])
      })
      // Whatever was left is named by an index now: nobody reads directories again.
      await opened(repository, async (open) => expect(await open.backup(source)).toMatchObject({ newBytes: 0, storedBytes: 0 }))
    })
    expect(calls).toBeGreaterThan(6)
    expect([...seen]).toEqual(expect.arrayContaining(['get config', 'list index', 'list packs', 'put packs', 'put index', 'put backups']))
  })

  it('during a delete leaves each backup whole or gone', async () => {
    const { repository: start, id: first } = await withEarlier(true)
    const { id: second } = await opened(start, (open) => open.backup(source))
    const { id: third } = await opened(start, (open) => open.backup(fileOf(noise(9, 10_000))))
    await atEveryCall(start, mode, async (repository, { storage, failed }, call) => {
      const deleted = await opened(repository, (open) => open.delete([first, third]), { storage }).catch((error: unknown) => {
        expect(error).toEqual(coded('STORAGE_FAILED'))
        return undefined
      })
      if (!failed()) expect(deleted).toEqual([first, third])
      await opened(repository, async (open) => {
        const listed = (await open.list()).map(({ id }) => id)
        expect(listed, `${mode} at call ${call}`).toContain(second)
        for (const id of listed) expect((await restored(open, id)).length).toBeGreaterThan(0)
        expect(same(await restored(open, second), later)).toBe(true)
        const rest = listed.filter((id) => id !== second)
        expect((await open.delete(rest)).sort()).toEqual(rest.sort())
        expect((await open.list()).map(({ id }) => id)).toEqual([second])
        expect((await open.verify({ readData: true })).errors).toEqual([])
      })
    })
  })

  it('during init leaves no repository or a whole one, and init can be run again', async () => {
    const options = { workers: 0, credentials: { key: noise(1, 32) } }
    for (let call = 1; ; call++) {
      const objects: Objects = new Map()
      const { storage, failed } = failing(createMemoryStorage(objects), call, mode)
      const made = await initRepository(platform, storage, options).then(
        () => true,
        (error: unknown) => (expect(error).toEqual(coded('STORAGE_FAILED')), false),
      )
      if (!failed()) break
      const healthy = createMemoryStorage(objects)
      if (objects.has('config')) await expect(initRepository(platform, healthy, options)).rejects.toEqual(coded('REPOSITORY_EXISTS'))
      else {
        expect(made).toBe(false)
        await expect(openRepository(platform, healthy, options)).rejects.toEqual(coded('REPOSITORY_MISSING'))
        await initRepository(platform, healthy, options)
      }
      const open = await openRepository(platform, healthy, options)
      const { id } = await open.backup(source)
      expect(same(await restored(open, id), later)).toBe(true)
      await open.close()
    }
  })

  it('during a restore or verify is told as such, and leaves no file', async () => {
    const { repository: start, id } = await withEarlier(true)
    for (const job of ['restore', 'verify'] as const) {
      await atEveryCall(start, mode, async (repository, { storage, failed }, call) => {
        const work = opened(
          repository,
          async (open) => (job === 'restore' ? same(await restored(open, id), earlier) : (await open.verify({ readData: true })).errors.length === 0),
          { storage },
        )
        const outcome = await work.catch((error: unknown) => expect(error, `${job}, call ${call}`).toEqual(coded('STORAGE_FAILED')))
        if (!failed()) expect(outcome).toBe(true)
        if (mode === 'dead') expect(outcome === true).toBe(!failed())
      })
    }
  })
})

describe('a process that dies during a backup of several packs', () => {
  it('leaves packs that the next backup uses instead of storing them again', async () => {
    const large = noise(5, 40 * MIB)
    const largeSource = fileOf(large)
    const start = await newRepository({ chunker: { kind: 'fixed', size: 65_536 } })
    for (const mode of ['dead', 'landed'] as const) {
      // How many packs there are depends on the machine's pace: until a backup needs fewer puts than would kill it.
      for (let put = 1, dead = true; dead; put++) {
        const repository = copyOf(start)
        let count = 0
        dead = false
        const die = () => {
          dead = true
          throw new Error('killed')
        }
        const storage = watched(createMemoryStorage(repository.objects), {
          before: ({ method }) => void (dead ? die() : method === 'put' && ++count === put && mode === 'dead' && die()),
          after: ({ method }) => void (method === 'put' && count === put && mode === 'landed' && die()),
        })
        const done = await opened(repository, (open) => open.backup(largeSource), { storage }).then(
          () => true,
          () => false,
        )
        const hint = `${mode} at put ${put}`
        expect(done, hint).toBe(!dead)
        const kept = [...repository.objects].filter(([name]) => name.startsWith('packs/')).reduce((sum, [, { length }]) => sum + length, 0)
        await opened(repository, async (open) => {
          const { id, storedBytes } = await open.backup(largeSource)
          expect(storedBytes + kept, `${hint}: nothing is stored twice`).toBeLessThan(large.length * 1.01)
          if (put <= 2) expect(same(await restored(open, id), large)).toBe(true)
        })
        if (!dead) expect(put).toBeGreaterThanOrEqual(4)
      }
    }
  })
})
