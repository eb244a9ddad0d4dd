/** What a directory adds to the contract of object stores: modes, links, crashes, forbidden and full disks, a root that is not there. */
import { execFileSync } from 'node:child_process'
import { open } from 'node:fs/promises'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { createDirectoryObjects } from '../../adapters/node/object-store.ts'
import type { ObjectStore } from '../../src/contract/object-store.ts'
import { temporaryDirectory } from '../repository/support/volumes.ts'
import { objectStoreSuite, putObject, wholeObject } from '../suites/object-store.ts'
import { asNobody, canMount } from './places.ts'

/** On a disk, as far as the machine has one: memory's file systems have no O_DIRECT. */
objectStoreSuite('directory', async () => {
  const root = join(temporaryDirectory(tmpdir()), 'store')
  return { store: createDirectoryObjects(root), again: () => createDirectoryObjects(root) }
})

describe.skipIf(!canMount())('without O_DIRECT', () => {
  const disk = temporaryDirectory()
  beforeAll(() => {
    execFileSync('mount', ['-t', 'ramfs', 'blockvault-test', disk])
    return () => void execFileSync('umount', [disk])
  })
  let stores = 0
  objectStoreSuite('ramfs directory', async () => {
    const root = join(disk, String(++stores))
    return { store: createDirectoryObjects(root), again: () => createDirectoryObjects(root) }
  })
})

const code = (expected: string) => expect.objectContaining({ name: 'BlockvaultError', code: expected })
const DAY_MS = 24 * 60 * 60 * 1000
const mode = (path: string) => (statSync(path).mode & 0o7777).toString(8)

