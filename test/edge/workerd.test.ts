/** The edge adapter in workerd, the runtime itself: the built package, the core as an imported module, repositories behind HTTP. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { get } from 'node:http'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { toHex } from '../../src/core/bytes.ts'
import { KEY, noExt4, PASSPHRASE, type StoredImage, storeImage } from './support/ext4.ts'
import { type ObjectServer, startObjectServer } from './support/object-server.ts'
import { compiledSample } from './support/samples.ts'
import { noWorkerd, startWorkerd, type Workerd } from './support/workerd.ts'

/** Depends on each byte and its place; zeros count nothing, so that they may be left out, and pieces may come in any order. */
function sumOfPieces(bytes: Uint8Array, offset: number): number {
  let sum = 0
  for (let at = 0; at < bytes.length; at++) sum += (bytes[at] as number) * ((((offset + at) * 7919) % 65521) + 1)
  return sum % 2 ** 48
}

/** Does what it is asked for with a repository, and says what came of it. */
const WORKER = `
import core from 'blockvault/core.wasm'
import { createHttpStorage, createMemoryStorage, openRepository } from 'blockvault/edge'

const bytes = (hex) => Uint8Array.from(hex.match(/../g), (digits) => parseInt(digits, 16))
${sumOfPieces}
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('')

const JOBS = {
  async stream(repository) {
    const target = new crypto.DigestStream('SHA-256')
    const result = await repository.restoreTo('latest', target)
    return { ...result, sha256: hex(await target.digest) }
  },
  async ranges(repository) {
    const { volumeBytes } = await repository.show('latest')
    const disk = new Uint8Array(volumeBytes)
    const result = await repository.restoreTo('latest', { write: (offset, part) => disk.set(part, offset) })
    return { ...result, sha256: hex(await crypto.subtle.digest('SHA-256', disk)) }
  },
  async writer(repository) {
    let sum = 0
    const result = await repository.restoreTo('latest', { write: (offset, part) => { sum = (sum + sumOfPieces(part, offset)) % 2 ** 48 } })
    return { ...result, sum: String(sum) }
  },
  verify: (repository) => repository.verify({ readData: true }),
  async backup(repository) {
    const { volumeBytes } = await repository.show('latest')
    const source = await repository.openBackup('latest')
    await using copy = await openRepository({ core, storage: createMemoryStorage(), credentials: { key: new Uint8Array(32) }, create: true })
    const { digest, newBytes } = await copy.backup(source)
    const target = new crypto.DigestStream('SHA-256')
    await copy.restoreTo('latest', target)
    return { newBytes, volumeBytes, sha256: hex(await target.digest) }
  },
}

export default {
  async fetch(request) {
    const { job, url, key, passphrase } = await request.json()
    try {
      await using repository = await openRepository({
        core,
        storage: createHttpStorage({ url, retryMs: 1 }),
        credentials: key ? { key: bytes(key) } : passphrase ? { passphrase } : undefined,
      })
      return Response.json(await JOBS[job](repository))
    } catch (error) {
      return Response.json({ code: error.code, message: String(error.stack) })
    }
  },
}
`

