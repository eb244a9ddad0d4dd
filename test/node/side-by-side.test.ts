/** Several at once: processes, jobs of one process, and a host without workers beside one with them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMemoryStorage, openRepository, type Repository, type StorageBackend, type VerifyResult } from '../../adapters/node/index.ts'
import { createKey, createUser, jsonLines } from './command.ts'
import { compare, MIB, noise, overwrite } from './content.ts'
import { sharedWorkplace, workplace } from './workplace.ts'

describe('several processes', () => {
  it('back up into one repository at once: all are listed, and all restore', async () => {
    const place = workplace()
    const user = createUser(place)
    const one = place.file('one', noise(1, 24 * MIB))
    const other = place.file('other', noise(2, 24 * MIB))
    // A part in common, which each of them may be the one to store.
    overwrite(other, 4 * MIB, noise(1, 8 * MIB))
    await user.backup(place.file('small', noise(3, MIB)))

    const running = [one, one, other].map((source) => user.start('backup', source, '--json'))
    const answers = await Promise.all(running.map(({ answer }) => answer))
    const ids = answers.map((answer) => {
      expect(answer.exitCode, answer.stderr).toBe(0)
      return String(jsonLines(answer).at(-1)?.['id'])
    })
    expect((await user.list()).map(({ id }) => id)).toEqual(expect.arrayContaining(ids))
    expect((await user.verify('--read-data')).errors).toEqual([])
    for (const [index, source] of [one, one, other].entries()) {
      await user.restore(ids[index] as string, place.path(`restored-${index}`))
      compare(source, place.path(`restored-${index}`))
    }
    expect(await user.backup(one)).toMatchObject({ newBytes: 0 })
  })

  it('delete and verify while another backs up what the deleted backup held', async () => {
    const place = workplace()
    const user = createUser(place)
    const source = place.file('source', noise(1, 24 * MIB))
    const { id } = await user.backup(source)
    const running = user.start('backup', source, '--json')
    const [deleted, verified, answer] = await Promise.all([user.run('delete', id), user.run('verify', '--read-data', '--json'), running.answer])
    expect([deleted.exitCode, answer.exitCode], deleted.stderr + answer.stderr).toEqual([0, 0])
    // It may see the backup go, but no damage. See the next test for what it says then.
    const { errors } = jsonLines(verified).at(-1) as unknown as VerifyResult
    expect(errors.filter(({ object }) => object !== `backups/${id}`)).toEqual([])
    await user.restore('latest', place.path('restored'))
    compare(source, place.path('restored'))
  })
})

describe('verify', () => {
  // Defect in src/repository/verify.ts: a backup deleted after the listing is OBJECT_MISSING, damage, exit code 13.
  it('takes a backup that is deleted after it was listed for gone, not for damaged', async () => {
    const place = workplace()
    const inner = createMemoryStorage()
    let deleting = false
    const storage: StorageBackend = {
      ...inner,
      async *list(prefix, options) {
        for await (const object of inner.list(prefix, options)) {
          if (deleting && prefix === 'backups/') await inner.delete(object.name)
          yield object
        }
      },
    }
    const repository = await openRepository({ repository: storage, create: true, credentials: createKey(place), workers: 0 })
    try {
      await repository.backup(place.file('source', noise(1, MIB)))
      deleting = true
      expect((await repository.verify()).errors).toEqual([])
    } finally {
      await repository.close()
    }
  })
})

describe('one open repository', () => {
  const place = sharedWorkplace()
  let repository: Repository

  beforeAll(async () => {
    repository = await openRepository({ repository: createMemoryStorage(), create: true, credentials: createKey(place), workers: 2 })
  })
  afterAll(() => repository?.close())

  it('does several jobs at once, and each as if it were alone', async () => {
    const sources = [1, 2, 3].map((seed) => place.file(`source-${seed}`, noise(seed, 10 * MIB + seed)))
    const [first] = sources as [string]
    const { id } = await repository.backup(first)
    const [one, two, three] = await Promise.all([
      repository.backup(first),
      repository.backup(sources[1] as string),
      repository.backup(sources[2] as string),
      repository.restore(id, place.path('early')),
      repository.verify({ readData: true }),
    ])
    compare(first, place.path('early'))
    expect(one.newBytes).toBe(0)
    expect((await repository.verify({ readData: true })).errors).toEqual([])
    const restored = [one, two, three].map((backup, index) => repository.restore(backup.id, place.path(`restored-${index}`)))
    await Promise.all(restored)
    for (const [index, source] of sources.entries()) compare(source, place.path(`restored-${index}`))
  })
})

describe('a host without workers', () => {
  it('makes the same backup, and restores what one with them made', async () => {
    const place = workplace()
    const credentials = createKey(place)
    const source = place.file('source', noise(1, 21 * MIB + 4321))
    overwrite(source, 9 * MIB, new Uint8Array(2 * MIB))
    const storage = createMemoryStorage()
    const inline = await openRepository({ repository: storage, create: true, credentials, workers: 0 })
    const threaded = await openRepository({ repository: storage, credentials, workers: 3 })
    try {
      const one = await inline.backup(source)
      const other = await threaded.backup(source)
      expect(other).toMatchObject({ newBytes: 0, digest: one.digest })
      expect(one.newBytes).toBe(19 * MIB + 4321)
      await inline.restore(other.id, place.path('restored'))
      compare(source, place.path('restored'))
      expect((await inline.verify({ readData: true })).errors).toEqual([])

      // And the other way round, into a repository of its own.
      const second = await openRepository({ repository: createMemoryStorage(), create: true, credentials, workers: 3 })
      const first = await second.backup(source)
      expect(first.newBytes).toBe(one.newBytes)
      await second.close()
    } finally {
      await threaded.close()
      await inline.close()
    }
  })
})
