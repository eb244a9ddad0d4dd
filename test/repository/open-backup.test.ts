/** An open backup reads as the volume it was made from, in any ranges; what is damaged is not given. */
import { describe, expect, it } from 'vitest'
import type { Repository } from '../../src/contract/backup.ts'
import type { ChunkerOptions } from '../../src/contract/core.ts'
import type { Platform } from '../../src/contract/platform.ts'
import type { VolumeFile } from '../../src/contract/volume.ts'
import { concatBytes } from '../../src/core/bytes.ts'
import { type DecodeArgument, decodeFrames } from '../../src/pipeline/decode-operations.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { fingerprintOf, plantChunks } from './support/hostile.ts'
import { noise, numbers, SEED, text } from './support/random.ts'
import { codeOf, coded, copyOf, namesUnder, newRepository, opened, platform, type TestRepository } from './support/repositories.ts'
import { failing, watched } from './support/storages.ts'
import { fileOf, spread, volumeOf } from './support/volumes.ts'
import { platform as workers } from './support/worker-platform.ts'

const KIB = 1024
const MIB = 1024 * KIB
const same = (left: Uint8Array, right: Uint8Array) => Buffer.compare(left, right) === 0
/** Zeros, noise that stays as it is, text that shrinks, repeats of both, and a short end. */
const SIZE = 19 * MIB + 777
const volume = volumeOf(SIZE, [
  { offset: MIB, bytes: noise(1, 5 * MIB) },
  { offset: 7 * MIB + 300, bytes: text(2, 3 * MIB) },
  { offset: 11 * MIB, bytes: noise(1, 5 * MIB).subarray(2 * MIB, 3 * MIB) },
  ...spread(3, 6 * MIB, 300).map(({ offset, bytes }) => ({ offset: 12 * MIB + offset, bytes })),
  { offset: 18 * MIB, bytes: noise(4, 2 * MIB) },
])

const using = async (open: Repository, reference: string, work: (file: VolumeFile) => Promise<void>, options = {}) => {
  const file = await open.openBackup(reference, options)
  try {
    await work(file)
  } finally {
    await file.close()
  }
}

/** Backed up whole by two workers, then changed a little and backed up again: the second lies in packs of both. */
async function subject(chunker: ChunkerOptions, encryption = true): Promise<{ repository: TestRepository; backups: { id: string; volume: Uint8Array }[] }> {
  const repository = await newRepository({ chunker, encryption })
  const changed = volume.slice()
  for (let at = 100; at < SIZE; at += 700 * KIB) changed.set(noise(at, Math.min(5000, SIZE - at)), at)
  const backups: { id: string; volume: Uint8Array }[] = []
  for (const content of [volume, changed]) {
    const { id } = await opened(repository, (open) => open.backup(fileOf(content), { volume: 'v' }), { on: workers, workers: 2 })
    backups.push({ id, volume: content })
  }
  return { repository, backups }
}

