/** The drivers of Cinder's layout keep what every driver keeps. */
import { createDirectoryObjects } from '../../adapters/node/object-store.ts'
import { NfsBackupDriver } from '../../src/drivers/nfs.ts'
import { S3BackupDriver, SwiftBackupDriver } from '../../src/drivers/object-storage.ts'
import { PosixBackupDriver } from '../../src/drivers/posix.ts'
import { createMemoryObjects } from '../../src/storage/memory-objects.ts'
import { temporaryDirectory } from '../repository/support/volumes.ts'
import { storeUnderTest } from '../suites/backup-driver/object-store.ts'
import { backupDriverSuite } from '../suites/backup-driver.ts'

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
