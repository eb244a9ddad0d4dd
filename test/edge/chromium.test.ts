/** The edge adapter in a page of a real Chromium: the built package, the core compiled as it comes in, files of the origin's own file system. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { toHex } from '../../src/core/bytes.ts'
import { type Chromium, noChromium, type Page, startChromium } from './support/chromium.ts'
import { KEY, noExt4, PASSPHRASE, type StoredImage, storeImage } from './support/ext4.ts'
import { type ObjectServer, startObjectServer } from './support/object-server.ts'
import { compiledSample } from './support/samples.ts'

const dist = (name: string) => readFileSync(fileURLToPath(new URL(`../../dist/${name}`, import.meta.url)))

/** What the tests evaluate has these at hand. */
const SCRIPT = `
import * as edge from 'blockvault/edge'
import { restoreToFile } from './sample.js'

const bytes = (hex) => Uint8Array.from(hex.match(/../g), (digits) => parseInt(digits, 16))
const sha256 = async (buffer) => Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', buffer)), (byte) => byte.toString(16).padStart(2, '0')).join('')
const file = async (name) => (await navigator.storage.getDirectory()).getFileHandle(name, { create: true })
const content = async (name) => (await (await file(name)).getFile()).arrayBuffer()
const open = (url, key, more = {}) => edge.openRepository({
  storage: edge.createHttpStorage({ url, retryMs: 1 }), core: '/core.wasm', credentials: key ? { key: bytes(key) } : undefined, ...more,
})
/** What came of a promise, as text. */
const outcome = (promise) => promise.then((value) => 'done', (error) => error.code ?? String(error))
Object.assign(globalThis, { edge, restoreToFile, bytes, sha256, file, content, open, outcome })
globalThis.ready = true
`
const HTML = '<!doctype html><script type="importmap">{"imports":{"blockvault/edge":"/edge.js"}}</script><script type="module" src="/script.js"></script>'

