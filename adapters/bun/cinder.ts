/**
 * Cinder's backup contract on Bun: `import { BackupDriver, createBackupService } from 'blockvault/cinder'`. Drivers, the metadata of
 * volumes, and the service that keeps the rows; databases are in `blockvault/database`.
 */
import { type BackupContextOptions, backupContextOn, type OwnedBackupContext } from '../../src/service/backup-context.ts'
import { createPlatform } from './platform.ts'

export * from '../shared/cinder-exports.ts'

/**
 * What drivers and a service work with: the database, and this machine's workers.
 * @throws BlockvaultError InvalidConfigurationValue, CORE_UNAVAILABLE
 */
export async function createBackupContext(options: BackupContextOptions): Promise<OwnedBackupContext> {
  return backupContextOn(await createPlatform(), options)
}
