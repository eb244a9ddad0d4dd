/** Where the edge's core comes from. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createMemoryStorage, openRepository, type RepositoryOptions } from '../../adapters/edge/index.ts'
import { type ObjectServer, startObjectServer } from './support/object-server.ts'
import { code, core, wasm } from './support/targets.ts'

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

  it('is the fallback in an engine without SIMD, which reads what the other wrote, and says so once', async () => {
    const objects = new Map<string, Uint8Array<ArrayBuffer>>()
    const storage = () => createMemoryStorage(objects)
    await using written = await openRepository({ storage: storage(), core, create: true, credentials: { key: new Uint8Array(32) } })
    await written.backup(new Blob(['volume '.repeat(100_000)]))
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    const validate = vi.spyOn(WebAssembly, 'validate').mockReturnValue(false)
    try {
      // Neither is asked for: there is nobody who could compile it.
      for (const source of [() => `${pages.url}nothing`, () => fetch(`${pages.url}nothing`), () => fetch('http://127.0.0.1:1/core.wasm')]) {
        await using repository = await openRepository({ storage: storage(), core: source(), credentials: { key: new Uint8Array(32) } })
        expect(await repository.verify({ readData: true })).toMatchObject({ backups: 1, errors: [] })
      }
      expect(warn.mock.calls).toEqual([[expect.stringContaining('no WebAssembly SIMD')]])
    } finally {
      warn.mockRestore()
      validate.mockRestore()
    }
  })

  it('that nobody answers for can not be loaded', async () => {
    await expect(opened('http://127.0.0.1:1/core.wasm')).rejects.toEqual(code('CORE_UNAVAILABLE'))
  })
})
