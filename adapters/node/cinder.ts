/**
 * Cinder's backup contract on Node: `import { BackupDriver, createBackupService } from 'blockvault/cinder'`. Drivers, the metadata of
 * volumes, and the service that keeps the rows; databases are in `blockvault/database`.
 */
import { type BackupContextOptions, backupContextOn, type OwnedBackupContext } from '../../src/service/backup-context.ts'
import { createPlatform } from './platform.ts'

export type { JobOptions, Progress } from '../../src/contract/backup.ts'
export type { BackupContext } from '../../src/contract/backup-context.ts'
export { BackupDriver, type BackupDriverOptions, restoreCancelled } from '../../src/contract/backup-driver.ts'
export { BackupMetadataAPI } from '../../src/contract/backup-metadata-api.ts'
export { Base } from '../../src/contract/base.ts'
export type { BackupFilter, Database } from '../../src/contract/database.ts'
export { BlockvaultError, ERROR_CODES, type ErrorCode, type ErrorDetails, isBlockvaultError } from '../../src/contract/errors.ts'
export * from '../../src/contract/records.ts'
export type { VolumeFile, VolumeKind, VolumeMode } from '../../src/contract/volume.ts'
export type { ExportRecord } from '../../src/cinder/export-record.ts'
export type { ObjectStore } from '../../src/contract/object-store.ts'
export { ChunkedBackupDriver, type ChunkedDefaults, type ChunkedDriverOptions } from '../../src/drivers/chunked.ts'
export { NfsBackupDriver, type NfsDriverOptions } from '../../src/drivers/nfs.ts'
export { S3BackupDriver, SwiftBackupDriver } from '../../src/drivers/object-storage.ts'
export { PosixBackupDriver, type PosixDriverOptions } from '../../src/drivers/posix.ts'
export { RepositoryBackupDriver, type RepositoryDriverOptions } from '../../src/drivers/repository.ts'
export { createMemoryObjects } from '../../src/storage/memory-objects.ts'
export { mountedAt } from './mounts.ts'
export { createDirectoryObjects } from './object-store.ts'
export type { BackupContextOptions, OwnedBackupContext } from '../../src/service/backup-context.ts'
export { BACKUP_EVENTS, type BackupEvent, type BackupEventPayload, type BackupEventType } from '../../src/service/events.ts'
export type { DeleteBackupOptions } from '../../src/service/delete.ts'
export type { CreateBackupOptions, RestoreBackupOptions } from '../../src/service/options.ts'
export type { RecoveredBackup } from '../../src/service/recover.ts'
export type { ResetStatus } from '../../src/service/reset.ts'
export type { RestoredBackup } from '../../src/service/restore.ts'
export { type BackupService, type BackupServiceOptions, createBackupService, type ServiceProblem } from '../../src/service/service.ts'
export type { ResolveVolume } from '../../src/service/volumes.ts'

/**
 * What drivers and a service work with: the database, and this machine's workers.
 * @throws BlockvaultError InvalidConfigurationValue, CORE_UNAVAILABLE
 */
export async function createBackupContext(options: BackupContextOptions): Promise<OwnedBackupContext> {
  return backupContextOn(await createPlatform(), options)
}
