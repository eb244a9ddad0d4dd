/** What the edge backs up: Blobs, streams and addresses, which may end, grow, fail or stand still. */
import { readFileSync } from 'node:fs'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  blobVolume,
  createHttpStorage,
  createMemoryStorage,
  fetchVolume,
  openRepository,
  type RepositoryOptions,
  streamVolume,
} from '../../adapters/edge/index.ts'
import { openRepository as openOnNode } from '../../adapters/node/index.ts'
import { type Image, KEY, makeImage, noExt4, PASSPHRASE } from './support/ext4.ts'
import { type ObjectServer, startObjectServer } from './support/object-server.ts'
import { code, core, settles, sha256 } from './support/targets.ts'

let server: ObjectServer
beforeEach(async () => {
  server = await startObjectServer()
})
afterEach(() => server.close())
const open = (options: Partial<RepositoryOptions> = {}) => openRepository({ storage: createHttpStorage({ url: server.url, retryMs: 1 }), core, ...options })

describe.skipIf(noExt4)(`an ext4 image as a source${noExt4 ? `: ${noExt4}` : ''}`, () => {
  let image: Image
  let disk: Uint8Array<ArrayBuffer>
  beforeAll(() => {
    image = makeImage(32)
    disk = new Uint8Array(readFileSync(image.path))
  })
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
    Blob: async () => new Blob([disk]),
    'Blob volume': async () => blobVolume(new Blob([disk])),
    stream: async () => streamVolume(chunked(disk), disk.length),
    address: async () => {
      server.objects.set('disk.img', disk)
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
    expect(sha256(await volume.readAt(0, disk.length))).toBe(image.sha256)
  })

  it('is backed up to a server that takes PUT', async () => {
    const writable = createHttpStorage({ url: server.url, writable: true })
    await using repository = await open({ storage: writable, credentials: { passphrase: PASSPHRASE }, create: true })
    await repository.backup(new Blob([disk]), { volume: 'disk' })
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
    server.objects.set('disk.img', disk)
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
