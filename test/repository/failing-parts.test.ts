/** What a job does when a worker, the source, the storage's disk or the target's disk fails under it. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createDirectoryStorage } from '../../adapters/node/storage.ts'
import { BlockvaultError } from '../../src/contract/errors.ts'
import type { Platform } from '../../src/contract/platform.ts'
import type { VolumeFile } from '../../src/contract/volume.ts'
import { initRepository, openRepository } from '../../src/repository/open.ts'
import { startWorker } from '../io/support/worker.ts'
import { codeOf, copyOf, KEY, newRepository, opened, platform } from './support/repositories.ts'
import { noise } from './support/random.ts'
import { fileOf, handleOf, restored, spread, temporaryDirectory, volumeOf } from './support/volumes.ts'

const MIB = 1024 * 1024
const same = (left: Uint8Array, right: Uint8Array) => Buffer.compare(left, right) === 0
const earlier = volumeOf(5 * MIB, spread(1, 5 * MIB, 30))
const later = volumeOf(13 * MIB, [...spread(50, 12 * MIB, 60), { offset: 9 * MIB, bytes: noise(3, 2 * MIB) }])
const source = fileOf(later)

describe('a worker that dies', () => {
  /** The first worker ends at its `at`-th call, as by a crash. */
  function dying(at: number): Platform & { died(): boolean } {
    let died = false
    let spawned = 0
    return {
      ...platform,
      died: () => died,
      spawn() {
        const worker = startWorker()
        if (spawned++ > 0) return worker.port
        let calls = 0
        return {
          ...worker.port,
          call(operation, argument, transfer) {
            const answer = worker.port.call(operation, argument, transfer)
            if (++calls === at) {
              died = true
              void worker.kill()
            }
            return answer
          },
        }
      },
    }
  }

  it('ends its job with WORKER_FAILED, and nothing is left behind', { timeout: 60_000 }, async () => {
    const start = await newRepository({ chunker: { kind: 'fixed', size: 65_536 } })
    const { id } = await opened(start, (open) => open.backup(handleOf(earlier)))
    for (const job of ['backup', 'restore', 'verify'] as const) {
      for (let at = 1; ; at += job === 'backup' ? 2 : 1) {
        const repository = copyOf(start)
        const on = dying(at)
        const code = await codeOf(
          opened(
            repository,
            async (open) => {
              if (job === 'backup') await open.backup(source)
              if (job === 'restore') expect(same(await restored(open, id), earlier)).toBe(true)
              if (job === 'verify') expect((await open.verify({ readData: true })).errors).toEqual([])
            },
            { on, workers: 2 },
          ),
        )
        // A worker that dies when all it was needed for is done fails nothing.
        expect(['WORKER_FAILED', undefined], `${job}, call ${at}`).toContain(code)
        if (!on.died()) {
          expect(code).toBeUndefined()
          break
        }
        await opened(repository, async (open) => {
          expect((await open.list()).length, `${job}, call ${at}`).toBe(job === 'backup' && code === undefined ? 2 : 1)
          expect(same(await restored(open, id), earlier)).toBe(true)
          if (at < 4) expect(same(await restored(open, (await open.backup(source)).id), later)).toBe(true)
        })
      }
    }
  })
})

describe('a source that fails', () => {
  /** Fails at every read that touches the offset. */
  const failingAt = (offset: number, error: unknown): VolumeFile => ({
    ...handleOf(later),
    async readAt(from, length) {
      if (from <= offset && offset < from + length) throw error
      return later.slice(from, from + length)
    },
  })

  it('ends the backup with its own error, and records nothing', async () => {
    const repository = await newRepository()
    await opened(repository, async (open) => {
      for (const offset of [0, 5 * MIB, later.length - 1]) {
        const error = new BlockvaultError('SOURCE_READ_FAILED', 'Bad sector.', { details: { offset } })
        await expect(open.backup(failingAt(offset, error))).rejects.toBe(error)
        await expect(open.backup(failingAt(offset, new TypeError('not coded')))).rejects.toThrow('not coded')
        expect(await open.list()).toEqual([])
      }
      const { id } = await open.backup(handleOf(later))
      expect(same(await restored(open, id), later)).toBe(true)
    })
  })
})

describe.skipIf(!canMount())('a full disk', () => {
  it('under the repository gives STORAGE_FULL; what was there stays whole, and there is room again after a delete of foreign files', async () => {
    const place = mounted('4m')
    try {
      const storage = () => createDirectoryStorage(place)
      const options = { workers: 0, credentials: { key: KEY }, init: { chunker: { kind: 'fixed', size: 4096 } } } as const
      await initRepository(platform, storage(), options)
      const run = async <Result>(work: (open: Awaited<ReturnType<typeof openRepository>>) => Promise<Result>) => {
        const open = await openRepository(platform, storage(), options)
        try {
          return await work(open)
        } finally {
          await open.close()
        }
      }
      const { id } = await run((open) => open.backup(handleOf(earlier)))
      execFileSync('dd', ['if=/dev/zero', `of=${join(place, 'foreign')}`, 'bs=1M', 'count=2'], { stdio: 'ignore' })
      expect(await codeOf(run((open) => open.backup(handleOf(later))))).toBe('STORAGE_FULL')
      expect(readdirSync(join(place, 'tmp'))).toEqual([])
      await run(async (open) => {
        expect((await open.list()).map((backup) => backup.id)).toEqual([id])
        expect(same(await restored(open, id), earlier)).toBe(true)
        expect((await open.verify({ readData: true })).errors).toEqual([])
      })
      execFileSync('rm', [join(place, 'foreign')])
      await run(async (open) => expect(same(await restored(open, (await open.backup(handleOf(later))).id), later)).toBe(true))
    } finally {
      execFileSync('umount', [place])
    }
  })

  it('under the target gives TARGET_FULL, and leaves no file', async () => {
    const repository = await newRepository()
    const { id } = await opened(repository, (open) => open.backup(handleOf(noise(1, 3 * MIB))))
    const place = mounted('1m')
    try {
      await opened(repository, async (open) => {
        expect(await codeOf(open.restore(id, join(place, 'target')))).toBe('TARGET_FULL')
        expect(readdirSync(place)).toEqual([])
        await open.restore(id, join(place, 'target'), { range: { offset: 1000, length: 500_000 } })
        expect(existsSync(join(place, 'target'))).toBe(true)
      })
    } finally {
      execFileSync('umount', [place])
    }
  })
})

function mounted(size: string): string {
  const place = temporaryDirectory()
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'blockvault-test', place])
  return place
}

/** Only root may mount, and not in every container. */
function canMount(): boolean {
  if (process.getuid?.() !== 0 || process.platform !== 'linux') return false
  const place = temporaryDirectory()
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'blockvault-test', place]).status !== 0) return false
  return spawnSync('umount', [place]).status === 0
}
