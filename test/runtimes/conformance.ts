/** The contracts' suites on one adapter. A bundle of this file, the adapter and `vitest.ts` runs on a runtime of its own: `SUITE` is its argument. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import type { Core } from '../../src/contract/core.ts'
import type { ObjectStore } from '../../src/contract/object-store.ts'
import type { Platform } from '../../src/contract/platform.ts'
import type { StorageBackend } from '../../src/contract/storage.ts'
import { PosixBackupDriver } from '../../src/drivers/posix.ts'
import { RepositoryBackupDriver } from '../../src/drivers/repository.ts'
import { createPool } from '../../src/io/pool.ts'
import { initRepository, openRepository } from '../../src/repository/open.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { createMemoryObjects, type MemoryContainers } from '../../src/storage/memory-objects.ts'
import { fileOf, temporaryDirectory } from '../repository/support/volumes.ts'
import { backupDriverSuite } from '../suites/backup-driver.ts'
import { storeUnderTest } from '../suites/backup-driver/object-store.ts'
import type { StoreUnderTest } from '../suites/backup-driver/place.ts'
import { coreSuite } from '../suites/core.ts'
import { objectStoreSuite } from '../suites/object-store.ts'
import { storageSuite } from '../suites/storage.ts'
import { volumeFileSuite } from '../suites/volume-file.ts'

/** What an adapter gives the programs of these tests. */
export interface Adapter {
  createPlatform(): Promise<Platform>
  /** The core where there is no module: the fallback. */
  loadCore(module: undefined): Promise<Core>
  createDirectoryStorage(root: string): StorageBackend
  createDirectoryObjects(root: string): ObjectStore
}

export const SUITES = ['core', 'fallback core', 'storage', 'object store', 'volume file', 'block device', 'backup driver'] as const
export type SuiteName = (typeof SUITES)[number]

export function describeSuite(name: SuiteName, adapter: Adapter): void {
  const pool = (workers: number) => async () => {
    const platform = await adapter.createPlatform()
    return createPool(await Promise.all(Array.from({ length: Math.max(1, workers) }, () => platform.spawn({ inline: workers === 0 }))))
  }
  /** On a disk, as far as the machine has one: memory's file systems have no O_DIRECT. */
  const place = () => join(temporaryDirectory(tmpdir()), 'place')
  const read = (path: string) => readFileSync(path)
  const suites: Record<SuiteName, () => void> = {
    core: () =>
      coreSuite(
        'WASM',
        async () => {
          const { core } = await adapter.createPlatform()
          if (core.kind !== 'wasm') throw new Error('The fallback was loaded where the WASM core should run.')
          return core
        },
        { written: ['zlib', 'bz2', 'zstd'], read: ['zlib', 'bz2', 'zstd'] },
      ),
    'fallback core': () => coreSuite('fallback', () => adapter.loadCore(undefined), { written: ['zlib'], read: ['zlib', 'zstd'] }),
    storage() {
      storageSuite('directory', async () => {
        const root = place()
        return { storage: adapter.createDirectoryStorage(root), again: () => adapter.createDirectoryStorage(root) }
      })
      storageSuite('memory', async () => {
        const objects = new Map<string, Uint8Array<ArrayBuffer>>()
        return { storage: createMemoryStorage(objects), again: () => createMemoryStorage(objects) }
      })
    },
    'object store'() {
      objectStoreSuite('directory', async () => {
        const root = place()
        return { store: adapter.createDirectoryObjects(root), again: () => adapter.createDirectoryObjects(root) }
      })
      objectStoreSuite('memory', async () => {
        const places: MemoryContainers = new Map()
        return { store: createMemoryObjects(places), again: () => createMemoryObjects(places) }
      })
    },
    'volume file'() {
      volumeFileSuite('on the calling thread', { kind: 'file', pool: pool(0), make: fileOf, read })
      volumeFileSuite('in a worker', { kind: 'file', pool: pool(1), make: fileOf, read })
      volumeFileSuite('in three workers', { kind: 'file', pool: pool(3), make: fileOf, read })
    },
    'block device'() {
      const attached: string[] = []
      afterEach(() => {
        for (const device of attached.splice(0)) losetup('--detach', device)
      })
      const make = (bytes: Uint8Array): string => {
        const device = losetup('--find', '--show', fileOf(bytes))
        attached.push(device)
        return device
      }
      for (const workers of [0, 1]) volumeFileSuite(`of a block device, ${workers} workers`, { kind: 'block-device', pool: pool(workers), make, read })
    },
    'backup driver'() {
      const parts = async () => {
        const platform = await adapter.createPlatform()
        return { core: platform.core, ports: [await platform.spawn({ inline: false }), await platform.spawn({ inline: false })] }
      }
      const posix = async () => {
        const store = adapter.createDirectoryObjects(temporaryDirectory(tmpdir()))
        return storeUnderTest(
          store,
          (context) => new PosixBackupDriver(context, { store, objectBytes: 1024 * 1024, blockBytes: 32 * 1024, compression: 'zstd' }),
        )
      }
      backupDriverSuite('posix, zstd', posix, parts)
      backupDriverSuite('repository', () => repositoryUnderTest(adapter), parts)
    },
  }
  suites[name]()
}

async function repositoryUnderTest(adapter: Adapter): Promise<StoreUnderTest> {
  const objects = new Map<string, Uint8Array<ArrayBuffer>>()
  const platform = await adapter.createPlatform()
  const options = { credentials: { key: new Uint8Array(32).fill(7) }, workers: 1 }
  await initRepository(platform, createMemoryStorage(objects), { ...options, init: { chunker: { kind: 'fixed', size: 4096 } } })
  const repository = await openRepository(platform, createMemoryStorage(objects), options)
  return {
    driver: (context) => new RepositoryBackupDriver(context, { repository }),
    stored: async ({ id }) => [...objects.keys()].filter((name) => name.startsWith(`backups/${id}`)),
    async damage() {
      const pack = [...objects].filter(([name]) => name.startsWith('packs/')).at(-1)![1]
      pack[pack.length >> 2]! ^= 1
    },
    close: () => repository.close(),
  }
}

function losetup(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('losetup', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`losetup ${args.join(' ')}: ${stderr}`)
  return stdout.trim()
}
