/** What is backed up is what is restored, byte for byte, however it is cut, sealed and read. */
import { closeSync, ftruncateSync, openSync, readFileSync, readSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { platform as workers } from './support/worker-platform.ts'
import { coded, newRepository, namesUnder, opened, platform, type TestRepository } from './support/repositories.ts'
import { noise, numbers, SEED, text } from './support/random.ts'
import { fileOf, freshPath, handleOf, restored, spread, volumeOf } from './support/volumes.ts'
import type { ChunkerOptions } from '../../src/contract/core.ts'

const KIB = 1024
const MIB = 1024 * KIB
const same = (left: Uint8Array, right: Uint8Array) => Buffer.compare(left, right) === 0

const SIZES = [0, 1, 511, 512, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 4 * MIB - 1, 4 * MIB, 4 * MIB + 1]

/** Contents by name; each is a function of the size. */
const CONTENTS: Record<string, (size: number) => Uint8Array<ArrayBuffer>> = {
  zeros: (size) => new Uint8Array(size),
  noise: (size) => noise(size, size),
  repeats: (size) => {
    const volume = new Uint8Array(size)
    const part = text(1, 100 * KIB)
    for (let at = 0; at < size; at += part.length) volume.set(part.subarray(0, size - at), at)
    return volume
  },
  'a disk image': (size) => volumeOf(size, spread(size, size, Math.min(20, Math.floor(size / 8192)))),
}

const CHUNKERS: Record<string, ChunkerOptions> = {
  'fixed chunks of 64 KiB': { kind: 'fixed', size: 64 * KIB },
  'fixed chunks of 4000 bytes': { kind: 'fixed', size: 4000 },
  'fixed chunks of 4 MiB': { kind: 'fixed', size: 4 * MIB },
  'content-defined chunks': { kind: 'fastcdc', min: 16 * KIB, average: 64 * KIB, max: 256 * KIB },
  'small content-defined chunks': { kind: 'fastcdc', min: 512, average: 2 * KIB, max: 8 * KIB },
}

describe.each([true, false])('a repository (encrypted: %s)', (encryption) => {
  // The cut is the same under either seal: without encryption two are enough.
  for (const [cut, chunker] of Object.entries(CHUNKERS).filter((_, number) => encryption || number % 4 === 0)) {
    it(`gives back volumes of every size and content, in ${cut}`, async () => {
      const repository = await newRepository({ encryption, chunker })
      await opened(repository, async (open) => {
        for (const [name, make] of Object.entries(CONTENTS)) {
          for (const size of SIZES) {
            const volume = make(size)
            const { id, volumeBytes, readBytes } = await open.backup(fileOf(volume), { volume: `${name}-${size}` })
            expect([volumeBytes, readBytes]).toEqual([size, size])
            expect(same(await restored(open, id), volume), `${name}, ${size} bytes`).toBe(true)
          }
        }
        expect(await open.verify({ readData: true })).toMatchObject({ backups: SIZES.length * Object.keys(CONTENTS).length, errors: [] })
      })
      // Nothing depends on what the first process remembers.
      await opened(repository, async (open) => {
        for (const { id, volume } of await open.list()) {
          const [name = '', size] = [volume.slice(0, volume.lastIndexOf('-')), Number(volume.slice(volume.lastIndexOf('-') + 1))]
          if (size < MIB) expect(same(await restored(open, id), CONTENTS[name]!(size)), volume).toBe(true)
        }
        expect(await open.verify({ readData: true })).toMatchObject({ errors: [] })
      })
    })
  }
})

describe('workers', () => {
  const volume = volumeOf(30 * MIB + 5, [...spread(1, 20 * MIB, 500), { offset: 22 * MIB, bytes: noise(5, 6 * MIB) }])

  it.each([
    ['the calling thread', 0, ['two workers', 2]],
    ['two workers', 2, ['the calling thread', 0]],
    ['two workers', 2, ['two workers', 2]],
  ] as const)('restore what %s backed up', async (_, writers, [, readers]) => {
    const repository = await newRepository({ chunker: { kind: 'fixed', size: 64 * KIB } })
    const source = fileOf(volume)
    const { id, digest } = await opened(repository, (open) => open.backup(source), { on: workers, workers: writers })
    expect(same(await opened(repository, (open) => restored(open, id), { on: workers, workers: readers }), volume)).toBe(true)
    const again = await opened(repository, (open) => open.backup(handleOf(volume)), { on: workers, workers: readers })
    expect(again).toMatchObject({ digest, newBytes: 0, storedBytes: 0 })
    expect((await opened(repository, (open) => open.verify({ readData: true }), { on: workers, workers: readers })).errors).toEqual([])
  })

  it.each([0, 2])('close a pack before it grows without bound (workers: %s)', async (count) => {
    const repository = await newRepository({ chunker: { kind: 'fixed', size: 64 * KIB } })
    const large = noise(9, 90 * MIB + 12_345)
    const { id } = await opened(repository, (open) => open.backup(fileOf(large)), { on: workers, workers: count })
    const packs = namesUnder(repository.objects, 'packs/').map((name) => repository.objects.get(name)!.length)
    expect(packs.length).toBeGreaterThanOrEqual(2)
    expect(Math.max(...packs)).toBeLessThan(64 * MIB)
    expect(same(await opened(repository, (open) => restored(open, id), { on: workers, workers: count }), large)).toBe(true)
  })

  it('need none for timers to run: a backup on the calling thread can be cancelled by one', async () => {
    const repository = await newRepository({ chunker: { kind: 'fixed', size: 64 * KIB } })
    const stop = new AbortController()
    const large = fileOf(noise(9, 90 * MIB))
    await opened(repository, async (open) => {
      setTimeout(() => stop.abort(), 30)
      await expect(open.backup(large, { signal: stop.signal })).rejects.toEqual(coded('CANCELLED'))
      expect(await open.list()).toEqual([])
    })
  })
})

describe('a range', () => {
  const volume = volumeOf(9 * MIB + 777, [...spread(3, 6 * MIB, 60), { offset: 7 * MIB - 100, bytes: noise(4, 300 * KIB) }])

  it.each([
    ['fixed', { kind: 'fixed', size: 4096 }],
    ['content-defined', { kind: 'fastcdc', min: 512, average: 4096, max: 32_768 }],
  ] as const)(`of a volume in %s chunks restores to offset 0 of its target, exactly (seed ${SEED})`, async (_, chunker) => {
    const repository = await newRepository({ chunker })
    await opened(repository, async (open) => {
      const { id } = await open.backup(fileOf(volume))
      const below = numbers(SEED)
      const ranges = [
        [0, 0],
        [0, 1],
        [volume.length, 0],
        [volume.length - 1, 1],
        [4 * MIB - 1, 2],
        [4 * MIB, 4 * MIB],
        [0, volume.length],
        [1, volume.length - 1],
        [4095, 4098],
      ]
      for (let number = 0; number < 40; number++) {
        const offset = below(volume.length)
        ranges.push([offset, Math.min(below(2 ** below(24)), volume.length - offset)])
      }
      for (const [offset = 0, length = 0] of ranges) {
        expect(same(await restored(open, id, { range: { offset, length } }), volume.subarray(offset, offset + length)), `${offset}+${length}`).toBe(true)
      }
    })
  })

  it('outside the volume, or none at all, is refused and makes no target', async () => {
    const repository = await newRepository()
    await opened(repository, async (open) => {
      const { id } = await open.backup(fileOf(noise(1, 1000)))
      for (const [offset, length] of [
        [0, 1001],
        [1000, 1],
        [1001, 0],
        [-1, 2],
        [0, -1],
        [0.5, 1],
        [0, Number.NaN],
        [2 ** 53, 1],
        [Number.MAX_SAFE_INTEGER, 1],
      ] as const) {
        await expect(restored(open, id, { range: { offset, length } }), `${offset}+${length}`).rejects.toEqual(coded('USAGE'))
      }
    })
  })
})

describe('a target that holds other bytes', () => {
  it('holds the volume and nothing else afterwards, longer or shorter as it was', async () => {
    const repository = await newRepository()
    const volume = volumeOf(5 * MIB, spread(1, 5 * MIB, 30))
    await opened(repository, async (open) => {
      const { id } = await open.backup(fileOf(volume))
      for (const size of [0, 1000, 5 * MIB, 7 * MIB]) {
        const target = fileOf(noise(size, size))
        await expect(open.restore(id, target)).rejects.toEqual(coded('TARGET_EXISTS'))
        expect(statSync(target).size, 'a refusal leaves it as it was').toBe(size)
        await open.restore(id, target, { force: true })
        expect(same(readFileSync(target), volume)).toBe(true)
      }
    })
  })
})

describe('a large sparse volume', () => {
  it('of 8 GiB with a few written places, beyond 4 GiB too, comes back with its holes', { timeout: 60_000 }, async () => {
    const size = 8 * 1024 * MIB + 4321
    const places = [0, 3 * 1024 * MIB + 17, 4 * 1024 * MIB - 5, 6 * 1024 * MIB, size - 9]
    const source = freshPath()
    const fd = openSync(source, 'wx')
    ftruncateSync(fd, size)
    for (const [number, offset] of places.entries()) writeSync(fd, Uint8Array.of(number + 1, 2, 3, 4, 5, 6, 7, 8, 9), 0, 9, offset)
    closeSync(fd)
    const repository = await newRepository({ chunker: { kind: 'fixed', size: 64 * KIB } })
    const target = freshPath()
    await opened(
      repository,
      async (open) => {
        const { id, storedBytes } = await open.backup(source)
        expect(storedBytes).toBeLessThan(20_000)
        await open.restore(id, target)
        const { size: restoredSize, blocks } = statSync(target)
        expect(restoredSize).toBe(size)
        expect(blocks * 512).toBeLessThan(MIB)
        for (const [number, offset] of places.entries()) {
          expect([...(await restored(open, id, { range: { offset, length: 9 } }))]).toEqual([number + 1, 2, 3, 4, 5, 6, 7, 8, 9])
          expect([...readAt(target, offset, 9)]).toEqual([number + 1, 2, 3, 4, 5, 6, 7, 8, 9])
        }
      },
      { on: workers, workers: 2 },
    )
    rmSync(source)
    rmSync(target)
  })
})

function readAt(path: string, offset: number, length: number): Uint8Array {
  const fd = openSync(path, 'r')
  const bytes = readFileRange(fd, offset, length)
  closeSync(fd)
  return bytes
}

function readFileRange(fd: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  readSync(fd, bytes, 0, length, offset)
  return bytes
}

describe('what is stored already', () => {
  const volume = volumeOf(6 * MIB, spread(1, 6 * MIB, 100))
  const bytesOf = ({ objects }: TestRepository) => [...objects.values()].reduce((sum, { length }) => sum + length, 0)

  it('costs an unchanged volume its manifest and nothing else', async () => {
    for (const encryption of [true, false]) {
      const repository = await newRepository({ encryption })
      const source = fileOf(volume)
      const first = await opened(repository, (open) => open.backup(source))
      const before = new Set(repository.objects.keys())
      const bytesBefore = bytesOf(repository)
      const second = await opened(repository, (open) => open.backup(source))
      expect(second).toMatchObject({ newBytes: 0, storedBytes: 0, digest: first.digest, readBytes: volume.length })
      expect([...repository.objects.keys()].filter((name) => !before.has(name))).toEqual([`backups/${second.id}`])
      expect(bytesOf(repository) - bytesBefore).toBeLessThan(1500)
    }
  })

  it('costs a volume with one changed chunk that chunk and its path in the map', async () => {
    const repository = await newRepository()
    const changed = volume.slice()
    changed[3 * MIB + 5]! ^= 1
    await opened(repository, async (open) => {
      const first = await open.backup(fileOf(volume))
      const second = await open.backup(fileOf(changed))
      expect(second.digest).not.toBe(first.digest)
      expect(second.newBytes).toBe(4096)
      expect(second.storedBytes).toBeLessThan(4096 + 37 * 60 + 2048)
      expect(same(await restored(open, first.id), volume)).toBe(true)
      expect(same(await restored(open, second.id), changed)).toBe(true)
    })
  })

  it('is stored once when a volume holds it many times', async () => {
    const repository = await newRepository()
    const part = noise(3, 4096)
    const repeating = new Uint8Array(8 * MIB)
    for (let at = 0; at < repeating.length; at += part.length) repeating.set(part, at)
    await opened(repository, async (open) => {
      const backup = await open.backup(fileOf(repeating))
      expect(backup.newBytes).toBe(4096)
      expect(backup.storedBytes).toBeLessThan(4096 + 20_000)
      expect(same(await restored(open, backup.id), repeating)).toBe(true)
    })
  })

  it('is shared between volumes, whatever their size and names', async () => {
    const repository = await newRepository()
    await opened(repository, async (open) => {
      await open.backup(fileOf(volume), { volume: 'first' })
      const longer = new Uint8Array(13 * MIB)
      longer.set(volume)
      longer.set(volume, 6 * MIB)
      const second = await open.backup(fileOf(longer), { volume: 'second' })
      expect(second.newBytes).toBe(0)
      expect(same(await restored(open, second.id), longer)).toBe(true)
    })
  })

  it('gives equal content an equal digest, however it is read, and unequal content another', async () => {
    const repository = await newRepository()
    await opened(repository, async (open) => {
      const digests = [await open.backup(fileOf(volume)), await open.backup(fileOf(volume, 'other')), await open.backup(handleOf(volume))].map(
        ({ digest }) => digest,
      )
      expect(new Set(digests).size).toBe(1)
      const longer = new Uint8Array(volume.length + 1)
      longer.set(volume)
      const others = [await open.backup(fileOf(longer)), await open.backup(fileOf(volume.subarray(0, -1))), await open.backup(fileOf(new Uint8Array(0)))]
      expect(new Set([...digests, ...others.map(({ digest }) => digest)]).size).toBe(4)
    })
    const elsewhere = await newRepository()
    const { digest } = await opened(elsewhere, (open) => open.backup(fileOf(volume)))
    const { digest: here } = await opened(repository, (open) => open.backup(fileOf(volume)))
    expect(digest, 'under another key it says nothing').not.toBe(here)
  })

  it('is used again after its backup was deleted', async () => {
    const repository = await newRepository()
    await opened(repository, async (open) => {
      const { id } = await open.backup(fileOf(volume))
      expect(await open.delete([id])).toEqual([id])
      const again = await open.backup(fileOf(volume))
      expect(again).toMatchObject({ newBytes: 0, storedBytes: 0 })
      expect(same(await restored(open, again.id), volume)).toBe(true)
    })
  })
})

describe('a backup', () => {
  it('is described by what is known of its volume', async () => {
    const repository = await newRepository()
    const volume = volumeOf(5 * MIB, spread(1, 5 * MIB, 10))
    const source = fileOf(volume, 'disk')
    await opened(repository, async (open) => {
      const id = 'AAAAAAAA-0000-4000-8000-000000000001'.toLowerCase()
      const tags = { project: 'x', 'a key': 'ünïcode \u0000 "quoted"' }
      const made = await open.backup(source, { id, volume: 'vol/ume ünïcode', tags })
      expect(made).toMatchObject({
        id,
        volume: 'vol/ume ünïcode',
        volumeBytes: 5 * MIB,
        sourcePath: source,
        hostName: platform.hostName,
        tags,
        readBytes: 5 * MIB,
        newBytes: 40_960,
      })
      expect(await open.show(id)).toEqual(made)
      expect(await open.list()).toEqual([made])
      expect((await open.backup(source)).volume).toBe(source.split('/').at(-1))
      await expect(open.backup(source, { id })).rejects.toEqual(coded('OBJECT_EXISTS'))
      expect(await open.show(id)).toEqual(made)
    })
  })

  it('of a source that is none is refused, and nothing is stored', async () => {
    const repository = await newRepository()
    const before = [...repository.objects.keys()]
    await opened(repository, async (open) => {
      await expect(open.backup(freshPath())).rejects.toEqual(coded('SOURCE_MISSING'))
      await expect(open.backup('/')).rejects.toEqual(coded('SOURCE_UNSUPPORTED'))
      await expect(open.backup('/dev/null')).rejects.toEqual(coded('SOURCE_UNSUPPORTED'))
      for (const options of [
        { id: 'x' },
        { id: '../../../../../../../etc/passwd' },
        { volume: '' },
        { volume: 'x'.repeat(1025) },
        { tags: { '': 'x' } },
        { tags: { x: 'y'.repeat(1025) } },
      ]) {
        await expect(open.backup(fileOf(noise(1, 10)), options), JSON.stringify(options)).rejects.toEqual(coded('USAGE'))
      }
    })
    expect([...repository.objects.keys()]).toEqual(before)
  })

  it('of a volume that shrinks, grows or ends early records nothing', async () => {
    const repository = await newRepository()
    const content = noise(1, 9 * MIB)
    await opened(repository, async (open) => {
      const source = fileOf(content)
      for (const size of [9 * MIB - 1, 100, 10 * MIB]) {
        truncateSync(source, 0)
        truncateSync(source, 9 * MIB)
        let altered = false
        const altering = () => {
          if (!altered) truncateSync(source, size)
          altered = true
        }
        await expect(open.backup(source, { onProgress: altering }), `${size}`).rejects.toEqual(coded('SOURCE_CHANGED'))
      }
      const handle = { ...handleOf(content), size: content.length + 5 }
      await expect(open.backup(handle)).rejects.toMatchObject({ code: 'SOURCE_CHANGED', details: { offset: content.length } })
      expect(await open.list()).toEqual([])
    })
  })
})
