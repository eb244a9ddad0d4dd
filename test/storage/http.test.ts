/** What an HTTP server adds to the contract: everything it can get wrong, slowly or at once. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDirectoryStorage } from '../../adapters/node/storage.ts'
import type { StorageBackend } from '../../src/contract/storage.ts'
import { createHttpStorage, type HttpStorageOptions } from '../../src/storage/http.ts'
import { createListing } from '../../src/storage/listing.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { type Misbehaviour, type ObjectServer, startObjectServer } from '../edge/support/object-server.ts'
import { temporaryDirectory } from '../repository/support/volumes.ts'
import { storageSuite } from '../suites/storage.ts'

let server: ObjectServer
beforeEach(async () => {
  server = await startObjectServer()
})
afterEach(() => server.close())

const FAST = { retryMs: 1, timeoutMs: 300 }
const open = (options: Partial<HttpStorageOptions> = {}) => createHttpStorage({ url: server.url, ...FAST, ...options })

storageSuite('HTTP', async () => ({ storage: open({ writable: true, timeoutMs: 10_000 }), again: () => open({ writable: true, timeoutMs: 10_000 }) }))

/** Misbehaves the first `times` times. */
const first = (times: number, bad: Misbehaviour): Misbehaviour => {
  let count = 0
  return (...all) => count++ < times && bad(...all)
}
const status =
  (code: number, headers: Record<string, string> = {}, body?: string | Uint8Array): Misbehaviour =>
  (_, response) => {
    response.writeHead(code, headers).end(body)
    return true
  }
const partial = (contentRange: string | undefined, body: Uint8Array, headers: Record<string, string> = {}) =>
  status(206, { ...(contentRange === undefined ? {} : { 'content-range': contentRange }), ...headers }, body)
async function gather<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const gathered: Item[] = []
  for await (const item of items) gathered.push(item)
  return gathered
}
const bytes = (length: number, value = 7) => new Uint8Array(length).fill(value)