describe('a directory object store', () => {
  let root: string
  let store: ObjectStore
  beforeEach(() => {
    root = temporaryDirectory()
    store = createDirectoryObjects(root)
  })
  const listed = async (container = 'c', prefix = '') => {
    const names: string[] = []
    for await (const { name } of store.list(container, prefix)) names.push(name)
    return names
  }
  const containers = async () => {
    const found: string[] = []
    for await (const container of store.containers()) found.push(container)
    return found
  }
  const unfinished = (directory = 'c') => readdirSync(join(root, directory)).filter((name) => name.startsWith('.blockvault-'))

  it('gives a new container mode 0770 and its objects 0660 whatever the umask, and what lies above what the umask says', async () => {
    const before = process.umask(0o027)
    try {
      await store.createContainer('39/25/39254f43')
      await putObject(store, '39/25/39254f43', 'volume_1', Uint8Array.of(1))
      await putObject(store, '39/25/39254f43', 'inner/volume_1', Uint8Array.of(1))
    } finally {
      process.umask(before)
    }
    expect(mode(join(root, '39/25/39254f43'))).toBe('770')
    expect(mode(join(root, '39/25'))).toBe('750')
    expect(mode(join(root, '39'))).toBe('750')
    expect(mode(join(root, '39/25/39254f43/volume_1'))).toBe('660')
    expect(mode(join(root, '39/25/39254f43/inner'))).toBe('750')
    chmodSync(join(root, '39/25/39254f43'), 0o700)
    await store.createContainer('39/25/39254f43')
    expect(mode(join(root, '39/25/39254f43')), 'one that exists is left as it is').toBe('700')
  })

  it('writes under a name that no prefix of a backup fits, in the same directory', async () => {
    await store.createContainer('c')
    const writer = await store.create('c', 'volume_1-00001')
    await writer.write(Uint8Array.of(1))
    expect(readdirSync(join(root, 'c'))).toEqual([expect.stringMatching(/^\.blockvault-[0-9a-f]{16}-volume_1-00001\.partial$/)])
    expect(await containers()).toEqual([])
    expect(await listed()).toEqual([])
    await writer.finish()
    expect(readdirSync(join(root, 'c'))).toEqual(['volume_1-00001'])
    const discarded = await store.create('c', 'volume_1-00001')
    await discarded.write(Uint8Array.of(2))
    await discarded.discard()
    expect(readdirSync(join(root, 'c'))).toEqual(['volume_1-00001'])
    for (const name of ['.blockvault-0123456789abcdef.partial', '.blockvault-0123456789abcdef-x.partial'])
      await expect(store.create('c', name)).rejects.toEqual(code('InvalidInput'))
    const long = 'v'.repeat(255)
    await putObject(store, 'c', long, Uint8Array.of(1))
    await expect(store.create('c', `${long}v`)).rejects.toEqual(code('InvalidInput'))
    expect(await listed()).toEqual(['volume_1-00001', long])
  })

  it('removes what a crash left once it is a day old, and at once what it is asked to', async () => {
    mkdirSync(join(root, 'c'))
    const left = (random: number, object: string, ageMs: number) => {
      const path = join(root, 'c', `.blockvault-${String(random).padStart(16, '0')}${object === '' ? '' : `-${object}`}.partial`)
      writeFileSync(path, 'half')
      const when = new Date(Date.now() - ageMs)
      utimesSync(path, when, when)
    }
    left(1, 'v-00001', 0)
    left(2, 'v2-00001', 0)
    left(3, '', DAY_MS - 60_000)
    left(4, 'v-00009', DAY_MS + 60_000)
    left(5, '', 30 * DAY_MS)
    for (const name of ['.blockvault-notes', 'v-00001']) {
      writeFileSync(join(root, 'c', name), 'as old, and whole')
      utimesSync(join(root, 'c', name), new Date(0), new Date(0))
    }
    await store.deleteUnfinished('c', 'v-')
    expect(unfinished()).toEqual([
      expect.stringContaining('2-v2-00001'),
      expect.stringContaining('3.partial'),
      expect.stringContaining('5.partial'),
      '.blockvault-notes',
    ])
    await putObject(store, 'c', 'object', Uint8Array.of(1))
    await store.close()
    expect(unfinished()).toEqual([expect.stringContaining('2-v2-00001'), expect.stringContaining('3.partial'), '.blockvault-notes'])
    expect(await listed()).toEqual(['.blockvault-notes', 'object', 'v-00001'])
  })

  it('reads, writes, lists and deletes nothing through a link that leads out of the root', async () => {
    const outside = temporaryDirectory()
    writeFileSync(join(outside, 'object'), 'untouched')
    mkdirSync(join(root, 'c'))
    symlinkSync(outside, join(root, 'link'))
    symlinkSync(outside, join(root, 'c/inner'))
    symlinkSync(join(outside, 'object'), join(root, 'c/object'))
    symlinkSync(join(outside, 'absent'), join(root, 'c/dangling'))
    for (const [container, name] of [
      ['link', 'object'],
      ['link/deeper', 'object'],
      ['c', 'inner/object'],
      ['c', 'inner/new/object'],
    ] as const) {
      await expect(store.create(container, name), `create ${container} ${name}`).rejects.toEqual(code('STORAGE_DENIED'))
      await expect(store.open(container, name), `open ${container} ${name}`).rejects.toEqual(code('STORAGE_DENIED'))
      await expect(store.delete(container, name), `delete ${container} ${name}`).rejects.toEqual(code('STORAGE_DENIED'))
    }
    await expect(store.createContainer('link/new')).rejects.toEqual(code('STORAGE_DENIED'))
    await expect(listed('link')).rejects.toEqual(code('STORAGE_DENIED'))
    await expect(store.deleteUnfinished('link', 'o')).rejects.toEqual(code('STORAGE_DENIED'))
    expect(await listed()).toEqual([])
    expect(await containers()).toEqual([])
    for (const name of ['object', 'dangling']) await expect(store.open('c', name)).rejects.toEqual(code('OBJECT_DAMAGED'))
    await putObject(store, 'c', 'object', Uint8Array.of(1))
    expect(await wholeObject(store, 'c', 'object')).toEqual(Uint8Array.of(1))
    await store.delete('c', 'dangling')
    expect(readdirSync(outside)).toEqual(['object'])
    expect(readFileSync(join(outside, 'object'), 'utf8')).toBe('untouched')
    expect(readdirSync(join(root, 'c')).sort()).toEqual(['inner', 'object'])
  })

  it('works behind a link to its root, and through links that stay inside', async () => {
    mkdirSync(join(root, 'store/c'), { recursive: true })
    symlinkSync(join(root, 'store'), join(root, 'link'))
    symlinkSync(join(root, 'store/c'), join(root, 'store/d'))
    store = createDirectoryObjects(join(root, 'link'))
    await putObject(store, 'd', 'object', Uint8Array.of(1))
    expect(await wholeObject(store, 'c', 'object')).toEqual(Uint8Array.of(1))
    expect(await listed('d')).toEqual(['object'])
    expect(await containers()).toEqual(['c'])
  })

  it('takes no FIFO and no directory for an object, and waits for neither', { timeout: 5000 }, async () => {
    mkdirSync(join(root, 'c/directory/inner'), { recursive: true })
    execFileSync('mkfifo', [join(root, 'c/fifo')])
    await expect(store.open('c', 'fifo')).rejects.toEqual(code('OBJECT_DAMAGED'))
    await expect(store.open('c', 'directory')).rejects.toEqual(code('OBJECT_MISSING'))
    await expect(store.create('c', 'directory')).rejects.toEqual(code('STORAGE_FAILED'))
    await store.delete('c', 'directory')
    expect(await listed()).toEqual([])
    expect(readdirSync(join(root, 'c')).sort()).toEqual(['directory', 'fifo'])
  })

  it('does not take a file for a container, and leaves its mode', async () => {
    writeFileSync(join(root, 'c'), 'x', { mode: 0o600 })
    await expect(store.createContainer('c')).rejects.toEqual(code('STORAGE_FAILED'))
    await expect(store.createContainer('c/inner')).rejects.toEqual(code('STORAGE_FAILED'))
    expect(await store.containerExists('c')).toBe(false)
    expect(await listed()).toEqual([])
    expect(mode(join(root, 'c'))).toBe('600')
    expect(await containers()).toEqual([''])
    expect(await listed('')).toEqual(['c'])
  })

  it('does not pass for empty when its root is not there', async () => {
    store = createDirectoryObjects(join(root, 'not/mounted'))
    await expect(listed()).rejects.toEqual(code('STORAGE_FAILED'))
    await expect(containers()).rejects.toEqual(code('STORAGE_FAILED'))
    await expect(store.open('c', 'object')).rejects.toEqual(code('OBJECT_MISSING'))
    expect(existsSync(join(root, 'not'))).toBe(false)
    await store.createContainer('c')
    expect(await listed()).toEqual([])
  })

  it('lists a hundred thousand files of one directory', { timeout: 120_000 }, async () => {
    mkdirSync(join(root, 'c'))
    for (let file = 0; file < 100_000; file++) writeFileSync(join(root, 'c', `volume_${file % 10}_backup-${String(file).padStart(6, '0')}`), '')
    const names = await listed('c', 'volume_3_backup-')
    expect(names).toHaveLength(10_000)
    expect(names).toEqual([...names].sort())
    expect(await listed()).toHaveLength(100_000)
  })

  it.skipIf(process.platform !== 'linux')('makes an object durable before it has its name, and then the name', async () => {
    await store.createContainer('c')
    const handle = await open(root)
    const syncs: string[] = []
    const spy = vi.spyOn(Object.getPrototypeOf(handle) as typeof handle, 'sync').mockImplementation(async function (this: typeof handle) {
      const path = readlinkSync(`/proc/self/fd/${this.fd}`)
      syncs.push(`${path.slice(root.length).replace(/[0-9a-f]{16}/, 'RANDOM')}${existsSync(join(root, 'c/object')) ? ', named' : ''}`)
    })
    try {
      await putObject(store, 'c', 'object', new Uint8Array(5 << 20))
    } finally {
      spy.mockRestore()
      await handle.close()
    }
    expect(syncs).toEqual(['/c/.blockvault-RANDOM-object.partial', '/c, named'])
  })

  it('gives an object that is cut while it is read as damaged', async () => {
    await store.createContainer('c')
    await putObject(store, 'c', 'object', new Uint8Array(1000))
    const reader = await store.open('c', 'object')
    writeFileSync(join(root, 'c/object'), 'short')
    await expect(reader.read(0, 1000)).rejects.toMatchObject({ code: 'OBJECT_DAMAGED', details: { object: 'object' } })
    await reader.close()
  })

  it('never finishes an object that has a gap', async () => {
    await store.createContainer('c')
    const controller = new AbortController()
    const writer = await store.create('c', 'object', { signal: controller.signal })
    await writer.write(Uint8Array.of(1))
    // The directory goes away under it, as an unmounted share does.
    renameSync(join(root, 'c'), join(root, 'moved'))
    await expect(writer.finish()).rejects.toEqual(code('STORAGE_FAILED'))
    mkdirSync(join(root, 'c'))
    expect(await listed()).toEqual([])
  })

  it('reports EACCES as STORAGE_DENIED', async () => {
    await store.createContainer('c')
    await putObject(store, 'c', 'object', Uint8Array.of(1))
    mkdirSync(join(root, 'closed'), { mode: 0 })
    chmodSync(join(root, 'c/object'), 0)
    chmodSync(join(root, 'c'), 0o500)
    await asNobody(root, async () => {
      await expect(store.createContainer('new')).rejects.toEqual(code('STORAGE_DENIED'))
      await expect(listed('closed')).rejects.toEqual(code('STORAGE_DENIED'))
      await expect(store.open('closed', 'object')).rejects.toEqual(code('STORAGE_DENIED'))
      await expect(store.create('closed', 'object')).rejects.toEqual(code('STORAGE_DENIED'))
      await expect(store.delete('closed', 'object')).rejects.toEqual(code('STORAGE_DENIED'))
      await expect(containers()).rejects.toEqual(code('STORAGE_DENIED'))
    })
    for (const path of ['c', 'closed']) chmodSync(join(root, path), 0o700)
  })
})