describe('an open backup', () => {
  it.each([
    ['fixed chunks of 64 KiB, by two workers', { kind: 'fixed', size: 64 * KIB }, true, 2],
    ['fixed chunks of 4000 bytes, without encryption, on the calling thread', { kind: 'fixed', size: 4000 }, false, 0],
    ['content-defined chunks, by two workers', { kind: 'fastcdc', min: 16 * KIB, average: 64 * KIB, max: 256 * KIB }, true, 2],
  ] as const)(`reads any range, many at once: %s (seed ${SEED})`, async (_, chunker, encryption, threads) => {
    const { repository, backups } = await subject(chunker, encryption)
    await opened(
      repository,
      async (open) => {
        for (const backup of backups) {
          for (const cacheBytes of [undefined, 0, 3 * MIB]) {
            await using(
              open,
              backup.id,
              async (file) => {
                expect([file.kind, file.size]).toEqual(['file', SIZE])
                const below = numbers(SEED)
                const ranges = Array.from({ length: 40 }, () => [below(SIZE), below(2 ** below(24))] as const)
                ranges.push([0, SIZE], [SIZE - 1, 10], [SIZE, 1], [2 ** 50, 5], [0, 0])
                const reads = await Promise.all(ranges.map(([offset, length]) => file.readAt(offset, length)))
                for (const [index, [offset, length]] of ranges.entries()) {
                  const bytes = reads[index] as Uint8Array
                  expect(same(bytes, backup.volume.subarray(offset, offset + length)), `${offset}+${length}`).toBe(true)
                  expect(bytes.buffer.byteLength, 'owns its buffer').toBe(bytes.length)
                }
              },
              { cacheBytes },
            )
          }
        }
      },
      { on: workers, workers: threads },
    )
  })

  it('opens what is empty, and what is nothing but zeros', async () => {
    const repository = await newRepository()
    await opened(repository, async (open) => {
      for (const size of [0, 1, 5 * MIB]) {
        const { id } = await open.backup(fileOf(new Uint8Array(size)), { volume: `zeros-${size}` })
        await using(open, id, async (file) => {
          expect(file.size).toBe(size)
          expect(same(await file.readAt(0, 10 * MIB), Buffer.alloc(size))).toBe(true)
        })
      }
    })
  })

  it('has a position, and can not be written to', async () => {
    const repository = await newRepository()
    await opened(repository, async (open) => {
      const { id } = await open.backup(fileOf(volume.subarray(0, 2 * MIB)))
      await using(open, 'latest', async (file) => {
        await file.seek(MIB - 10)
        const [first, second] = await Promise.all([file.read(1000), file.read(2 * MIB)])
        expect(same(first, volume.subarray(MIB - 10, MIB + 990))).toBe(true)
        expect(same(second, volume.subarray(MIB + 990, 2 * MIB))).toBe(true)
        expect(await file.tell()).toBe(2 * MIB)
        for (const call of [() => file.writeAt(0, noise(1, 5 * MIB).subarray(0, 10)), () => file.punchHole(0, 10)])
          await expect(call()).rejects.toEqual(coded('TARGET_UNSUPPORTED'))
        await file.seek(0)
        await expect(file.write(noise(1, 1))).rejects.toEqual(coded('TARGET_UNSUPPORTED'))
        await file.flush()
        expect(same(await file.readAt(0, 2 * MIB), volume.subarray(0, 2 * MIB))).toBe(true)
      })
      expect((await open.verify({ backups: [id], readData: true })).errors).toEqual([])
    })
  })

  it('is told apart by its reference, and by whether its options are any', async () => {
    const repository = await newRepository()
    await opened(repository, async (open) => {
      await open.backup(fileOf(noise(1, 100)))
      await expect(open.openBackup('ffffffff')).rejects.toEqual(coded('BACKUP_NOT_FOUND'))
      for (const cacheBytes of [-1, 0.5, Number.NaN]) await expect(open.openBackup('latest', { cacheBytes })).rejects.toEqual(coded('USAGE'))
    })
  })

  it('ends with its file, its signal and its repository', async () => {
    const repository = await newRepository()
    await opened(repository, (open) => open.backup(fileOf(volume.subarray(0, 6 * MIB))))
    await opened(repository, async (open) => {
      await expect(open.openBackup('latest', { signal: AbortSignal.abort() })).rejects.toEqual(coded('CANCELLED'))
      const controller = new AbortController()
      const [cancelled, closed, left] = [
        await open.openBackup('latest', { signal: controller.signal }),
        await open.openBackup('latest'),
        await open.openBackup('latest'),
      ]
      const running = cancelled.readAt(0, 6 * MIB)
      controller.abort()
      await expect(running).rejects.toEqual(coded('CANCELLED'))
      await expect(cancelled.readAt(0, 1)).rejects.toEqual(coded('CANCELLED'))
      await closed.close()
      await expect(closed.readAt(0, 1)).rejects.toEqual(coded('CLOSED'))
      // Listened to from the start: it may fail while closing is still awaited.
      const last = codeOf(left.readAt(0, 6 * MIB))
      await open.close()
      expect(await last).toBeOneOf([undefined, 'CLOSED'])
      await expect(left.readAt(0, 1)).rejects.toEqual(coded('CLOSED'))
    })
  })
})

