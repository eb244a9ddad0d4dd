/**
 * A backup that is compared with the volume's last one is what a full scan would have made of it. The oracle: the same bytes
 * under a name that has no last backup.
 */
import { writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Repository } from '../../src/contract/backup.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { codeOf, namesUnder, newRepository, opened } from './support/repositories.ts'
import { noise, numbers, SEED } from './support/random.ts'
import { failing } from './support/storages.ts'
import { freshPath, handleOf, restored, spread, volumeOf } from './support/volumes.ts'
import { platform as workers } from './support/worker-platform.ts'

const MIB = 1024 * 1024
const same = (left: Uint8Array, right: Uint8Array) => Buffer.compare(left, right) === 0

let names = 0
/** Backs the bytes up as `disk`, which has a last backup, and under a new name; both must be one and the same. */
async function asAScan(open: Repository, volume: Uint8Array, hint = ''): Promise<void> {
  const source = freshPath('disk')
  writeFileSync(source, volume)
  const compared = await open.backup(source, { volume: 'disk' })
  const scanned = await open.backup(source, { volume: `scanned-${++names}` })
  expect(compared.digest, hint).toBe(scanned.digest)
  expect(scanned.newBytes, `${hint}: all of it was stored`).toBe(0)
  expect(same(await restored(open, compared.id), volume), hint).toBe(true)
}

const CHUNKERS = [
  ['fixed chunks of 4 KiB', { kind: 'fixed', size: 4096 }],
  ['fixed chunks of 64 KiB', { kind: 'fixed', size: 65_536 }],
  ['fixed chunks that end nowhere round', { kind: 'fixed', size: 4000 }],
  ['chunks of a whole segment', { kind: 'fixed', size: 4 * MIB }],
  ['content-defined chunks', { kind: 'fastcdc', min: 1024, average: 8192, max: 65_536 }],
] as const

describe.each(CHUNKERS)('a volume in %s', (_, chunker) => {
  it(`changed in random places is the same as scanned whole (seed ${SEED})`, { timeout: 60_000 }, async () => {
    const below = numbers(SEED)
    const repository = await newRepository({ chunker })
    let volume = volumeOf(5 * MIB + 4321, [...spread(1, 5 * MIB, 60), { offset: 4 * MIB - 50_000, bytes: noise(3, 200_000) }])
    await opened(repository, async (open) => {
      await asAScan(open, volume)
      for (let round = 0; round < 8; round++) {
        volume = volume.slice()
        for (let change = below(6); change > 0; change--) {
          const offset = below(volume.length)
          const length = 1 + below(2 ** below(19))
          const kind = below(4)
          if (kind === 0) volume.fill(0, offset, offset + length)
          if (kind === 1) volume.set(noise(below(1000), Math.min(length, volume.length - offset)), offset)
          if (kind === 2) volume[offset] = (volume[offset] ?? 0) ^ (1 << below(8))
          if (kind === 3) volume.copyWithin(offset, below(volume.length), volume.length - below(length))
        }
        await asAScan(open, volume, `round ${round}`)
      }
    })
  })

  it('that grew or shrank, also within its last segment, is the same as scanned whole', async () => {
    const repository = await newRepository({ chunker })
    const content = noise(5, 9 * MIB)
    await opened(repository, async (open) => {
      for (const size of [5 * MIB, 5 * MIB + 1, 5 * MIB - 1, 8 * MIB, 9 * MIB, 4 * MIB, 4 * MIB + 1, 1000, 0, 9 * MIB])
        await asAScan(open, content.subarray(0, size), `${size} bytes`)
    })
  })

  it('whose one bit changed, at the edges of chunks, pieces and segments, is the same as scanned whole', async () => {
    const repository = await newRepository({ chunker })
    const volume = noise(6, 5 * MIB)
    volume.fill(0, 2 * MIB, 3 * MIB)
    await opened(repository, async (open) => {
      await asAScan(open, volume)
      for (const at of [
        0,
        3999,
        4000,
        4095,
        4096,
        65_535,
        512 * 1024 - 1,
        512 * 1024,
        2 * MIB - 1,
        2 * MIB,
        2 * MIB + 70_000,
        3 * MIB - 1,
        3 * MIB,
        4 * MIB - 1,
        4 * MIB,
        5 * MIB - 1,
      ]) {
        volume[at]! ^= 0x10
        await asAScan(open, volume, `bit of byte ${at}`)
      }
    })
  })
})

describe('a volume that is compared', () => {
  const volume = volumeOf(5 * MIB, spread(1, 5 * MIB, 40))

  it('from a handle, by workers, and while others do the same, is the same too', async () => {
    const repository = await newRepository()
    await opened(
      repository,
      async (open) => {
        const { digest } = await open.backup(handleOf(volume), { volume: 'disk' })
        const backups = await Promise.all(Array.from({ length: 4 }, () => open.backup(handleOf(volume), { volume: 'disk' })))
        for (const backup of backups) expect(backup).toMatchObject({ digest, newBytes: 0, storedBytes: 0 })
        const changed = volume.slice()
        changed.set(noise(2, 100), 300_000)
        const { id } = await open.backup(handleOf(changed), { volume: 'disk' })
        expect(same(await restored(open, id), changed)).toBe(true)
      },
      { on: workers, workers: 2 },
    )
  })

  it('with the backup that was deleted before, or with one older, is the same too', async () => {
    const repository = await newRepository()
    const changed = volume.slice()
    changed.set(noise(2, 100), 300_000)
    await opened(repository, async (open) => {
      await asAScan(open, volume)
      const { id } = await open.backup(handleOf(changed), { volume: 'disk' })
      await open.delete([id])
      await asAScan(open, changed)
      await asAScan(open, volume)
    })
  })

  it.each(['packs/', 'index/', 'backups/'])('with a last backup whose %s are lost is stored again', async (prefix) => {
    const repository = await newRepository()
    await opened(repository, (open) => open.backup(handleOf(volume), { volume: 'disk' }))
    for (const name of namesUnder(repository.objects, prefix)) repository.objects.delete(name)
    await opened(repository, async (open) => {
      await asAScan(open, volume)
      expect((await open.verify({ readData: true })).errors.filter(({ code }) => code !== 'OBJECT_MISSING')).toEqual([])
    })
  })

  it('stops at a storage that fails, instead of taking what it could not read for changed', async () => {
    const repository = await newRepository()
    await opened(repository, (open) => open.backup(handleOf(volume), { volume: 'disk' }))
    for (let call = 1; ; call++) {
      const { storage, failed } = failing(createMemoryStorage(repository.objects), call, 'once')
      const code = await codeOf(opened(repository, (open) => open.backup(handleOf(volume), { volume: 'disk' }), { storage }))
      expect(code, `call ${call}`).toBe(failed() ? 'STORAGE_FAILED' : undefined)
      if (!failed()) break
    }
  })
})
