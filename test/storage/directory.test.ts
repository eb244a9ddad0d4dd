/** What a directory adds to the contract: leftovers of crashes, foreign files, planted links, full and forbidden disks. */
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { createDirectoryStorage } from '../../adapters/node/storage.ts'
import type { StorageBackend } from '../../src/contract/storage.ts'
import { temporaryDirectory } from '../repository/support/volumes.ts'
import { storageSuite } from '../suites/storage.ts'
import { asNobody, canMount } from './places.ts'

const makePlace = async () => {
  const root = join(temporaryDirectory(tmpdir()), 'repository')
  return { storage: createDirectoryStorage(root), again: () => createDirectoryStorage(root) }
}
storageSuite('directory', makePlace)

const code = (expected: string) => expect.objectContaining({ name: 'BlockvaultError', code: expected })
const DAY_MS = 24 * 60 * 60 * 1000

describe('a directory storage', () => {
  let root: string
  let storage: StorageBackend
  beforeEach(() => {
    root = temporaryDirectory()
    storage = createDirectoryStorage(root)
  })
  const listed = async (prefix = '') => {
    const names: string[] = []
    for await (const { name } of storage.list(prefix)) names.push(name)
    return names.sort()
  }

  it('makes files that only their owner reads, and leaves nothing in tmp/', async () => {
    await storage.put('packs/ab/one', [Uint8Array.of(1)])
    expect(statSync(join(root, 'packs/ab/one')).mode & 0o777).toBe(0o600)
    expect(readdirSync(join(root, 'tmp'))).toEqual([])
    await expect(storage.put('packs/ab/one', [Uint8Array.of(2)])).rejects.toEqual(code('OBJECT_EXISTS'))
    expect(readdirSync(join(root, 'tmp'))).toEqual([])
  })

  it('hides tmp/, and lists foreign files under their own names', async () => {
    await storage.put('index/one', [Uint8Array.of(1)])
    mkdirSync(join(root, 'tmp/deeper'), { recursive: true })
    writeFileSync(join(root, 'tmp/left'), 'half')
    writeFileSync(join(root, 'tmp/deeper/left'), 'half')
    writeFileSync(join(root, 'index/.DS_Store'), 'x')
    writeFileSync(join(root, 'README.txt'), 'x')
    expect(await listed()).toEqual(['README.txt', 'index/.DS_Store', 'index/one'])
  })

  it('does not list links, FIFOs and directories as objects', async () => {
    await storage.put('index/one', [Uint8Array.of(1)])
    symlinkSync(join(root, 'index/one'), join(root, 'index/two'))
    symlinkSync(root, join(root, 'index/loop'))
    mkdirSync(join(root, 'index/three'))
    execFileSync('mkfifo', [join(root, 'index/four')])
    expect(await listed('index/')).toEqual(['index/one'])
  })

  it('removes what a crash left in tmp/ once it is a day old, whatever lies beside it', async () => {
    mkdirSync(join(root, 'tmp/a-directory'), { recursive: true })
    for (const [name, age] of [
      ['1-new', 0],
      ['2-hours', DAY_MS - 60_000],
      ['3-old', DAY_MS + 60_000],
      ['4-old', 30 * DAY_MS],
    ] as const) {
      writeFileSync(join(root, 'tmp', name), 'half')
      const when = new Date(Date.now() - age)
      utimesSync(join(root, 'tmp', name), when, when)
    }
    const old = new Date(Date.now() - 2 * DAY_MS)
    utimesSync(join(root, 'tmp/a-directory'), old, old)
    await storage.put('index/one', [Uint8Array.of(1)])
    await storage.close()
    expect(readdirSync(join(root, 'tmp')).filter((name) => name !== 'a-directory')).toEqual(['1-new', '2-hours'])
  })

  it('writes nothing and reads nothing through a link planted at an object', async () => {
    const outside = join(temporaryDirectory(), 'victim')
    writeFileSync(outside, 'untouched')
    mkdirSync(join(root, 'index'))
    symlinkSync(outside, join(root, 'index/one'))
    symlinkSync(join(root, 'nowhere'), join(root, 'index/two'))
    for (const name of ['index/one', 'index/two']) {
      await expect(storage.put(name, [Uint8Array.of(1)])).rejects.toEqual(code('OBJECT_EXISTS'))
      await expect(storage.get(name, { bytesMax: 100 })).rejects.toEqual(code('OBJECT_DAMAGED'))
      await expect(storage.getRange(name, 0, 1)).rejects.toEqual(code('OBJECT_DAMAGED'))
    }
    await storage.delete('index/one')
    expect(existsSync(join(root, 'index/one'))).toBe(false)
    expect(readFileSync(outside, 'utf8')).toBe('untouched')
  })

  it('does not wait for the other end of a FIFO planted at an object', { timeout: 5000 }, async () => {
    mkdirSync(join(root, 'index'))
    execFileSync('mkfifo', [join(root, 'index/one')])
    await expect(storage.get('index/one', { bytesMax: 100 })).rejects.toEqual(code('OBJECT_DAMAGED'))
    await expect(storage.getRange('index/one', 0, 1)).rejects.toEqual(code('OBJECT_DAMAGED'))
    await expect(storage.put('index/one', [Uint8Array.of(1)])).rejects.toEqual(code('OBJECT_EXISTS'))
  })

  it('takes a directory at an object for what it is', async () => {
    mkdirSync(join(root, 'index/one'), { recursive: true })
    await expect(storage.get('index/one', { bytesMax: 100 })).rejects.toEqual(code('OBJECT_MISSING'))
    await expect(storage.getRange('index/one', 0, 1)).rejects.toEqual(code('OBJECT_MISSING'))
    await expect(storage.put('index/one', [Uint8Array.of(1)])).rejects.toEqual(code('OBJECT_EXISTS'))
    await storage.delete('index/one')
    expect(statSync(join(root, 'index/one')).isDirectory()).toBe(true)
  })

  it('says so when a file stands where a directory must be', async () => {
    writeFileSync(join(root, 'index'), 'x')
    await expect(storage.put('index/one', [Uint8Array.of(1)])).rejects.toEqual(code('STORAGE_FAILED'))
    await expect(storage.get('index/one', { bytesMax: 1 })).rejects.toEqual(code('OBJECT_MISSING'))
    expect(await listed('index/')).toEqual([])
    storage = createDirectoryStorage(join(root, 'index'))
    await expect(storage.put('index/one', [Uint8Array.of(1)])).rejects.toEqual(code('STORAGE_FAILED'))
    await expect(listed()).rejects.toEqual(code('REPOSITORY_INVALID'))
  })

  it('has nothing at a place that does not exist, and makes it with the first object', async () => {
    storage = createDirectoryStorage(join(root, 'not/yet'))
    expect(await listed()).toEqual([])
    await expect(storage.get('config', { bytesMax: 1 })).rejects.toEqual(code('OBJECT_MISSING'))
    expect(existsSync(join(root, 'not'))).toBe(false)
    await storage.put('config', [Uint8Array.of(1)])
    expect(await listed()).toEqual(['config'])
  })

  it('reports EACCES as STORAGE_DENIED', async () => {
    await storage.put('index/one', [Uint8Array.of(1)])
    chmodSync(join(root, 'index/one'), 0)
    chmodSync(join(root, 'index'), 0o500)
    chmodSync(join(root, 'tmp'), 0o500)
    mkdirSync(join(root, 'packs'), { mode: 0 })
    await asNobody(root, async () => {
      await expect(storage.get('index/one', { bytesMax: 1 })).rejects.toEqual(code('STORAGE_DENIED'))
      await expect(storage.getRange('index/one', 0, 1)).rejects.toEqual(code('STORAGE_DENIED'))
      await expect(storage.delete('index/one')).rejects.toEqual(code('STORAGE_DENIED'))
      await expect(storage.put('index/two', [Uint8Array.of(1)])).rejects.toEqual(code('STORAGE_DENIED'))
      await expect(listed('packs/')).rejects.toEqual(code('STORAGE_DENIED'))
      await expect(storage.get('packs/ab/one', { bytesMax: 1 })).rejects.toEqual(code('STORAGE_DENIED'))
    })
    for (const path of ['index', 'tmp', 'packs']) chmodSync(join(root, path), 0o700)
  })
})