describe.skipIf(!canMount())('a directory object store on a full disk', () => {
  it('rejects with STORAGE_FULL, leaves nothing, keeps the object that was there, and goes on once there is room', async () => {
    const root = temporaryDirectory()
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=9m', 'blockvault-test', root])
    try {
      const store = createDirectoryObjects(root)
      await store.createContainer('c')
      await putObject(store, 'c', 'object', new Uint8Array(3 << 20).fill(1))
      await putObject(store, 'c', 'filler', new Uint8Array(4 << 20))
      const writer = await store.create('c', 'object')
      const write = async () => {
        for (let part = 0; part < 4; part++) await writer.write(new Uint8Array(4 << 20).fill(2))
      }
      await expect(write()).rejects.toEqual(code('STORAGE_FULL'))
      await expect(writer.write(new Uint8Array(1))).rejects.toEqual(code('STORAGE_FULL'))
      // There is room again: but the object has a gap.
      await store.delete('c', 'filler')
      await expect(writer.write(new Uint8Array(1))).rejects.toEqual(code('STORAGE_FULL'))
      await expect(writer.finish()).rejects.toEqual(code('STORAGE_FULL'))
      await writer.discard()
      expect(readdirSync(join(root, 'c'))).toEqual(['object'])
      expect(Buffer.compare(await wholeObject(store, 'c', 'object'), Buffer.alloc(3 << 20, 1))).toBe(0)
      await store.delete('c', 'object')
      await putObject(store, 'c', 'object', new Uint8Array(8 << 20).fill(3))
      await expect(putObject(store, 'c', 'other', new Uint8Array(2 << 20))).rejects.toEqual(code('STORAGE_FULL'))
      expect(readdirSync(join(root, 'c'))).toEqual(['object'])
    } finally {
      execFileSync('umount', [root])
    }
  })
})
