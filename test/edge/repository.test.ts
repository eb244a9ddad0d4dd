/** The edge's repository, from its sources, on Node: what streams, writers, sources and servers may do to a job. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  blobVolume,
  createHttpStorage,
  createMemoryStorage,
  type EdgeRepository,
  fetchVolume,
  openRepository,
  type RangeWriter,
  type RepositoryOptions,
  streamVolume,
} from '../../adapters/edge/index.ts'
import { openRepository as openOnNode } from '../../adapters/node/index.ts'
import { KEY, noExt4, PASSPHRASE, type StoredImage, storeImage } from './support/ext4.ts'
import { type ObjectServer, startObjectServer } from './support/object-server.ts'

const wasm = readFileSync(fileURLToPath(new URL('../../wasm/pkg/blockvault_core_bg.wasm', import.meta.url)))
const core = new WebAssembly.Module(wasm)
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const code = (expected: string) => expect.objectContaining({ name: 'BlockvaultError', code: expected })

let server: ObjectServer
beforeEach(async () => {
  server = await startObjectServer()
})
afterEach(() => server.close())
const storage = () => createHttpStorage({ url: server.url, retryMs: 1, timeoutMs: 60_000 })
const open = (options: Partial<RepositoryOptions> = {}) => openRepository({ storage: storage(), core, ...options })

/** Gathers what is written, in order. */
function sink() {
  const parts: Uint8Array[] = []
  const seen = { closed: false, aborted: undefined as unknown }
  const stream = new WritableStream<Uint8Array>({
    write: (part) => void parts.push(part),
    close: () => void (seen.closed = true),
    abort: (reason) => void (seen.aborted = reason),
  })
  return { stream, seen, bytes: () => Buffer.concat(parts) }
}

/** A file of zeros that takes ranges. */
function file(size: number) {
  const bytes = new Uint8Array(size)
  const seen = { closed: 0, aborted: undefined as unknown, written: 0 }
  const writer: RangeWriter = {
    write(offset, part) {
      bytes.set(part, offset)
      seen.written += part.length
    },
    close: () => void seen.closed++,
    abort: (reason) => void (seen.aborted = reason),
  }
  return { writer, seen, bytes }
}