describe('what an open backup reads of its storage', () => {
  it.each([4 * MIB, 64 * KIB])('is about the whole of it once, when it is read from front to back by %i bytes', async (step) => {
    const repository = await newRepository({ chunker: { kind: 'fixed', size: 64 * KIB } })
    // Frames that begin and end anywhere in a segment, and take up where the same worker's last one ended.
    const size = 48 * MIB
    const runs = Array.from({ length: 40 }, (_, run) => ({ offset: run * 19 * 64 * KIB, bytes: noise(run, (run % 18) * 64 * KIB) }))
    await opened(repository, (open) => open.backup(fileOf(volumeOf(size, runs))), { on: workers, workers: 2 })
    const packsBytes = namesUnder(repository.objects, 'packs/').reduce((sum, name) => sum + (repository.objects.get(name) as Uint8Array).length, 0)
    let read = 0
    const inner = createMemoryStorage(repository.objects)
    const counting = { ...inner, getRange: async (...call: Parameters<typeof inner.getRange>) => ((read += call[2]), inner.getRange(...call)) }
    const front = async (file: VolumeFile) => {
      read = 0
      for (let at = 0; at < size; at += 2 * step) await Promise.all([0, 1].map((part) => file.readAt(at + part * step, step)))
    }
    // Far less is kept than is read: what the next reads need.
    await opened(repository, (open) => using(open, 'latest', front, { cacheBytes: 12 * MIB }), { storage: counting, on: workers, workers: 2 })
    expect(read / packsBytes).toBeGreaterThan(0.9)
    expect(read / packsBytes).toBeLessThan(1.15)
  })

  it('is decoded in calls of 4 MiB, a few at once, however far it shrank', async () => {
    const repository = await newRepository({ chunker: { kind: 'fixed', size: 64 * KIB } })
    // 48 MiB in a few hundred KiB: one range of a pack that a ranged read would take whole.
    const shrinking = new Uint8Array(48 * MIB)
    for (let at = 0; at < shrinking.length; at += 4096) shrinking.fill(1 + ((at / 4096) % 250), at, at + 4000), shrinking.set([at >> 24, at >> 16, at >> 8], at)
    // And one chunk of each frame, side by side.
    const scattered = new Uint8Array(3 * MIB)
    for (let chunk = 0; chunk < 48; chunk++) scattered.set(shrinking.subarray(chunk * MIB, chunk * MIB + 64 * KIB), chunk * 64 * KIB)
    await opened(repository, async (open) => {
      await open.backup(fileOf(shrinking), { volume: 'whole' })
      expect(await open.backup(fileOf(scattered), { volume: 'scattered' })).toMatchObject({ newBytes: 0 })
    })
    let [running, most, plainMost] = [0, 0, 0]
    const observed: Platform = {
      ...platform,
      async spawn(options) {
        const port = await platform.spawn(options)
        return {
          ...port,
          async call(operation, argument, transfer) {
            if (operation !== decodeFrames.name) return port.call(operation, argument, transfer)
            plainMost = Math.max(
              plainMost,
              (argument as DecodeArgument).frames.reduce((sum, { plainBytes }) => sum + plainBytes, 0),
            )
            most = Math.max(most, ++running)
            try {
              return await port.call(operation, argument, transfer)
            } finally {
              running--
            }
          },
        }
      },
    }
    await opened(
      repository,
      async (open) => {
        await using(open, 'latest:scattered', async (file) => expect(same(await file.readAt(0, 3 * MIB), scattered)).toBe(true))
        await using(open, 'latest:whole', async (file) => {
          const parts = await Promise.all(Array.from({ length: 12 }, (_, part) => file.readAt(part * 4 * MIB, 4 * MIB)))
          expect(same(Buffer.concat(parts), shrinking)).toBe(true)
        })
      },
      { on: observed },
    )
    expect(plainMost).toBeGreaterThan(MIB)
    expect(plainMost).toBeLessThanOrEqual(4 * MIB)
    expect(most).toBeLessThanOrEqual(4)
  })
})

