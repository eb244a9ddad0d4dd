/** The drivers of Cinder's layout keep what every driver keeps. */
import { createDirectoryObjects } from '../../adapters/node/object-store.ts'
import type { BackupContext } from '../../src/contract/backup-context.ts'
import type { BackupDriver } from '../../src/contract/backup-driver.ts'
import type { ObjectStore } from '../../src/contract/object-store.ts'
import { NfsBackupDriver } from '../../src/drivers/nfs.ts'
import { S3BackupDriver, SwiftBackupDriver } from '../../src/drivers/object-storage.ts'
import { PosixBackupDriver } from '../../src/drivers/posix.ts'
import { createMemoryObjects } from '../../src/storage/memory-objects.ts'
import { temporaryDirectory } from '../repository/support/volumes.ts'
import type { StoreUnderTest } from '../suites/backup-driver/place.ts'
import { backupDriverSuite } from '../suites/backup-driver.ts'
import { putObject, wholeObject } from '../suites/object-store.ts'

function storeUnderTest(store: ObjectStore, driver: (context: BackupContext) => BackupDriver): StoreUnderTest {
  /** By the id in their names, wherever they lie. */
  const objectsOf = async ({ id }: { id: string }) => {
    const found: { container: string; name: string }[] = []
    for await (const container of store.containers()) {
      for await (const { name } of store.list(container, '')) if (name.includes(id) && !name.includes('/')) found.push({ container, name })
      for await (const { name } of store.list(container, 'volume_')) if (name.includes(id) && name.includes('/')) found.push({ container, name })
    }
    return found
  }
  return {
    driver,
    stored: async (backup) => (await objectsOf(backup)).map(({ container, name }) => `${container}/${name}`),
    async damage(backup) {
      const data = (await objectsOf(backup)).filter(({ name }) => /-\d{5}$/.test(name)).sort((left, right) => (left.name < right.name ? -1 : 1))
      const { container, name } = data.at(-1)!
      const bytes = new Uint8Array(await wholeObject(store, container, name))
      bytes[bytes.length - 10]! ^= 1
      await putObject(store, container, name, bytes)
    },
    close: () => store.close(),
  }
}

const sizes = { objectBytes: 1024 * 1024, blockBytes: 32 * 1024 }
const memory = () => createMemoryObjects()
const directory = () => createDirectoryObjects(temporaryDirectory())

backupDriverSuite('posix, zlib', async () => {
  const store = directory()
  return storeUnderTest(store, (context) => new PosixBackupDriver(context, { store, ...sizes }))
})
backupDriverSuite('posix with its default sizes, none', async () => {
  const store = memory()
  return storeUnderTest(store, (context) => new PosixBackupDriver(context, { store, compression: 'none' }))
})
backupDriverSuite('NFS, zstd', async () => {
  const store = directory()
  const share = 'server:/backups'
  return storeUnderTest(store, (context) => new NfsBackupDriver(context, { store, ...sizes, share, mounted: async () => share, compression: 'zstd' }))
})
backupDriverSuite('S3, gzip', async () => {
  const store = memory()
  return storeUnderTest(store, (context) => new S3BackupDriver(context, { store, ...sizes, compression: 'gzip' }))
})
backupDriverSuite('Swift, zlib', async () => {
  const store = directory()
  return storeUnderTest(store, (context) => new SwiftBackupDriver(context, { store, ...sizes }))
})