const why = noWorkerd ?? noExt4
describe.skipIf(why)(`in workerd${why ? `: ${why}` : ''}`, () => {
  let stored: StoredImage
  let servers: Record<keyof StoredImage['repositories'], ObjectServer>
  beforeAll(async () => {
    stored = await storeImage(64)
    servers = {
      key: await startObjectServer(stored.repositories.key),
      passphrase: await startObjectServer(stored.repositories.passphrase),
      open: await startObjectServer(stored.repositories.open),
    }
  }, 120_000)
  afterAll(async () => {
    for (const server of Object.values(servers ?? {})) await server.close()
  })
  afterEach(() => {
    for (const server of Object.values(servers)) server.misbehave = undefined
  })

  describe('a worker of our own', () => {
    let workerd: Workerd
    beforeEach(async () => {
      workerd = await startWorkerd(WORKER)
    })
    afterEach(() => workerd.close())
    const credentials = { key: { key: toHex(KEY) }, passphrase: { passphrase: PASSPHRASE }, open: {} }
    const run = async (job: string, kind: keyof typeof credentials) => {
      const response = await fetch(workerd.url, { method: 'POST', body: JSON.stringify({ job, url: servers[kind].url, ...credentials[kind] }) })
      return (await response.json()) as Record<string, unknown>
    }

    it.each([
      ['stream', 'key'],
      ['stream', 'passphrase'],
      ['stream', 'open'],
      ['ranges', 'key'],
    ] as const)(
      'restores the image to a %s, of a repository with %s',
      async (job, kind) => {
        expect(await run(job, kind)).toMatchObject({ bytes: stored.image.bytes, sha256: stored.image.sha256 })
        expect(servers[kind].busiest).toBeLessThanOrEqual(4)
      },
      60_000,
    )

    it('verifies, and backs up what it reads', async () => {
      expect(await run('verify', 'key')).toMatchObject({ backups: 1, errors: [] })
      expect(await run('backup', 'key')).toMatchObject({ volumeBytes: stored.image.bytes, sha256: stored.image.sha256 })
    }, 60_000)

    it('gives what a server does wrong a code', async () => {
      servers.key.misbehave = (request, response) => request.headers.range !== undefined && (response.end('the whole'), true)
      expect(await run('stream', 'key')).toMatchObject({ code: 'STORAGE_FAILED' })
      servers.key.misbehave = (_, response) => (response.writeHead(302, { location: servers.open.url }).end(), true)
      expect(await run('stream', 'key')).toMatchObject({ code: 'STORAGE_FAILED' })
      servers.key.misbehave = (_, response, path) => path.startsWith('packs/') && (response.writeHead(404).end(), true)
      expect(await run('stream', 'key')).toMatchObject({ code: 'OBJECT_MISSING' })
    })
  })

  describe('a volume of 192 MiB', () => {
    let large: StoredImage
    let server: ObjectServer
    let sum: string
    beforeAll(async () => {
      large = await storeImage(192, ['key'])
      server = await startObjectServer(large.repositories.key)
      const disk = readFileSync(large.image.path)
      sum = String(sumOfPieces(disk, 0))
    }, 120_000)
    afterAll(() => server?.close())

    it.each(['stream', 'writer'] as const)('is restored to a %s with less than 128 MB, twice', { timeout: 60_000 }, async (job) => {
      // All of the process over what it has when idle, garbage too: workerd's collector runs when it will.
      const workerd = await startWorkerd(WORKER)
      try {
        const idle = workerd.peakBytes()
        if (idle === undefined) return
        const body = JSON.stringify({ job, url: server.url, key: toHex(KEY) })
        for (let time = 0; time < 2; time++)
          expect(await (await fetch(workerd.url, { method: 'POST', body })).json()).toMatchObject(
            job === 'stream' ? { bytes: large.image.bytes, sha256: large.image.sha256 } : { bytes: large.image.bytes, sum },
          )
        const held = (workerd.peakBytes() ?? Number.NaN) - idle
        const megabytes = (bytes: number) => Math.round(bytes / 1e6)
        process.stdout.write(
          `workerd: restores to a ${job} of ${large.image.bytes >> 20} MiB take ${megabytes(held)} MB over ${megabytes(idle)} MB when idle\n`,
        )
        expect(held).toBeLessThan(128e6)
        expect(server.busiest).toBeLessThanOrEqual(4)
      } finally {
        await workerd.close()
      }
    })
  })

  it.skipIf(process.arch !== 'x64')('has no fallback for an engine without SIMD, as nothing may be compiled, and says so', async () => {
    const code = `import { createMemoryStorage, openRepository } from 'blockvault/edge'
export default {
  fetch: () => openRepository({ storage: createMemoryStorage(), core: 'http://127.0.0.1:1/core.wasm' }).catch((error) => Response.json({ code: error.code, message: error.message })),
}`
    const workerd = await startWorkerd(code, { v8Flags: ['--no-enable-sse4-1'] })
    try {
      expect(await (await fetch(workerd.url)).json()).toEqual({ code: 'CORE_UNAVAILABLE', message: expect.stringContaining('edge workers forbid') })
    } finally {
      await workerd.close()
    }
  })

  describe('the sample of docs/edge.md', () => {
    let workerd: Workerd
    let disk: Buffer
    beforeAll(async () => {
      disk = readFileSync(stored.image.path)
      workerd = await startWorkerd(await compiledSample('An edge worker that serves a backed-up volume'), {
        bindings: { REPOSITORY: servers.key.url, KEY: toHex(KEY) },
      })
    })
    afterAll(() => workerd?.close())
    const ask = (range?: string, name = 'disk.img') => fetch(`${workerd.url}${name}`, range === undefined ? {} : { headers: { range } })

    it('serves the whole volume', async () => {
      const response = await ask()
      expect(response.status).toBe(200)
      expect(response.headers.get('content-length')).toBe(String(disk.length))
      expect(
        createHash('sha256')
          .update(new Uint8Array(await response.arrayBuffer()))
          .digest('hex'),
      ).toBe(stored.image.sha256)
    })

    it.each([
      ['bytes=0-0', 0, 1],
      ['bytes=4194300-4194309', 4194300, 10],
      ['bytes=5000000-9999999', 5000000, 5000000],
      ['bytes=67000000-', 67000000, 64 * 1024 * 1024 - 67000000],
      ['bytes=-100', 64 * 1024 * 1024 - 100, 100],
      ['bytes=67108863-99999999', 67108863, 1],
    ])('serves %s', async (range, offset, length) => {
      const response = await ask(range)
      expect(response.status).toBe(206)
      expect(response.headers.get('content-range')).toBe(`bytes ${offset}-${offset + length - 1}/${disk.length}`)
      expect(Buffer.compare(Buffer.from(await response.arrayBuffer()), disk.subarray(offset, offset + length))).toBe(0)
    })

    it('refuses what is not there', async () => {
      expect((await ask('bytes=67108864-')).status).toBe(416)
      expect((await ask(undefined, 'other.img')).status).toBe(404)
      expect((await fetch(workerd.url, { method: 'POST' })).status).toBe(405)
    })

    it('breaks off, rather than to send a wrong byte, when a pack is damaged', async () => {
      const [name, pack] = [...stored.repositories.key]
        .filter(([name]) => name.startsWith('packs/'))
        .sort(([, left], [, right]) => right.length - left.length)[0]!
      stored.repositories.key.set(
        name,
        pack.map((byte, index) => (index % 1_000_003 === 500_000 ? byte ^ 1 : byte)),
      )
      try {
        const parts: Uint8Array[] = []
        const read = async () => {
          for await (const part of (await ask()).body as unknown as AsyncIterable<Uint8Array>) parts.push(part)
        }
        await expect(read()).rejects.toThrow()
        const got = Buffer.concat(parts)
        expect(Buffer.compare(got, disk.subarray(0, got.length))).toBe(0)
      } finally {
        stored.repositories.key.set(name, pack)
      }
    })

    it('stops asking for packs when its client goes away', async () => {
      servers.key.delayMs = 30
      try {
        await new Promise<void>((resolve, reject) => {
          const request = get(`${workerd.url}disk.img`, (response) => response.once('data', () => (request.destroy(), resolve()))).on('error', reject)
        })
        await new Promise((resolve) => setTimeout(resolve, 500))
        const asked = servers.key.log.length
        await new Promise((resolve) => setTimeout(resolve, 500))
        expect(servers.key.log.length).toBe(asked)
        expect(servers.key.open).toBe(0)
      } finally {
        servers.key.delayMs = 0
      }
    })
  })
})