const why = noChromium ?? noExt4
describe.skipIf(why)(`in Chromium${why ? `: ${why}` : ''}`, () => {
  let stored: StoredImage
  let chromium: Chromium
  /** Serves the page, and the repository with a key beside it. */
  let server: ObjectServer
  let others: Record<'passphrase' | 'open', ObjectServer>
  const pages: Page[] = []
  beforeAll(async () => {
    stored = await storeImage(64)
    server = await startObjectServer(stored.repositories.key, {
      'index.html': { type: 'text/html', body: HTML },
      'strict.html': {
        type: 'text/html',
        body: HTML.replace('<script', `<meta http-equiv="Content-Security-Policy" content="script-src 'self' 'unsafe-inline'"><script`),
      },
      'other.html': { type: 'text/html', body: '<!doctype html>' },
      'script.js': { type: 'text/javascript', body: SCRIPT },
      'sample.js': { type: 'text/javascript', body: await compiledSample('A page that restores to a file') },
      'edge.js': { type: 'text/javascript', body: dist('edge.js') },
      'component.js': { type: 'text/javascript', body: dist('component.js') },
      'blockvault_reader.core.wasm': { type: 'application/wasm', body: dist('blockvault_reader.core.wasm') },
      'core.wasm': { type: 'application/wasm', body: dist('blockvault_core_bg.wasm') },
    })
    others = { passphrase: await startObjectServer(stored.repositories.passphrase), open: await startObjectServer(stored.repositories.open) }
    for (const other of Object.values(others)) other.misbehave = allow
    chromium = await startChromium()
  }, 120_000)
  afterEach(async () => {
    server.misbehave = undefined
    server.delayMs = 0
    for (const page of pages.splice(0)) await page.close().catch(() => {})
  })
  afterAll(async () => {
    await chromium?.close()
    for (const each of [server, ...Object.values(others ?? {})]) await each?.close()
  })
  const open = async (path = 'index.html') => {
    const page = await chromium.open(server.url + path)
    pages.push(page)
    await page.evaluate('new Promise((resolve) => { const look = () => globalThis.ready ? resolve() : setTimeout(look, 10); look() })')
    return page
  }
  const at = (place: ObjectServer) => JSON.stringify(place.url)
  const key = JSON.stringify(toHex(KEY))

  it('restores the image to a file, with a key', async () => {
    const page = await open()
    const result = await page.evaluate(`(async () => {
      const repository = await open(${at(server)}, ${key})
      const { bytes } = await repository.restoreTo('latest', await (await file('disk.img')).createWritable())
      return { bytes, sha256: await sha256(await content('disk.img')) }
    })()`)
    expect(result).toEqual({ bytes: stored.image.bytes, sha256: stored.image.sha256 })
    expect(server.busiest).toBeLessThanOrEqual(6) // the page's own files too
  }, 60_000)

  it('restores it by the sample of docs/edge.md, with a passphrase, from another origin', async () => {
    const page = await open()
    const result = await page.evaluate(`(async () => {
      const bytes = await restoreToFile(${at(others.passphrase)}, '/core.wasm', ${JSON.stringify(PASSPHRASE)}, await file('sample.img'))
      return { bytes, sha256: await sha256(await content('sample.img')) }
    })()`)
    expect(result).toEqual({ bytes: stored.image.bytes, sha256: stored.image.sha256 })
    expect(others.passphrase.busiest).toBeLessThanOrEqual(4)
  }, 60_000)

  it('restores it in the order it is stored, to a writer of ranges', async () => {
    const page = await open()
    const result = await page.evaluate(`(async () => {
      const target = await (await file('ranges.img')).createWritable()
      const repository = await open(${at(others.open)})
      const { volumeBytes } = await repository.show('latest')
      await target.truncate(volumeBytes)
      await repository.restoreTo('latest', {
        write: (position, data) => target.write({ type: 'write', position, data }),
        close: () => target.close(),
        abort: (reason) => target.abort(reason),
      })
      return sha256(await content('ranges.img'))
    })()`)
    expect(result).toBe(stored.image.sha256)
  }, 60_000)

  it('backs a file up, and restores what it stored', async () => {
    const page = await open()
    const result = await page.evaluate(`(async () => {
      const noise = new Uint8Array(9_000_001)
      for (let at = 0; at < 5_000_000; at += 65536) crypto.getRandomValues(noise.subarray(at, Math.min(at + 65536, 5_000_000)))
      const repository = await edge.openRepository({ storage: edge.createMemoryStorage(), core: '/core.wasm', credentials: { key: bytes(${key}) }, create: true })
      const backup = await repository.backup(new File([noise], 'noise.img'))
      await repository.restoreTo(backup.id, await (await file('noise.img')).createWritable())
      return { equal: (await sha256(noise)) === (await sha256(await content('noise.img'))), size: backup.volumeBytes }
    })()`)
    expect(result).toEqual({ equal: true, size: 9_000_001 })
  })

  it('leaves the file as it was when the restore is cancelled, and settles', async () => {
    const page = await open()
    server.delayMs = 20
    const result = await page.evaluate(`(async () => {
      const before = await (await file('kept.img')).createWritable()
      await before.write('as it was')
      await before.close()
      const stop = new AbortController()
      const repository = await open(${at(server)}, ${key})
      const restore = repository.restoreTo('latest', await (await file('kept.img')).createWritable(), {
        signal: stop.signal,
        onProgress: ({ doneBytes }) => doneBytes > 0 && stop.abort(),
      })
      return { outcome: await outcome(restore), content: new TextDecoder().decode(await content('kept.img')) }
    })()`)
    expect(result).toEqual({ outcome: 'CANCELLED', content: 'as it was' })
  })

  it.each(['closed', 'left'])('leaves the file as it was when the page is %s meanwhile, and asks for nothing more', async (how) => {
    const page = await open()
    server.delayMs = 50
    await page.evaluate(`(async () => {
      const before = await (await file('left.img')).createWritable()
      await before.write('as it was')
      await before.close()
      // As the sample does it.
      const gone = new AbortController()
      addEventListener('pagehide', () => gone.abort(), { once: true })
      const repository = await open(${at(server)}, ${key}, { signal: gone.signal })
      const target = await (await file('left.img')).createWritable()
      await new Promise((resolve) => {
        repository.restoreTo('latest', target, { signal: gone.signal, onProgress: resolve }).catch(() => {})
      })
    })()`)
    // From here on the server is silent: the restore stands in the middle.
    server.misbehave = (_request, _response, path) => path.startsWith('packs/')
    await expect.poll(() => server.open).toBeGreaterThan(0)
    if (how === 'closed') await page.close()
    else await page.evaluate(`location.href = ${JSON.stringify(`${server.url}other.html`)}`)
    await expect.poll(() => server.open, { timeout: 5000 }).toBe(0)
    const asked = server.log.filter((line) => line.includes('packs/')).length
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(server.log.filter((line) => line.includes('packs/'))).toHaveLength(asked)
    const after = await open()
    expect(await after.evaluate(`content('left.img').then((buffer) => new TextDecoder().decode(buffer))`)).toBe('as it was')
  })

  it.each([
    [
      'the whole instead of a range',
      (_: ObjectServer) => (server.misbehave = (request, response) => request.headers.range !== undefined && (response.end('the whole'), true)),
      'STORAGE_FAILED',
    ],
    [
      'a redirect',
      () => (server.misbehave = (_, response, path) => path.startsWith('packs/') && (response.writeHead(302, { location: '/config' }).end(), true)),
      'STORAGE_FAILED',
    ],
    ['a missing pack', () => (server.misbehave = (_, response, path) => path.startsWith('packs/') && (response.writeHead(404).end(), true)), 'OBJECT_MISSING'],
  ])('gives %s a code', async (_, misbehave, code) => {
    const page = await open()
    misbehave(server)
    const result = await page.evaluate(`(async () => {
      const repository = await open(${at(server)}, ${key})
      const parts = []
      const restored = await outcome(repository.restoreTo('latest', new WritableStream({ write: (part) => parts.push(part) })))
      return { restored, parts: parts.length }
    })()`)
    expect(result).toEqual({ restored: code, parts: 0 })
  })

  it('says what another origin does not allow', async () => {
    const page = await open()
    others.open.misbehave = undefined
    expect(await page.evaluate(`outcome(open(${at(others.open)}))`)).toBe('STORAGE_FAILED')
    others.open.misbehave = (_, response) => (response.setHeader('access-control-allow-origin', '*'), false)
    const hidden = `open(${at(others.open)}).then((repository) => repository.openBackup('latest')).then((volume) => volume.readAt(0, 100000)).catch((error) => error.message)`
    expect(await page.evaluate(hidden)).toContain('Access-Control-Expose-Headers')
    others.open.misbehave = allow
  })

  it('loads the component of the reader', async () => {
    const page = await open()
    const run = `import('/component.js').then(({ codecs }) => codecs.decompress('zstd', codecs.compress('zstd', 1, new Uint8Array(5000)), 5000).length)`
    expect(await page.evaluate(run)).toBe(5000)
  })

  it.skipIf(process.arch !== 'x64')(
    'restores the image without SIMD too, by the fallback, and says so once',
    async () => {
      // V8 has WASM SIMD where the processor has SSE 4.1.
      const old = await startChromium(['--no-enable-sse4-1'])
      try {
        const page = await old.open(`${server.url}index.html`)
        const result = await page.evaluate(`(async () => {
        const said = []
        console.warn = (text) => said.push(text)
        const repository = await open(${at(server)}, ${key})
        await repository.restoreTo('latest', await (await file('disk.img')).createWritable())
        const other = await open(${at(others.passphrase)}, undefined, { credentials: { passphrase: ${JSON.stringify(PASSPHRASE)} } })
        return { sha256: await sha256(await content('disk.img')), backups: (await other.list()).length, said, asked: performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/core.wasm')).length }
      })()`)
        expect(result).toEqual({ sha256: stored.image.sha256, backups: 1, said: [expect.stringContaining('no WebAssembly SIMD')], asked: 0 })
        const strict = await old.open(`${server.url}strict.html`)
        expect(await strict.evaluate(`open(${at(server)}, ${key}).catch((error) => error.message)`)).toContain('the fallback could not be started')
      } finally {
        await old.close()
      }
    },
    60_000,
  )

  it('says that a policy of the page forbids WebAssembly', async () => {
    const page = await open('strict.html')
    expect(await page.evaluate(`outcome(open(${at(server)}, ${key}))`)).toBe('CORE_UNAVAILABLE')
  })
})

function allow(_request: unknown, response: { setHeader(name: string, value: string): unknown }): boolean {
  response.setHeader('access-control-allow-origin', '*')
  response.setHeader('access-control-expose-headers', 'content-range')
  return false
}