describe('a range', () => {
  const OBJECT = Uint8Array.from({ length: 100 }, (_, index) => index)
  beforeEach(() => server.objects.set('packs/ab/one', OBJECT))
  const range = (storage: StorageBackend = open()) => storage.getRange('packs/ab/one', 10, 20)

  it.each<[string, Misbehaviour, string]>([
    ['all of it with 200', status(200, {}, OBJECT), 'STORAGE_FAILED'],
    ['just the range, but with 200', status(200, {}, OBJECT.subarray(10, 30)), 'STORAGE_FAILED'],
    ['just the range and its place, but with 200', status(200, { 'content-range': 'bytes 10-29/100' }, OBJECT.subarray(10, 30)), 'STORAGE_FAILED'],
    ['nothing, with 204', status(204), 'STORAGE_FAILED'],
    ['another range', partial('bytes 11-30/100', OBJECT.subarray(11, 31)), 'STORAGE_FAILED'],
    ['the right bytes under another range', partial('bytes 0-19/100', OBJECT.subarray(10, 30)), 'STORAGE_FAILED'],
    ['a place that begins elsewhere', partial('bytes 11-29/100', OBJECT.subarray(10, 30)), 'STORAGE_FAILED'],
    ['no word of which range', partial(undefined, OBJECT.subarray(10, 30)), 'STORAGE_FAILED'],
    ['a range that is none', partial('10-29', OBJECT.subarray(10, 30)), 'STORAGE_FAILED'],
    ['several ranges', partial(undefined, OBJECT, { 'content-type': 'multipart/byteranges; boundary=x' }), 'STORAGE_FAILED'],
    ['a longer range than asked', partial('bytes 10-39/100', OBJECT.subarray(10, 40)), 'STORAGE_FAILED'],
    ['a shorter range than asked', partial('bytes 10-19/100', OBJECT.subarray(10, 20)), 'STORAGE_FAILED'],
    ['more bytes than it says', partial('bytes 10-29/100', OBJECT.subarray(10, 50)), 'STORAGE_FAILED'],
    ['fewer bytes than it says', partial('bytes 10-29/100', OBJECT.subarray(10, 20)), 'STORAGE_FAILED'],
    ['an encoded form', partial('bytes 10-29/100', OBJECT.subarray(10, 30), { 'content-encoding': 'br' }), 'STORAGE_FAILED'],
    ['a compressed form', partial('bytes 10-29/100', gzipSync(OBJECT.subarray(10, 30)), { 'content-encoding': 'gzip' }), 'STORAGE_FAILED'],
    ['a length that differs', partial('bytes 10-29/100', OBJECT.subarray(10, 30), { 'content-length': '21' }), 'STORAGE_FAILED'],
    ['the end of a shorter object', partial('bytes 10-24/25', OBJECT.subarray(10, 25)), 'OBJECT_DAMAGED'],
    ['that there is no such range', status(416, { 'content-range': 'bytes */5' }), 'OBJECT_DAMAGED'],
    ['that there is no such range, and not how long it is', status(416), 'OBJECT_DAMAGED'],
    ['404', status(404), 'OBJECT_MISSING'],
    ['410', status(410), 'OBJECT_MISSING'],
    ['401', status(401), 'STORAGE_DENIED'],
    ['403', status(403), 'STORAGE_DENIED'],
    ['400', status(400), 'STORAGE_FAILED'],
    ['500 for ever', status(500), 'STORAGE_FAILED'],
    ['a redirect to another place', status(302, { location: 'http://127.0.0.1:9/else?secret=1' }), 'STORAGE_FAILED'],
    ['a redirect to the right place', status(307, { location: '/packs/ab/one' }), 'STORAGE_FAILED'],
  ])('is refused when the server sends %s', async (_, bad, code) => {
    server.misbehave = bad
    const error = await range().then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(error).toMatchObject({ code, details: { object: 'packs/ab/one' } })
    expect(String(error)).not.toContain('secret')
    server.misbehave = undefined
    expect(await range()).toEqual(OBJECT.slice(10, 30))
  })

  it.each<[string, Misbehaviour]>([
    ['500', status(500)],
    ['503 and a time to wait', status(503, { 'retry-after': '0' })],
    ['429', status(429)],
    ['a connection that breaks', (request) => (request.socket.destroy(), true)],
    [
      'a body that breaks off',
      (_, response) => (response.writeHead(206, { 'content-range': 'bytes 10-29/100', 'content-length': 20 }).write('abc'), response.destroy(), true),
    ],
    ['nothing at all', () => true],
    ['a body that stands still', (_, response) => (response.writeHead(206, { 'content-range': 'bytes 10-29/100', 'content-length': 20 }).write('abc'), true)],
  ])('is asked for again after %s, and not for ever', async (_, bad) => {
    server.misbehave = first(3, bad)
    expect(await range()).toEqual(OBJECT.slice(10, 30))
    expect(server.log).toHaveLength(4)
    server.misbehave = bad
    await expect(range()).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
    expect(server.log).toHaveLength(8)
  })

  it('is not asked for again when that can not help', async () => {
    server.misbehave = status(200, {}, OBJECT)
    await expect(range()).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
    expect(server.log).toHaveLength(1)
  })

  it('goes on as long as something comes, however slowly', async () => {
    server.delayMs = 200
    server.misbehave = (_, response) => {
      response.writeHead(206, { 'content-range': 'bytes 10-29/100', 'content-length': 20 })
      let at = 10
      response.flushHeaders()
      const write = () => {
        response.write(OBJECT.subarray(at, ++at))
        if (at < 30) setTimeout(write, 40)
      }
      setTimeout(write, 200)
      return true
    }
    expect(await range()).toEqual(OBJECT.slice(10, 30))
  })

  it.each<[string, Misbehaviour]>([
    ['an answer', () => true],
    ['the rest of the body', (_, response) => (response.writeHead(206, { 'content-range': 'bytes 10-29/100' }).write('abc'), true)],
    ['the next attempt', status(503, { 'retry-after': '9' })],
  ])('ends at once when it is cancelled while it waits for %s', async (_, bad) => {
    server.misbehave = bad
    const controller = new AbortController()
    const read = open({ timeoutMs: 60_000 }).getRange('packs/ab/one', 10, 20, { signal: controller.signal })
    setTimeout(() => controller.abort('no more'), 50)
    const started = performance.now()
    await expect(read).rejects.toMatchObject({ code: 'CANCELLED', cause: 'no more' })
    expect(performance.now() - started).toBeLessThan(2000)
  })

  it('takes its turn: so many requests at once and no more; who waits and cancels is let go', async () => {
    server.delayMs = 20
    const storage = open()
    await Promise.all(Array.from({ length: 20 }, (_, index) => storage.getRange('packs/ab/one', index, 1)))
    expect(server.busiest).toBe(4)
    server.misbehave = () => true
    const one = open({ requestsMax: 1, timeoutMs: 60_000, attempts: 1 })
    const stuck = new AbortController()
    const held = one.getRange('packs/ab/one', 0, 1, { signal: stuck.signal })
    const waiting = new AbortController()
    const waits = one.getRange('packs/ab/one', 1, 1, { signal: waiting.signal })
    waiting.abort()
    await expect(waits).rejects.toMatchObject({ code: 'CANCELLED' })
    server.misbehave = undefined
    const next = one.getRange('packs/ab/one', 2, 1)
    stuck.abort()
    await expect(held).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(await next).toEqual(Uint8Array.of(2))
  })
})