describe('an open backup that is damaged', () => {
  it('gives the whole parts, and not a byte of the others', async () => {
    const { repository, backups } = await subject({ kind: 'fixed', size: 64 * KIB })
    const packs = namesUnder(repository.objects, 'packs/')
    let failed = 0
    for (const pack of packs) {
      const damaged = copyOf(repository)
      const bytes = (damaged.objects.get(pack) as Uint8Array<ArrayBuffer>).slice()
      bytes[bytes.length >> 1]! ^= 1
      damaged.objects.set(pack, bytes)
      await opened(damaged, async (open) => {
        for (const backup of backups) {
          await using(open, backup.id, async (file) => {
            // By chunks, then as one: a failure before must not be remembered as anything but a failure.
            for (const step of [64 * KIB, 3 * MIB]) {
              for (let at = 0; at < SIZE; at += step) {
                const part = await file.readAt(at, step).catch((error: unknown) => {
                  expect(error).toEqual(coded('OBJECT_DAMAGED'))
                  expect(error).toMatchObject({ details: { object: pack } })
                  failed++
                })
                if (part) expect(same(part, backup.volume.subarray(at, at + step)), `at ${at}`).toBe(true)
              }
            }
          }).catch((error: unknown) => expect(error).toEqual(coded('OBJECT_DAMAGED')))
        }
      })
    }
    expect(failed).toBeGreaterThan(packs.length)
  })

  it('does not take a chunk from a frame that was decoded for another, unchecked', async () => {
    const repository = await newRepository()
    const [first, second] = [noise(1, 4096), noise(2, 4096)]
    // An index that says of wrong bytes that they are the second chunk; both lie in one frame.
    const fingerprints = concatBytes([await fingerprintOf(repository, first), await fingerprintOf(repository, second)])
    await plantChunks(repository, [first, noise(3, 4096)], (frame) => ({ ...frame, fingerprints }))
    const far = 60 * MIB
    await opened(repository, async (open) => {
      const runs = [first, second].map((bytes, run) => ({ offset: run * far, bytes }))
      expect(await open.backup(fileOf(volumeOf(far + 4096, runs)))).toMatchObject({ newBytes: 0 })
      await using(open, 'latest', async (file) => {
        for (let round = 0; round < 2; round++) {
          expect(same(await file.readAt(0, 4096), first)).toBe(true)
          await expect(file.readAt(far, 10)).rejects.toEqual(coded('OBJECT_DAMAGED'))
        }
      })
    })
  })

  it('tells which pack is lost', async () => {
    const { repository, backups } = await subject({ kind: 'fixed', size: 64 * KIB })
    const [pack] = namesUnder(repository.objects, 'packs/')
    repository.objects.delete(pack as string)
    await opened(repository, async (open) => {
      const codes = await Promise.all(backups.map(({ id }) => codeOf(using(open, id, async (file) => void (await file.readAt(0, SIZE))))))
      expect(codes).toContain('OBJECT_MISSING')
    })
  })

  it('reads on when a storage that failed works again', async () => {
    const { repository, backups } = await subject({ kind: 'fixed', size: 64 * KIB })
    const reads = async (storage: ReturnType<typeof createMemoryStorage>) => {
      let failures = 0
      await opened(
        repository,
        (open) =>
          using(open, backups[1]!.id, async (file) => {
            for (let at = 0; at < SIZE; at += 2 * MIB) {
              let part: Uint8Array | undefined
              while (!part)
                part = await file.readAt(at, 2 * MIB).catch((error: unknown) => {
                  expect(error).toEqual(coded('STORAGE_FAILED'))
                  if (++failures > 3) throw error
                  return undefined
                })
              expect(same(part, backups[1]!.volume.subarray(at, at + 2 * MIB)), `at ${at}`).toBe(true)
            }
          }),
        { storage },
      )
      return failures
    }
    let calls = 0
    let opening = 0
    const inner = createMemoryStorage(repository.objects)
    await reads(watched(inner, { before: ({ name }) => void (calls++, name.startsWith('packs/') || (opening = calls)) }))
    expect(calls - opening).toBeGreaterThan(10)
    for (let at = opening + 1; at <= calls; at += 3) expect(await reads(failing(inner, at, 'once').storage), `call ${at}`).toBe(1)
  })
})
