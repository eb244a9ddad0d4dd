/** One volume, four ways to it: on the calling thread or through workers; a file, or a block device where that can be had. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { createPlatform } from '../../adapters/node/platform.ts'
import { openVolume } from '../../adapters/node/index.ts'
import { createPool, type Pool } from '../../src/io/pool.ts'
import { openVolumeFile, pooledVolumeOf } from '../../src/io/volume-file.ts'
import { noise } from '../repository/support/random.ts'
import { fileOf, freshPath, handleOf } from '../repository/support/volumes.ts'
import { volumeFileSuite } from '../suites/volume-file.ts'
import { startWorker } from './support/worker.ts'

const platform = await createPlatform()
const inline = async () => createPool([await platform.spawn({ inline: true })])
const workers = (count: number) => async () => createPool(Array.from({ length: count }, () => startWorker().port))
const code = (expected: string) => expect.objectContaining({ name: 'BlockvaultError', code: expected })
const readFile = (path: string) => readFileSync(path)

volumeFileSuite('on the calling thread', { kind: 'file', pool: inline, make: fileOf, read: readFile })
volumeFileSuite('in a worker', { kind: 'file', pool: workers(1), make: fileOf, read: readFile })
volumeFileSuite('in three workers', { kind: 'file', pool: workers(3), make: fileOf, read: readFile })

const attached: string[] = []
const detach = () => {
  for (const device of attached.splice(0)) spawnSync('losetup', ['-d', device])
}
afterEach(detach)
afterAll(detach)
function attach(file: string): string {
  const device = execFileSync('losetup', ['--show', '-f', file], { encoding: 'utf8' }).trim()
  attached.push(device)
  return device
}

const hasLoops = process.getuid?.() === 0 && process.platform === 'linux' && spawnSync('losetup', ['-f']).status === 0
if (hasLoops)
  volumeFileSuite('of a block device, in a worker', { kind: 'block-device', pool: workers(1), make: (bytes) => attach(fileOf(bytes)), read: readFile })

describe.skipIf(!hasLoops)('a block device', () => {
  it('that fails while it is read gives SOURCE_READ_FAILED and the offset where it does', async () => {
    const file = fileOf(noise(1, 2 << 20))
    const device = attach(file)
    truncateSync(file, 1 << 20)
    const volume = await openVolume(device, { workers: 0 })
    expect(volume.size).toBe(2 << 20)
    expect(Buffer.compare(await volume.readAt(0, 1 << 19), readFileSync(file).subarray(0, 1 << 19))).toBe(0)
    await expect(volume.readAt(1 << 19, 1 << 20)).rejects.toMatchObject({ code: 'SOURCE_READ_FAILED', details: { offset: 1 << 20 } })
    await volume.close()
  })
})

describe('opening a volume', () => {
  const open = async (path: string, options: Parameters<typeof openVolumeFile>[2], make: () => Promise<Pool> = inline) => {
    const pool = await make()
    try {
      await (await openVolumeFile(pool, path, options)).close()
    } finally {
      await pool.close()
    }
  }

  it('rejects with SOURCE_* for reading', async () => {
    const directory = freshPath('directory')
    mkdirSync(directory)
    const fifo = freshPath('fifo')
    execFileSync('mkfifo', [fifo])
    const link = freshPath('link')
    symlinkSync('nowhere', link)
    for (const make of [inline, workers(2)]) {
      await expect(open(freshPath(), { mode: 'read' }, make)).rejects.toEqual(code('SOURCE_MISSING'))
      await expect(open(link, { mode: 'read' }, make)).rejects.toEqual(code('SOURCE_MISSING'))
      await expect(open(directory, { mode: 'read' }, make)).rejects.toEqual(code('SOURCE_UNSUPPORTED'))
      await expect(open(fifo, { mode: 'read' }, make)).rejects.toEqual(code('SOURCE_UNSUPPORTED'))
      await expect(open('/dev/null', { mode: 'read' }, make)).rejects.toEqual(code('SOURCE_UNSUPPORTED'))
    }
  })

  it('rejects with TARGET_* for writing, and makes nothing', async () => {
    const directory = freshPath('directory')
    mkdirSync(directory)
    const absent = freshPath()
    for (const make of [inline, workers(2)]) {
      await expect(open(directory, { mode: 'write' }, make)).rejects.toEqual(code('TARGET_UNSUPPORTED'))
      await expect(open('/dev/null', { mode: 'write' }, make)).rejects.toEqual(code('TARGET_UNSUPPORTED'))
      await expect(open(absent, { mode: 'write' }, make)).rejects.toMatchObject({ code: expect.stringMatching(/^TARGET_/) })
      expect(statSync(absent, { throwIfNoEntry: false })).toBeUndefined()
    }
  })

  it('makes a file of the given size with `create`, once, for every worker', async () => {
    for (const make of [inline, workers(3)]) {
      const path = freshPath()
      const pool = await make()
      const file = await openVolumeFile(pool, path, { mode: 'create', size: 10_000_000 })
      expect(file.size).toBe(10_000_000)
      await Promise.all(Array.from({ length: 6 }, (_, part) => file.writeAt(part * 1000, new Uint8Array(1000).fill(part + 1))))
      await file.close()
      const written = readFileSync(path)
      expect(written).toHaveLength(10_000_000)
      expect(Array.from({ length: 7 }, (_, part) => written[part * 1000 + 999])).toEqual([1, 2, 3, 4, 5, 6, 0])
      expect(statSync(path).mode & 0o777).toBe(0o600)
      await expect(openVolumeFile(pool, path, { mode: 'create', size: 1 })).rejects.toEqual(code('TARGET_EXISTS'))
      expect(statSync(path).size).toBe(10_000_000)
      const failing = freshPath()
      await expect(openVolumeFile(pool, failing, { mode: 'create', size: 0.5 })).rejects.toMatchObject({ code: expect.stringMatching(/^TARGET_/) })
      expect(statSync(failing, { throwIfNoEntry: false })).toBeUndefined()
      await pool.close()
    }
  })

  it('serves a volume that shrinks with fewer bytes, not with wrong ones', async () => {
    const content = noise(3, 6 << 20)
    const path = fileOf(content)
    for (const workersCount of [0, 2]) {
      writeFileSync(path, content)
      const volume = await openVolume(path, { workers: workersCount })
      truncateSync(path, 5_000_001)
      expect(Buffer.compare(await volume.readAt(0, 6 << 20), content.subarray(0, 5_000_001))).toBe(0)
      expect(await volume.readAt(5_500_000, 10)).toHaveLength(0)
      await volume.close()
    }
  })
})

describe('a worker that ends', () => {
  it('fails pending and later calls of its volume with WORKER_FAILED', async () => {
    const worker = startWorker()
    const pool = createPool([worker.port])
    const file = await openVolumeFile(pool, fileOf(noise(4, 20 << 20)), { mode: 'read' })
    const pending = Promise.allSettled(Array.from({ length: 5 }, () => file.readAt(0, 20 << 20)))
    await worker.kill()
    expect(await pending).toEqual(Array.from({ length: 5 }, () => ({ status: 'rejected', reason: code('WORKER_FAILED') })))
    await expect(file.readAt(0, 1)).rejects.toEqual(code('WORKER_FAILED'))
    await expect(file.flush()).rejects.toEqual(code('WORKER_FAILED'))
    await file.close()
    await pool.close()
  })

  it('fails only what it was asked: the other workers serve on', async () => {
    const [dying, healthy] = [startWorker(), startWorker()]
    const pool = createPool([dying.port, healthy.port])
    const file = await openVolumeFile(pool, fileOf(noise(4, 1000)), { mode: 'read' })
    await dying.kill()
    const outcomes = await Promise.allSettled([file.readAt(0, 1), file.readAt(0, 1)])
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    await pool.close()
  })
})

describe('the volume behind a handle', () => {
  it('is known to the workers it is open in, to no others, and to two pools of the same workers under two numbers', async () => {
    const ports = [await platform.spawn({ inline: true }), await platform.spawn({ inline: true })]
    const [one, other] = [createPool(ports), createPool([...ports])]
    const first = await openVolumeFile(one, fileOf(noise(1, 512)), { mode: 'read' })
    const second = await openVolumeFile(other, fileOf(noise(2, 1024)), { mode: 'read' })
    expect(pooledVolumeOf(first, ports)?.size).toBe(512)
    expect(pooledVolumeOf({ ...second }, [...ports])?.size).toBe(1024)
    expect(pooledVolumeOf(first, ports.slice(1))).toBeUndefined()
    expect(pooledVolumeOf(first, [...ports].reverse())).toBeUndefined()
    expect(pooledVolumeOf(handleOf(noise(1, 512)), ports)).toBeUndefined()
    expect((await first.readAt(0, 2048)).length).toBe(512)
    await first.close()
    expect((await second.readAt(0, 2048)).length).toBe(1024)
    await one.close()
  })
})
