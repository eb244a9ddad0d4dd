/** A signal that fires at any moment: CANCELLED, nothing half done, and everything earlier as it was. */
import { describe, expect, it, vi } from 'vitest'
import type { Repository } from '../../src/contract/backup.ts'
import { BlockvaultError } from '../../src/contract/errors.ts'
import type { Platform } from '../../src/contract/platform.ts'
import { openRepository } from '../../src/repository/open.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { codeOf, coded, copyOf, KEY, newRepository, opened, platform, type TestRepository } from './support/repositories.ts'
import { noise } from './support/random.ts'
import { watched } from './support/storages.ts'
import { fileOf, restored, spread, volumeOf } from './support/volumes.ts'

const MIB = 1024 * 1024
const same = (left: Uint8Array, right: Uint8Array) => Buffer.compare(left, right) === 0
const earlier = volumeOf(5 * MIB, spread(1, 5 * MIB, 20))
const later = volumeOf(6 * MIB, spread(50, 6 * MIB, 30))
const source = fileOf(later)

/** Each look at the clock is a second later: progress is reported as often as it can be. */
function hasty(): Platform {
  let now = Date.now()
  return { ...platform, now: () => (now += 1000) }
}

type Job = (open: Repository, signal: AbortSignal, onProgress: () => void) => Promise<unknown>
const JOBS: Record<string, Job> = {
  backup: (open, signal, onProgress) => open.backup(source, { signal, onProgress }),
  restore: (open, signal, onProgress) => restored(open, 'latest', { signal, onProgress }).then((bytes) => expect(same(bytes, earlier)).toBe(true)),
  verify: (open, signal, onProgress) => open.verify({ readData: true, signal, onProgress }).then(({ errors }) => expect(errors).toEqual([])),
  list: (open, signal) => open.list({ signal }),
  delete: (open, signal) => open.delete(['latest'], { signal }),
}

const start: TestRepository = await newRepository()
const first = await opened(start, (open) => open.backup(fileOf(earlier)))

/** What must hold after a job was cancelled or not. */
async function check(repository: TestRepository, job: string, done: boolean, hint: string): Promise<void> {
  if (!['backup', 'delete'].includes(job)) return expect([...repository.objects.keys()], hint).toEqual([...start.objects.keys()])
  await opened(repository, async (open) => {
    const listed = await open.list()
    if (job === 'delete') expect(listed.length, hint).toBe(done ? 0 : 1)
    else expect(listed.length, hint).toBe(job === 'backup' && done ? 2 : 1)
    if (job !== 'delete') expect(same(await restored(open, first.id), earlier), hint).toBe(true)
    const next = await open.backup(source)
    expect(same(await restored(open, next.id), later), hint).toBe(true)
    expect((await open.verify({ readData: true })).errors, hint).toEqual([])
  })
}

describe.each(Object.entries(JOBS))('a cancelled %s', (name, job) => {
  it('does nothing when the signal had fired before', async () => {
    const repository = copyOf(start)
    await opened(repository, async (open) => expect(await codeOf(job(open, AbortSignal.abort(), () => {}))).toBe('CANCELLED'))
    expect([...repository.objects.keys()]).toEqual([...start.objects.keys()])
  })

  it('ends with CANCELLED, or is done, at whichever storage call the signal fires', async () => {
    let cancelled = 0
    for (let call = 1; ; call++) {
      const repository = copyOf(start)
      const stop = new AbortController()
      const storage = watched(createMemoryStorage(repository.objects), { before: ({ number }) => void (number === call && stop.abort()) })
      const code = await opened(repository, (open) => codeOf(job(open, stop.signal, () => {})), { storage })
      const hint = `${name} at call ${call}: ${code}`
      expect(['CANCELLED', undefined], hint).toContain(code)
      if (code) cancelled++
      await check(repository, name, code === undefined, hint)
      if (!stop.signal.aborted) break
    }
    expect(cancelled).toBeGreaterThan(0)
  })

  it.runIf(['backup', 'restore', 'verify'].includes(name))('ends with CANCELLED, or is done, at whichever report of progress the signal fires', async () => {
    let cancelled = 0
    for (let report = 1; ; report++) {
      const repository = copyOf(start)
      const stop = new AbortController()
      let reports = 0
      const code = await opened(repository, (open) => codeOf(job(open, stop.signal, () => void (++reports === report && stop.abort()))), { on: hasty() })
      if (code) cancelled++
      const hint = `${name} at report ${report}: ${code}`
      expect(['CANCELLED', undefined], hint).toContain(code)
      await check(repository, name, code === undefined, hint)
      if (!stop.signal.aborted) break
    }
    expect(cancelled).toBeGreaterThan(1)
  })
})