describe('a whole object', () => {
  const whole = (bytesMax = 1000) => open().get('index/one', { bytesMax })
  beforeEach(() => server.objects.set('index/one', bytes(100)))

  it.each<[string, Misbehaviour, string]>([
    ['206', partial('bytes 0-99/100', bytes(100)), 'STORAGE_FAILED'],
    ['404', status(404), 'OBJECT_MISSING'],
    ['403', status(403), 'STORAGE_DENIED'],
    ['a redirect', status(301, { location: 'https://other.example/' }), 'STORAGE_FAILED'],
    ['less than it announced', (_, response) => (response.writeHead(200, { 'content-length': 100 }).write('abc'), response.destroy(), true), 'STORAGE_FAILED'],
    ['an announcement that is too long', (_, response) => (response.writeHead(200, { 'content-length': 10 ** 12 }).write('abc'), true), 'OBJECT_DAMAGED'],
    ['bytes without end', endless, 'OBJECT_DAMAGED'],
    ['an encoding that is a lie', status(200, { 'content-encoding': 'gzip' }, bytes(100)), 'STORAGE_FAILED'],
  ])('is refused when the server sends %s', async (_, bad, code) => {
    server.misbehave = bad
    await expect(whole()).rejects.toMatchObject({ code, details: { object: 'index/one' } })
    server.misbehave = undefined
    expect(await whole()).toEqual(bytes(100))
  })

  it('may be compressed on its way', async () => {
    const packed = gzipSync(bytes(100))
    server.misbehave = status(200, { 'content-encoding': 'gzip', 'content-length': String(packed.length) }, packed)
    expect(await whole(100)).toEqual(bytes(100))
    await expect(whole(99)).rejects.toMatchObject({ code: 'OBJECT_DAMAGED' })
  })
})

function endless(_request: unknown, response: ServerResponse): boolean {
  response.writeHead(200)
  const timer = setInterval(() => response.write(new Uint8Array(64 * 1024)), 1)
  response.on('close', () => clearInterval(timer))
  return true
}

