/** Which backup is meant, and in which order they are listed. */
import { describe, expect, it } from 'vitest'
import { plantManifest } from './support/hostile.ts'
import { codeOf, coded, copyOf, newRepository, opened } from './support/repositories.ts'
import { noise } from './support/random.ts'
import { handleOf } from './support/volumes.ts'

const start = await newRepository()
const IDS = ['aaaa1111-0000-4000-8000-000000000001', 'aaaa2222-0000-4000-8000-000000000002', 'bbbb3333-0000-4000-8000-000000000003'] as const
await opened(start, async (open) => {
  for (const [number, id] of IDS.entries()) {
    await open.backup(handleOf(noise(number, 100)), { id, volume: number === 1 ? 'other' : 'disk' })
    await new Promise((done) => setTimeout(done, 2))
  }
})
const [first, second, third] = IDS

describe('a reference', () => {
  it.each([
    [first, first],
    [first.toUpperCase(), first],
    ['aaaa1', first],
    ['AAAA2', second],
    ['bbbb', third],
    ['aaaa1111-0000', first],
    ['latest', third],
    ['latest:disk', third],
    ['latest:other', second],
  ])('%s stands for its backup', async (reference, id) => {
    await opened(start, async (open) => expect((await open.show(reference)).id).toBe(id))
  })

  it.each([
    ['aaaa', 'BACKUP_AMBIGUOUS'],
    ['cccc', 'BACKUP_NOT_FOUND'],
    ['aaaa1111-0000-4000-8000-000000000009', 'BACKUP_NOT_FOUND'],
    ['latest:nobody', 'BACKUP_NOT_FOUND'],
    ['latest:', 'BACKUP_NOT_FOUND'],
    ['aaa', 'USAGE'],
    ['', 'USAGE'],
    ['..', 'USAGE'],
    ['../../config', 'BACKUP_NOT_FOUND'],
    ['backups/aaaa1111', 'BACKUP_NOT_FOUND'],
  ])('%s is answered with %s', async (reference, code) => {
    await opened(start, async (open) => {
      // All are listened to from the start: which of them ends first is chance.
      const jobs = [open.show(reference), open.restore(reference, '/nowhere/at/all'), open.verify({ backups: [reference] }), open.delete([reference])]
      expect(await Promise.all(jobs.map(codeOf))).toEqual(jobs.map(() => code))
      expect(await open.list()).toHaveLength(3)
    })
  })

  it('that is wrong keeps the others of its delete from being removed', async () => {
    const repository = copyOf(start)
    await opened(repository, async (open) => {
      await expect(open.delete([first, 'cccc'])).rejects.toEqual(coded('BACKUP_NOT_FOUND'))
      expect(await open.list()).toHaveLength(3)
      expect(await open.delete([first, 'aaaa1', first])).toEqual([first])
      expect((await open.list()).map(({ id }) => id)).toEqual([third, second])
      expect(await codeOf(open.show(first))).toBe('BACKUP_NOT_FOUND')
    })
  })

  it('latest is not an older backup when the newest can not be read: it names the readable one', async () => {
    const repository = copyOf(start)
    repository.objects.set(`backups/${third}`, repository.objects.get(`backups/${third}`)!.slice(0, -1))
    await opened(repository, async (open) => {
      for (const reference of ['latest', 'latest:disk', 'latest:other'])
        await expect(open.restore(reference, '/nowhere/at/all')).rejects.toMatchObject({ code: 'OBJECT_DAMAGED', details: { object: `backups/${third}` } })
      await expect(open.show('latest')).rejects.toThrow(second)
      await expect(open.show('latest:disk')).rejects.toThrow(first)
      expect((await open.show(second)).id).toBe(second)
      expect(await open.delete([third])).toEqual([third])
      expect((await open.show('latest')).id).toBe(second)
    })
  })

  it('latest of an empty repository is not found', async () => {
    await opened(await newRepository(), async (open) => expect(await codeOf(open.show('latest'))).toBe('BACKUP_NOT_FOUND'))
  })
})

describe('a list', () => {
  it('is newest first, and of one volume when asked', async () => {
    await opened(start, async (open) => {
      expect((await open.list()).map(({ id }) => id)).toEqual([third, second, first])
      expect((await open.list({ volume: 'disk' })).map(({ id }) => id)).toEqual([third, first])
      expect(await open.list({ volume: 'nobody' })).toEqual([])
    })
  })

  it('has one order for equal times', async () => {
    const repository = await newRepository()
    for (let number = 0; number < 20; number++) await plantManifest(repository, { volumeBytes: 0 })
    await opened(repository, async (open) => {
      const ids = (await open.list()).map(({ id }) => id)
      expect(ids).toEqual([...ids].sort())
    })
  })

  it('leaves out a manifest that is deleted while it is read', async () => {
    const repository = copyOf(start)
    await opened(repository, async (open) => {
      const listing = open.list()
      repository.objects.delete(`backups/${second}`)
      const damaged: string[] = []
      expect((await listing).length).toBeGreaterThanOrEqual(2)
      expect((await open.list({ onDamaged: (id) => damaged.push(id) })).map(({ id }) => id)).toEqual([third, first])
      expect(damaged).toEqual([])
    })
  })
})