describe.skipIf(!canMount())('a directory storage on a full disk', () => {
  it('stores an object whole or rejects with STORAGE_FULL, and goes on once there is room', async () => {
    const root = temporaryDirectory()
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'blockvault-test', root])
    try {
      const storage = createDirectoryStorage(root)
      await storage.put('packs/aa/one', [new Uint8Array(300_000).fill(1)])
      await expect(storage.put('packs/aa/two', [new Uint8Array(500_000), new Uint8Array(500_000)])).rejects.toEqual(code('STORAGE_FULL'))
      expect(readdirSync(join(root, 'tmp'))).toEqual([])
      await expect(storage.get('packs/aa/two', { bytesMax: 1 << 20 })).rejects.toEqual(code('OBJECT_MISSING'))
      expect(Buffer.compare(await storage.get('packs/aa/one', { bytesMax: 1 << 20 }), Buffer.alloc(300_000, 1))).toBe(0)
      await storage.put('packs/aa/three', [new Uint8Array(300_000)])
      await storage.delete('packs/aa/one')
      await storage.put('packs/aa/two', [new Uint8Array(300_000)])
    } finally {
      execFileSync('umount', [root])
    }
  })

  it('rejects with STORAGE_DENIED on a disk that is read only, and reads on', async () => {
    const root = temporaryDirectory()
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'blockvault-test', root])
    try {
      const storage = createDirectoryStorage(root)
      await storage.put('index/one', [Uint8Array.of(1)])
      execFileSync('mount', ['-o', 'remount,ro', root])
      await expect(storage.put('index/two', [Uint8Array.of(1)])).rejects.toEqual(code('STORAGE_DENIED'))
      await expect(storage.delete('index/one')).rejects.toEqual(code('STORAGE_DENIED'))
      expect(await storage.get('index/one', { bytesMax: 1 })).toEqual(Uint8Array.of(1))
    } finally {
      execFileSync('umount', [root])
    }
  })
})