describe('the list of objects', () => {
  const listed = async (storage: StorageBackend, prefix = '') => (await gather(storage.list(prefix))).map(({ name, size }) => `${size} ${name}`).sort()
  const listing =
    (text: string | Uint8Array): Misbehaviour =>
    (_, response, path) =>
      path === 'listing' && (response.writeHead(200).end(text), true)

  it('is what createListing makes of a storage, and what find prints', async () => {
    const memory = createMemoryStorage(
      new Map([
        ['config', bytes(3)],
        ['packs/ab/one', bytes(70)],
        ['listing', bytes(9)],
      ]),
    )
    const text = (await gather(createListing(memory))).join('')
    expect(text).toBe('3 config\n70 packs/ab/one\n')
    server.misbehave = listing(text)
    expect(await listed(open())).toEqual(['3 config', '70 packs/ab/one'])
    expect(await listed(open(), 'packs/')).toEqual(['70 packs/ab/one'])
    const folder = temporaryDirectory()
    const disk = createDirectoryStorage(folder)
    await disk.put('packs/ab/one', [bytes(70)])
    writeFileSync(`${folder}/README.html`, 'x')
    server.misbehave = listing(execFileSync('find', ['.', '-type', 'f', '-printf', '%s %P\\n'], { cwd: folder }))
    expect(await listed(open())).toEqual(['70 packs/ab/one'])
  })

  it('is made in pieces, however many objects there are', async () => {
    const memory = createMemoryStorage(new Map(Array.from({ length: 5000 }, (_, object) => [`packs/ab/${object}`, bytes(1)])))
    const pieces = await gather(createListing(memory))
    expect(pieces.length).toBeGreaterThan(1)
    server.misbehave = listing(pieces.join(''))
    expect(await listed(open())).toHaveLength(5000)
  })

  it.each([
    ['a page', '<!doctype html>\n<title>Welcome</title>\n'],
    ['a list that was cut off', '3 config\n70 packs/ab/on'],
    ['a size that is none', '-3 config\n'],
    ['a name without a size', 'config\n'],
    ['a line without end', 'x'.repeat(100_000)],
  ])('is refused when it is %s', async (_, text) => {
    server.misbehave = listing(text)
    await expect(listed(open())).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
  })

  it('that is not there is said so, and an empty one is one', async () => {
    server.misbehave = (_, response) => (response.writeHead(404).end(), true)
    await expect(listed(open())).rejects.toMatchObject({ code: 'STORAGE_FAILED', message: expect.stringContaining('createListing') })
    server.misbehave = listing('')
    expect(await listed(open())).toEqual([])
  })

  it('may lie elsewhere, and is not sent what authorises us here', async () => {
    const other = await startObjectServer()
    try {
      const seen: (string | undefined)[] = []
      other.misbehave = (request, response) => (seen.push(request.headers.authorization), response.end('3 config\n'), true)
      server.misbehave = (request) => (seen.push(request.headers.authorization), false)
      const storage = open({ headers: { authorization: 'secret' }, listing: `${other.url}lists/today` })
      server.objects.set('config', bytes(3))
      expect(await listed(storage)).toEqual(['3 config'])
      await storage.get('config', { bytesMax: 3 })
      expect(seen).toEqual([undefined, 'secret'])
      expect(other.log).toEqual(['GET lists/today'])
    } finally {
      await other.close()
    }
  })

  it('may be a function', async () => {
    const storage = open({
      listing: async function* (prefix) {
        yield { name: `${prefix}one`, size: 3 }
      },
    })
    expect(await listed(storage, 'index/')).toEqual(['3 index/one'])
    expect(server.log).toEqual([])
  })

  it('that is old shows what this handle stored and removed all the same', async () => {
    const storage = open({ writable: true })
    server.misbehave = listing('1 backups/old\n1 backups/other\n')
    server.objects.set('backups/old', bytes(1))
    await storage.put('backups/new', [bytes(2)])
    await storage.delete('backups/old')
    expect(await listed(storage)).toEqual(['1 backups/other', '2 backups/new'])
    // Once the list has caught up, it is believed again.
    server.misbehave = listing('1 backups/other\n2 backups/new\n')
    expect(await listed(storage)).toEqual(['1 backups/other', '2 backups/new'])
    server.misbehave = listing('1 backups/old\n')
    expect(await listed(storage)).toEqual(['1 backups/old'])
  })
})