describe('a signal', () => {
  it('keeps its reason as the cause', async () => {
    const reason = new Error('the user left')
    await opened(copyOf(start), async (open) => {
      await expect(open.backup(source, { signal: AbortSignal.abort(reason) })).rejects.toMatchObject({ code: 'CANCELLED', cause: reason })
    })
  })

  it('stops the opening of a repository', async () => {
    await expect(
      openRepository(platform, createMemoryStorage(start.objects), { credentials: { key: KEY }, workers: 0, signal: AbortSignal.abort() }),
    ).rejects.toEqual(coded('CANCELLED'))
  })

  it('of one job stops no other of the same repository', async () => {
    for (let call = 1; call < 12; call++) {
      const repository = copyOf(start)
      const stop = new AbortController()
      const storage = watched(createMemoryStorage(repository.objects), {
        async before({ number }) {
          if (number === call + 3) stop.abort()
          await new Promise((done) => setTimeout(done))
        },
      })
      await opened(
        repository,
        async (open) => {
          const [cancelled, kept, bytes] = await Promise.all([
            codeOf(open.backup(source, { signal: stop.signal })),
            open.backup(fileOf(noise(call, 50_000))),
            restored(open, first.id),
          ])
          expect(['CANCELLED', undefined]).toContain(cancelled)
          expect(same(await restored(open, kept.id), noise(call, 50_000))).toBe(true)
          expect(same(bytes, earlier)).toBe(true)
        },
        { storage },
      )
    }
  })
})

describe('a repository that is closed', () => {
  it('can not be used, and closes again', async () => {
    const open = await openRepository(platform, createMemoryStorage(new Map(start.objects)), { credentials: { key: KEY }, workers: 0 })
    await open.close()
    await open.close()
    await open[Symbol.asyncDispose]()
    for (const job of [
      () => open.backup(source),
      () => open.list(),
      () => open.show('latest'),
      () => open.restore('latest', '/nowhere'),
      () => open.verify(),
      () => open.delete(['latest']),
    ]) {
      await expect(job()).rejects.toEqual(coded('CLOSED'))
    }
  })

  it('ends the jobs that run with a coded error, and harms nothing', async () => {
    for (let call = 4; call < 20; call++) {
      const repository = copyOf(start)
      let closing: Promise<void> | undefined
      let open: Repository | undefined
      const storage = watched(createMemoryStorage(repository.objects), {
        async before({ number }) {
          if (number === call) closing = open?.close()
          await new Promise((done) => setTimeout(done))
        },
      })
      open = await openRepository(platform, storage, { credentials: { key: KEY }, workers: 0 })
      const jobs = [open.backup(source), restored(open, first.id), open.verify({ readData: true })]
      for (const result of await Promise.allSettled(jobs)) if (result.status === 'rejected') expect(result.reason, `closed at call ${call}`).toEqual(coded())
      await (closing ?? open.close())
      const isDone = (await opened(repository, (again) => again.list())).length === 2
      await check(repository, 'backup', isDone, `closed at call ${call}`)
    }
  })
})

describe('a cancelled job whose worker does not answer', () => {
  /** Like `platform`, but calls of `operation` get no answer until the port is closed. */
  const silentAt = (operation: string, asked: () => void): Platform => ({
    ...platform,
    async spawn(options) {
      const port = await platform.spawn(options)
      const silenced: ((reason: unknown) => void)[] = []
      return {
        ...port,
        call(name, argument, transfer) {
          if (name !== operation) return port.call(name, argument, transfer)
          asked()
          return new Promise((_, reject) => silenced.push(reject))
        },
        async close() {
          for (const reject of silenced) reject(new BlockvaultError('WORKER_FAILED', 'The worker was closed.'))
          await port.close()
        },
      }
    },
  })

  it.each([
    ['backup', 'encoder.scan'],
    ['restore', 'frames.decode'],
    ['verify', 'frames.decode'],
  ] as const)('(%s) ends with CANCELLED half a minute later, and the repository can be closed', async (name, operation) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      let asked = () => {}
      const silent = new Promise<void>((resolve) => (asked = resolve))
      const open = await openRepository(
        silentAt(operation, () => asked()),
        createMemoryStorage(copyOf(start).objects),
        { ...start.options, workers: 1 },
      )
      const controller = new AbortController()
      const code = codeOf(JOBS[name]!(open, controller.signal, () => {}))
      await silent
      controller.abort()
      await vi.advanceTimersByTimeAsync(29_000)
      expect(await Promise.race([code, 'still waiting'])).toBe('still waiting')
      await vi.advanceTimersByTimeAsync(2000)
      expect(await code).toBe('CANCELLED')
      await open.close()
    } finally {
      vi.useRealTimers()
    }
  })
})