/** Rejects within two seconds, or it is called a hang. */
async function settles(promise: Promise<unknown>): Promise<unknown> {
  const hangs = Symbol('hangs')
  const outcome = await Promise.race([promise.catch((error: unknown) => error), new Promise((resolve) => setTimeout(resolve, 2000, hangs))])
  expect(outcome, 'hangs').not.toBe(hangs)
  return outcome
}

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

  it('gives the event loop its turn between frames', async () => {
    serve('open')
    await using repository = await open()
    // In time of the processor, so that a busy machine does not count; the best of three, so that the compiler's threads do not.
    const longest = async () => {
      let longest = 0
      let before = process.cpuUsage()
      const timer = setInterval(() => {
        const { user, system } = process.cpuUsage(before)
        longest = Math.max(longest, (user + system) / 1000)
        before = process.cpuUsage()
      }, 1)
      await repository.restoreTo('latest', { write: () => {} })
      clearInterval(timer)
      return longest
    }
    const found = [await longest(), await longest(), await longest()]
    // A frame of 1 MiB takes 2 to 5 ms. All frames of a request in one go would take 40 and more.
    expect(Math.min(...found)).toBeLessThan(30)
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
    const restore = repository.restoreTo('latest', writable)
    const reader = readable.getReader()
    expect((await reader.read()).value?.length).toBeGreaterThan(0)
    await reader.cancel('gone')
    expect(await settles(restore)).toMatchObject({ code: 'TARGET_WRITE_FAILED', cause: 'gone' })
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

  describe('as a source', () => {
    const chunked = (bytes: Uint8Array, size = 100_000) => {
      let at = 0
      return new ReadableStream<Uint8Array>({
        pull(controller) {
          if (at >= bytes.length) controller.close()
          else controller.enqueue(bytes.slice(at, (at += size)))
        },
      })
    }
    const sources = {
      Blob: async () => new Blob([disk as Uint8Array<ArrayBuffer>]),
      'Blob volume': async () => blobVolume(new Blob([disk as Uint8Array<ArrayBuffer>])),
      stream: async () => streamVolume(chunked(disk), disk.length),
      address: async () => {
        server.objects.set('disk.img', disk as Uint8Array<ArrayBuffer>)
        return fetchVolume(`${server.url}disk.img`)
      },
    }

    it.each(Object.keys(sources) as (keyof typeof sources)[])('that is a %s is backed up, and Node restores it', async (kind) => {
      const objects = new Map<string, Uint8Array<ArrayBuffer>>()
      await using repository = await open({ storage: createMemoryStorage(objects), credentials: { key: KEY }, create: true })
      const backup = await repository.backup(await sources[kind](), { volume: 'disk' })
      expect(backup).toMatchObject({ volume: 'disk', volumeBytes: disk.length, readBytes: disk.length, sourcePath: '', hostName: '' })
      await using onNode = await openOnNode({ repository: createMemoryStorage(objects), credentials: { key: KEY }, workers: 0 })
      await using volume = await onNode.openBackup('latest:disk')
      expect(sha256(await volume.readAt(0, disk.length))).toBe(stored.image.sha256)
    })

    it('is backed up to a server that takes PUT', async () => {
      const writable = createHttpStorage({ url: server.url, writable: true })
      await using repository = await open({ storage: writable, credentials: { passphrase: PASSPHRASE }, create: true })
      await repository.backup(new Blob([disk as Uint8Array<ArrayBuffer>]), { volume: 'disk' })
      await using again = await open({ credentials: { passphrase: PASSPHRASE } })
      expect(await again.verify({ readData: true })).toMatchObject({ backups: 1, errors: [] })
      expect(server.busiest).toBeLessThanOrEqual(4)
      expect(await repository.delete(['latest'])).toHaveLength(1)
      expect(await again.list()).toEqual([])
    })

    it.each([
      ['shorter than was said', (bytes: Uint8Array) => streamVolume(chunked(bytes.subarray(1)), bytes.length), 'SOURCE_CHANGED'],
      ['longer than was said', (bytes: Uint8Array) => streamVolume(chunked(bytes), bytes.length - 1), 'SOURCE_CHANGED'],
      [
        'a stream that fails',
        (bytes: Uint8Array) => streamVolume(new ReadableStream({ pull: () => Promise.reject(new Error('lost')) }), bytes.length),
        'SOURCE_READ_FAILED',
      ],
    ] as const)('that is %s gives no backup', async (_, source, expected) => {
      await using repository = await open({ storage: createMemoryStorage(), credentials: { key: KEY }, create: true })
      expect(await settles(repository.backup(source(disk.subarray(0, 9_000_000))))).toEqual(code(expected))
      expect(await repository.list()).toEqual([])
    })

    it('that was read once gives no second backup', async () => {
      await using repository = await open({ storage: createMemoryStorage(), credentials: { key: KEY }, create: true })
      const source = streamVolume(chunked(disk), disk.length)
      await repository.backup(source)
      await expect(repository.backup(source)).rejects.toEqual(code('USAGE'))
    })

    it('that stands still does not hold a backup that is cancelled', async () => {
      await using repository = await open({ storage: createMemoryStorage(), credentials: { key: KEY }, create: true })
      const source = streamVolume(new ReadableStream(), 10_000_000)
      expect(await settles(repository.backup(source, { signal: AbortSignal.timeout(100) }))).toEqual(code('CANCELLED'))
    })

    it('behind an address must stay what it was', async () => {
      server.objects.set('disk.img', disk as Uint8Array<ArrayBuffer>)
      await using repository = await open({ storage: createMemoryStorage(), credentials: { key: KEY }, create: true })
      const grown = await fetchVolume(`${server.url}disk.img`)
      server.objects.set('disk.img', new Uint8Array(disk.length + 1))
      await expect(repository.backup(grown)).rejects.toEqual(code('SOURCE_CHANGED'))
      let version = 0
      server.misbehave = (_, response) => (response.setHeader('etag', `"${version++}"`), false)
      await expect(repository.backup(await fetchVolume(`${server.url}disk.img`))).rejects.toEqual(code('SOURCE_CHANGED'))
      server.misbehave = undefined
      await expect(fetchVolume(`${server.url}nothing`)).rejects.toEqual(code('SOURCE_MISSING'))
      server.objects.set('empty', new Uint8Array(0))
      expect((await fetchVolume(`${server.url}empty`)).size).toBe(0)
      server.misbehave = (_, response) => (response.end(disk), true)
      await expect(fetchVolume(`${server.url}disk.img`)).rejects.toEqual(code('SOURCE_READ_FAILED'))
    })
  })
})

describe('the core', () => {
  let pages: ObjectServer
  beforeAll(async () => {
    pages = await startObjectServer(new Map([['typed-wrongly.wasm', new Uint8Array(wasm)]]), {
      'core.wasm': { type: 'application/wasm', body: wasm },
      'broken.wasm': { type: 'application/wasm', body: 'no wasm' },
    })
  })
  afterAll(() => pages.close())
  const opened = (source: RepositoryOptions['core']) =>
    openRepository({ storage: createMemoryStorage(), core: source, create: true, init: { encryption: false } })

  it('may be a module, an address, or a response', async () => {
    for (const source of [core, `${pages.url}core.wasm`, new URL(`${pages.url}typed-wrongly.wasm`), fetch(`${pages.url}core.wasm`)]) {
      await using repository = await opened(source)
      await repository.backup(new Blob(['volume']))
      expect(await repository.list()).toHaveLength(1)
    }
  })

  it.each(['nothing', 'broken.wasm'])('that is %s can not be loaded', async (name) => {
    await expect(opened(`${pages.url}${name}`)).rejects.toEqual(code('CORE_UNAVAILABLE'))
  })

  it('that nobody answers for can not be loaded', async () => {
    await expect(opened('http://127.0.0.1:1/core.wasm')).rejects.toEqual(code('CORE_UNAVAILABLE'))
  })
})
