/**
 * The backup service: Cinder's backup API and manager for an embedding program (cinder/backup/api.py, manager.py).
 *
 * Invariant: whatever fails, the rows tell it: the backup has the status and the reason, the volume is back where it belongs, and the
 * caller gets the error that was first.
 */
import type { BackupContext } from '../contract/backup-context.ts'
import type { BackupDriver } from '../contract/backup-driver.ts'
import type { BackupFilter } from '../contract/database.ts'
import { BlockvaultError } from '../contract/errors.ts'
import type { BackupRecord } from '../contract/records.ts'
import type { ExportRecord } from '../cinder/export-record.ts'
import type { ServiceContext } from './context.ts'
import { createBackup } from './create.ts'
import { type DeleteBackupOptions, deleteBackup } from './delete.ts'
import { createDrivers } from './drivers.ts'
import { type BackupEvent, createEmit } from './events.ts'
import { createGate } from './gate.ts'
import { createJobs } from './jobs.ts'
import type { CreateBackupOptions, RestoreBackupOptions } from './options.ts'
import { type RecoveredBackup, recover } from './recover.ts'
import { exportRecord, importRecord } from './records.ts'
import { type ResetStatus, resetStatus } from './reset.ts'
import { type RestoredBackup, restoreBackup } from './restore.ts'
import { type ResolveVolume, volumeOpener } from './volumes.ts'

/** What a service works with. */
export interface BackupServiceOptions {
  context: BackupContext
  /** By class path; the first makes new backups unless another is named. */
  drivers: Readonly<Record<string, BackupDriver>>
  /** This service's name in the rows it works on. Two that run at once have two names. */
  host: string
  /** Where a volume's bytes are: a path, or a handle. */
  resolveVolume: ResolveVolume
  /** Backups and restores that move data at once; the others wait. 15 by default, 0 for no limit. Cinder's `backup_max_operations`. */
  operationsMax?: number | undefined
  /** Told each notification of Cinder's. Nobody by default. */
  onEvent?: ((event: BackupEvent) => void) | undefined
  /** Told what went wrong beside a job or after its failure, and did not stop it: an object that could not be removed, a listener that threw. */
  onProblem?: ((problem: ServiceProblem) => void) | undefined
}

/** Something that went wrong and did not fail the job. */
export interface ServiceProblem {
  backupId: string
  /** What was tried, e.g. `give the volume back`. */
  step: string
  error: unknown
}

/** Cinder's backup manager: jobs that change rows and statuses as it does. */
export interface BackupService extends AsyncDisposable {
  /**
   * Backs a volume up; resolves with the row, `available`. When it fails the row is in `error` with the reason, the volume has its
   * status back, and what was stored is removed. To cancel: the signal, or `delete` with `force`.
   * @throws InvalidInput, VolumeNotFound, InvalidVolume, InvalidSnapshot, InvalidBackup, ServiceNotFound, CANCELLED, or the driver's error
   */
  create(options: CreateBackupOptions): Promise<BackupRecord>
  /**
   * Restores a backup to an existing volume or a new one. When it fails the backup is `available` again, the volume `error_restoring`
   * (`error` when it was cancelled; as before when nothing was written). To cancel: the signal, or another status of the backup.
   * @throws InvalidInput, BackupNotFound, InvalidBackup, VolumeNotFound, InvalidVolume, BackupRestoreCancel, or the driver's error
   */
  restore(backupId: string, options?: RestoreBackupOptions): Promise<RestoredBackup>
  /**
   * Removes the backup's objects, then its row. When that fails the row is in `error` with the reason: delete it again.
   * @throws BackupNotFound, InvalidBackup (its status, or it has children), NotSupportedOperation, or the driver's error
   */
  delete(backupId: string, options?: DeleteBackupOptions): Promise<void>
  /** What another Cinder imports the backup by. @throws BackupNotFound, InvalidBackup when it is not `available` */
  exportRecord(backupId: string): Promise<ExportRecord>
  /** Makes a row of a record: the objects must be where the driver finds them; they are not looked at. @throws InvalidInput, InvalidBackup, ServiceNotFound */
  importRecord(record: ExportRecord): Promise<BackupRecord>
  /** Sets the status by hand; a job that runs here for the backup is cancelled. @throws BackupNotFound, InvalidInput for any other status */
  resetStatus(backupId: string, status: ResetStatus): Promise<void>
  /** Call it once after a start, before anything else. @returns what was undone or resumed */
  recover(): Promise<RecoveredBackup[]>
  /** Oldest first. Every project's by default. */
  list(filter?: BackupFilter): Promise<BackupRecord[]>
  /** A backup's row. @throws BackupNotFound */
  show(backupId: string): Promise<BackupRecord>
  /** Takes no more jobs and waits for those that run, or with `cancel` (false by default) cancels them. Context and drivers stay open. */
  close(options?: { cancel?: boolean | undefined }): Promise<void>
}

/**
 * A service over a context and drivers. Nothing happens before the first call.
 * @throws InvalidConfigurationValue without a driver, or for an `operationsMax` that is no count
 */
export function createBackupService(options: BackupServiceOptions): BackupService {
  const { context, host, operationsMax = 15 } = options
  if (!Number.isInteger(operationsMax) || operationsMax < 0)
    throw new BlockvaultError('InvalidConfigurationValue', `operationsMax is ${operationsMax}: give a whole number, 0 for no limit.`)
  const problem = (backupId: string, step: string, error: unknown) => {
    try {
      options.onProblem?.({ backupId, step, error })
    } catch {
      // Who listens for trouble has trouble: nobody is left to tell, and the steps that follow must not stop.
    }
  }
  const service: ServiceContext = {
    context,
    db: context.database,
    host,
    drivers: createDrivers(options.drivers),
    jobs: createJobs(),
    gate: createGate(operationsMax),
    openVolume: volumeOpener(context, options.resolveVolume),
    emit: createEmit(options.onEvent, (backupId, error) => problem(backupId, 'tell an event', error)),
    async attempt(backupId, step, work) {
      try {
        return await work()
      } catch (error) {
        problem(backupId, step, error)
        return undefined
      }
    },
    time: () => new Date(context.now()).toISOString(),
  }
  const close = ({ cancel = false }: { cancel?: boolean | undefined } = {}) => service.jobs.close({ cancel })
  return {
    create: (create) => createBackup(service, create),
    restore: (backupId, restore = {}) => restoreBackup(service, backupId, restore),
    delete: (backupId, remove) => deleteBackup(service, backupId, remove),
    exportRecord: (backupId) => exportRecord(service, backupId),
    importRecord: (record) => importRecord(service, record),
    resetStatus: (backupId, status) => resetStatus(service, backupId, status),
    recover: () => recover(service),
    list: (filter) => service.db.backups(filter),
    show: (backupId) => service.db.backup(backupId),
    close,
    [Symbol.asyncDispose]: () => close(),
  }
}
