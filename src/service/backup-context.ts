/** A `BackupContext` made of a runtime's platform: its workers start with the first volume that is opened. */
import type { BackupContext } from '../contract/backup-context.ts'
import type { Database } from '../contract/database.ts'
import { BlockvaultError } from '../contract/errors.ts'
import { type Platform, WORKERS_MAX } from '../contract/platform.ts'
import { createLazyPort } from '../io/lazy-port.ts'

/** What a context is made of. */
export interface BackupContextOptions {
  /** Stays the caller's to close. */
  database: Database
  /** Worker threads; 0 runs everything on the calling thread. The processors available by default. */
  workers?: number | undefined
  /** Who the rows belong to that are made in this context. `''` by default. */
  userId?: string | undefined
  /** Their project. `''` by default. */
  projectId?: string | undefined
  /** Cinder's `storage_availability_zone`. `nova` by default. */
  availabilityZone?: string | undefined
  /** Cinder's `backup_metadata_version`: 2 by default. */
  metadataVersion?: 1 | 2 | undefined
}

/** A context with workers of its own: close it after the service. */
export interface OwnedBackupContext extends BackupContext, AsyncDisposable {
  /** Ends the workers. */
  close(): Promise<void>
}

/** @throws InvalidConfigurationValue */
export function backupContextOn(platform: Platform, options: BackupContextOptions): OwnedBackupContext {
  const { database, workers = platform.workersDefault, userId = '', projectId = '', availabilityZone = 'nova', metadataVersion = 2 } = options
  if (!Number.isInteger(workers) || workers < 0 || workers > WORKERS_MAX)
    throw new BlockvaultError('InvalidConfigurationValue', `workers is ${workers}: give a whole number from 0 to ${WORKERS_MAX}.`)
  const ports = Array.from({ length: Math.max(1, workers) }, () => createLazyPort(() => platform.spawn({ inline: workers === 0 })))
  const close = async () => {
    await Promise.all(ports.map((port) => port.close()))
    await platform.close()
  }
  return {
    database,
    ports,
    core: platform.core,
    userId,
    projectId,
    availabilityZone,
    metadataVersion,
    now: platform.now,
    random: platform.random,
    close,
    [Symbol.asyncDispose]: close,
  }
}
