/** The edge's repository, from its sources, on Node: what streams, writers, sources and servers may do to a job. */
import { readFileSync } from 'node:fs'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  createHttpStorage,
  createMemoryStorage,
  type EdgeRepository,
  openRepository,
  type RangeWriter,
  type RepositoryOptions,
} from '../../adapters/edge/index.ts'
import { KEY, noExt4, PASSPHRASE, type StoredImage, storeImage } from './support/ext4.ts'
import { type ObjectServer, startObjectServer } from './support/object-server.ts'
import { code, core, file, settles, sha256, sink } from './support/targets.ts'

let server: ObjectServer
beforeEach(async () => {
  server = await startObjectServer()
})
afterEach(() => server.close())
const storage = () => createHttpStorage({ url: server.url, retryMs: 1, timeoutMs: 60_000 })
const open = (options: Partial<RepositoryOptions> = {}) => openRepository({ storage: storage(), core, ...options })

describe.skipIf(noExt4)(`a stored ext4 image${noExt4 ? `: ${noExt4}` : ''}`, () => {
  let stored: StoredImage
  let disk: Uint8Array
  beforeAll(async () => {
    stored = await storeImage(32)
    disk = new Uint8Array(readFileSync(stored.image.path))
  }, 60_000)
  const serve = (kind: keyof StoredImage['repositories']) => {
    for (const [name, bytes] of stored.repositories[kind]) server.objects.set(name, bytes)
  }

  it.each([
    ['key', { key: KEY }],
    ['passphrase', { passphrase: PASSPHRASE }],
    ['open', undefined],
  ] as const)('of a repository with %s is restored to a stream and to a writer', async (kind, credentials) => {
    serve(kind)
    await using repository = await open({ credentials })
    const target = sink()
    const progress: number[] = []
    const result = await repository.restoreTo('latest', target.stream, { onProgress: ({ doneBytes }) => progress.push(doneBytes) })
    expect(result).toMatchObject({ bytes: disk.length })
    expect(sha256(target.bytes())).toBe(stored.image.sha256)
    expect(target.seen).toEqual({ closed: true, aborted: undefined })
    expect(progress.at(-1)).toBe(disk.length)

    const { writer, seen, bytes } = file(disk.length)
    await repository.restoreTo('latest', writer)
    expect(sha256(bytes)).toBe(stored.image.sha256)
    expect(seen).toMatchObject({ closed: 1, aborted: undefined })
    expect(seen.written, 'zeros are left out').toBeLessThan(disk.length)
  })

  it('is restored in parts, to where they begin', async () => {
    serve('key')
    await using repository = await open({ credentials: { key: KEY } })
    for (const range of [
      { offset: 0, length: 0 },
      { offset: 0, length: 1 },
      { offset: 4 * 1024 * 1024 - 3, length: 4 * 1024 * 1024 + 7 },
      { offset: disk.length - 5, length: 5 },
      { offset: disk.length, length: 0 },
    ]) {
      const { stream, bytes } = sink()
      expect(await repository.restoreTo('latest', stream, { range })).toMatchObject({ bytes: range.length })
      const wanted = disk.subarray(range.offset, range.offset + range.length)
      expect(Buffer.compare(bytes(), wanted), JSON.stringify(range)).toBe(0)
      const target = file(range.length)
      await repository.restoreTo('latest', target.writer, { range })
      expect(Buffer.compare(target.bytes, wanted), JSON.stringify(range)).toBe(0)
    }
    for (const range of [
      { offset: -1, length: 1 },
      { offset: 0.5, length: 1 },
      { offset: disk.length, length: 1 },
    ]) {
      const { stream, seen } = sink()
      await expect(repository.restoreTo('latest', stream, { range })).rejects.toEqual(code('USAGE'))
      expect(seen).toEqual({ closed: false, aborted: code('USAGE') })
      await expect(repository.restoreTo('latest', file(1).writer, { range })).rejects.toEqual(code('USAGE'))
    }
  })

  it('tells a writer of zeros that asks for them, and leaves none out', async () => {
    serve('key')
    await using repository = await open({ credentials: { key: KEY } })
    const target = file(disk.length)
    target.bytes.fill(0xee)
    await repository.restoreTo('latest', { ...target.writer, zero: (offset, length) => void target.bytes.fill(0, offset, offset + length) })
    expect(sha256(target.bytes)).toBe(stored.image.sha256)
  })

  it('is listed, shown, verified and read at any place', async () => {
    serve('key')
    await using repository = await open({ credentials: { key: KEY } })
    const [backup] = await repository.list()
    expect(backup).toMatchObject({ volume: 'disk.img', volumeBytes: disk.length })
    expect(await repository.show('latest')).toEqual(backup)
    expect(await repository.verify({ readData: true })).toMatchObject({ backups: 1, errors: [] })
    await using volume = await repository.openBackup('latest:disk.img')
    expect(Buffer.compare(await volume.readAt(12_345, 70_000), disk.subarray(12_345, 82_345))).toBe(0)
  })

  it('is read with four requests at once and no more', async () => {
    serve('open')
    server.delayMs = 5
    await using repository = await open()
    await repository.verify({ readData: true })
    await repository.restoreTo('latest', file(disk.length).writer)
    await repository.restoreTo('latest', sink().stream)
    expect(server.busiest).toBeLessThanOrEqual(4)
    expect(server.busiest).toBeGreaterThan(1)
  })

  it('is damaged: the target is aborted, and what a stream got before is right', async () => {
    serve('key')
    for (const [name, bytes] of stored.repositories.key) {
      if (!name.startsWith('packs/')) continue
      const broken = bytes.slice()
      broken[Math.floor(bytes.length / 2)]! ^= 1
      server.objects.set(name, broken)
    }
    await using repository = await open({ credentials: { key: KEY } })
    const target = sink()
    await expect(repository.restoreTo('latest', target.stream)).rejects.toEqual(code('OBJECT_DAMAGED'))
    expect(target.seen).toEqual({ closed: false, aborted: code('OBJECT_DAMAGED') })
    expect(Buffer.compare(target.bytes(), disk.subarray(0, target.bytes().length))).toBe(0)
    const { writer, seen } = file(disk.length)
    await expect(repository.restoreTo('latest', writer)).rejects.toEqual(code('OBJECT_DAMAGED'))
    expect(seen).toMatchObject({ closed: 0, aborted: code('OBJECT_DAMAGED') })
  })

  it('is not given when a server ignores ranges', async () => {
    serve('key')
    server.misbehave = (request, response, path) => {
      if (request.headers.range === undefined) return false
      response.end(server.objects.get(path))
      return true
    }
    await using repository = await open({ credentials: { key: KEY } })
    const target = sink()
    await expect(repository.restoreTo('latest', target.stream)).rejects.toEqual(code('STORAGE_FAILED'))
    expect(target.bytes()).toHaveLength(0)
    expect(target.seen.aborted).toEqual(code('STORAGE_FAILED'))
  })

  it.each(['wrong', 'wrong passphrase'])('opens to nobody with a key or passphrase that is %s', async (passphrase) => {
    serve('passphrase')
    await expect(open({ credentials: { passphrase } })).rejects.toEqual(code('KEY_WRONG'))
    await expect(open()).rejects.toEqual(code('KEY_REQUIRED'))
  })

  describe('whose restore is cancelled', () => {
    let repository: EdgeRepository
    let controller: AbortController
    beforeEach(async () => {
      serve('key')
      repository = await open({ credentials: { key: KEY } })
      controller = new AbortController()
    })
    const stuck = () => {
      server.misbehave = (_request, _response, path) => path.startsWith('packs/')
      setTimeout(() => controller.abort('page hidden'), 100)
    }

    it('while the server is silent: the stream is aborted', async () => {
      stuck()
      const target = sink()
      expect(await settles(repository.restoreTo('latest', target.stream, { signal: controller.signal }))).toEqual(code('CANCELLED'))
      expect(target.seen).toEqual({ closed: false, aborted: code('CANCELLED') })
    })

    it('while the server is silent: the writer is aborted', async () => {
      stuck()
      const { writer, seen } = file(disk.length)
      expect(await settles(repository.restoreTo('latest', writer, { signal: controller.signal }))).toEqual(code('CANCELLED'))
      expect(seen).toMatchObject({ closed: 0, aborted: code('CANCELLED') })
    })

    it.each(['write', 'close', 'abort'] as const)('while a target hangs in %s', async (where) => {
      const hang = () => new Promise<void>(() => {})
      setTimeout(() => controller.abort(), 300)
      const options = { signal: controller.signal, range: { offset: 0, length: 5_000_000 } }
      const slow = { write: () => new Promise<void>((resolve) => setTimeout(resolve, 250)), [where]: hang }
      expect(await settles(repository.restoreTo('latest', new WritableStream(slow), options))).toEqual(code('CANCELLED'))
      controller = new AbortController()
      setTimeout(() => controller.abort(), 300)
      expect(await settles(repository.restoreTo('latest', { ...slow }, { ...options, signal: controller.signal }))).toEqual(code('CANCELLED'))
    })

    it('before it began', async () => {
      controller.abort()
      const target = sink()
      await expect(repository.restoreTo('latest', target.stream, { signal: controller.signal })).rejects.toEqual(code('CANCELLED'))
      expect(target.seen.aborted).toEqual(code('CANCELLED'))
    })
  })

  it('whose consumer goes away ends with it, and asks the server for nothing more', async () => {
    serve('key')
    await using repository = await open({ credentials: { key: KEY } })
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const restore = settles(repository.restoreTo('latest', writable))
    const reader = readable.getReader()
    expect((await reader.read()).value?.length).toBeGreaterThan(0)
    await reader.cancel('gone')
    expect(await restore).toMatchObject({ code: 'TARGET_WRITE_FAILED', cause: 'gone' })
    const asked = server.log.length
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(server.log).toHaveLength(asked)
    expect(server.open).toBe(0)
  })

  it.each(['write', 'close'] as const)('fails with a target that fails in %s', async (where) => {
    serve('key')
    await using repository = await open({ credentials: { key: KEY } })
    const fail = () => {
      throw new Error('quota exceeded')
    }
    for (const target of [new WritableStream({ [where]: fail }), { write: () => {}, [where]: fail } as RangeWriter]) {
      const error = await settles(repository.restoreTo('latest', target, { range: { offset: 0, length: 100_000 } }))
      expect(error).toMatchObject({ code: 'TARGET_WRITE_FAILED', cause: expect.objectContaining({ message: 'quota exceeded' }) })
    }
  })
})

it('a restore gives the event loop its turn between frames', async () => {
  // 64 frames that a few requests bring: they shrink to almost nothing.
  const volume = new Uint8Array(64 * 1024 * 1024)
  new Uint32Array(volume.buffer).forEach((_, word, words) => (words[word] = word >> 14))
  await using repository = await open({ storage: createMemoryStorage(), create: true, init: { encryption: false } })
  await repository.backup(new Blob([volume]))
  // A turn is a message that the thread sends itself.
  let turns = 0
  const Channel = MessageChannel
  class CountedChannel extends Channel {
    constructor() {
      super()
      turns++
    }
  }
  globalThis.MessageChannel = CountedChannel as typeof MessageChannel
  try {
    await repository.restoreTo('latest', { write: () => {} })
  } finally {
    globalThis.MessageChannel = Channel
  }
  // One for eight frames at least, however fast the machine is.
  expect(turns).toBeGreaterThanOrEqual(8)
}, 60_000)