describe('writing', () => {
  it('is refused unless it was asked for', async () => {
    await expect(open().put('config', [bytes(1)])).rejects.toMatchObject({ code: 'STORAGE_DENIED' })
    await expect(open().delete('config')).rejects.toMatchObject({ code: 'STORAGE_DENIED' })
    expect(server.log).toEqual([])
  })

  it('is refused on a server that replaces objects, before a second object could be', async () => {
    server.misbehave = (request, response, path) => {
      if (request.method !== 'PUT') return false
      request.resume()
      request.on('end', () => (server.objects.set(path, bytes(1)), response.writeHead(201).end()))
      return true
    }
    await expect(open({ writable: true }).put('index/one', [bytes(1)])).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      message: expect.stringContaining('If-None-Match'),
    })
  })

  it("takes an object whose answer was lost for its own, and nobody else's", async () => {
    const lose = (content?: Uint8Array<ArrayBuffer>): Misbehaviour =>
      first(1, (request, _, path) => {
        if (request.method !== 'PUT') return false
        const parts: Uint8Array[] = []
        request.on('data', (part) => parts.push(part))
        request.on('end', () => (server.objects.set(path, content ?? new Uint8Array(Buffer.concat(parts))), request.socket.destroy()))
        return true
      })
    server.misbehave = lose()
    await open({ writable: true }).put('index/one', [bytes(3), bytes(4)])
    expect(server.objects.get('index/one')).toEqual(bytes(7))
    server.misbehave = lose(bytes(7, 1))
    await expect(open({ writable: true }).put('index/two', [bytes(7)])).rejects.toMatchObject({ code: 'OBJECT_EXISTS' })
    expect(server.objects.get('index/two')).toEqual(bytes(7, 1))
  })

  it.each([
    [202, 'STORAGE_FAILED'],
    [405, 'STORAGE_FAILED'],
    [403, 'STORAGE_DENIED'],
    [507, 'STORAGE_FULL'],
  ])('that the server answers with %i is no success', async (code, expected) => {
    server.misbehave = (request, response) => (request.resume(), request.on('end', () => response.writeHead(code).end()), true)
    await expect(open({ writable: true }).put('index/one', [bytes(1)])).rejects.toMatchObject({ code: expected })
  })
})

describe('the address', () => {
  it.each(['', 'repository', 'ftp://host/', 'file:///repository/', 'http://user:password@host/', 'http://host/#here'])('%j is none', (url) => {
    expect(() => createHttpStorage({ url })).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })

  it('may have a path, with or without a slash behind it, and a query that goes with every request and into no message', async () => {
    server.objects.set('some/place/config', bytes(3))
    const seen: string[] = []
    server.misbehave = (request) => (seen.push(request.url ?? ''), false)
    for (const path of ['some/place', 'some/place/']) {
      const storage = open({ url: `${server.url}${path}?token=secret` })
      expect(await storage.get('config', { bytesMax: 3 })).toEqual(bytes(3))
      expect(storage.description).toBe(`${server.url}some/place/`)
      await expect(storage.get('missing', { bytesMax: 3 })).rejects.toMatchObject({ message: expect.not.stringContaining('secret') })
    }
    expect(seen[0]).toBe('/some/place/config?token=secret')
  })

  it.each([{ requestsMax: 0 }, { timeoutMs: 1.5 }, { attempts: 11 }, { retryMs: Number.NaN }])('comes with limits that make sense: %j', (limits) => {
    expect(() => open(limits)).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })

  it('that nobody answers at is an error after the attempts', async () => {
    const { url } = server
    await server.close()
    await expect(createHttpStorage({ url, ...FAST }).get('config', { bytesMax: 1 })).rejects.toMatchObject({ code: 'STORAGE_FAILED' })
    server = await startObjectServer()
  })
})
