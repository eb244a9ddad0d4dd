/** What the operations of one backup service share. */
import type { BackupContext } from '../contract/backup-context.ts'
import type { Database } from '../contract/database.ts'
import type { Drivers } from './drivers.ts'
import type { Emit } from './events.ts'
import type { Gate } from './gate.ts'
import type { Jobs } from './jobs.ts'
import type { OpenVolume } from './volumes.ts'

export interface ServiceContext {
  readonly context: BackupContext
  readonly db: Database
  readonly host: string
  readonly drivers: Drivers
  readonly jobs: Jobs
  /** Jobs that move data take a place here: `operationsMax` at once. */
  readonly gate: Gate
  readonly openVolume: OpenVolume
  readonly emit: Emit
  /**
   * Runs a step that must not stop the steps after it, nor hide the error that led to it. What it throws goes to `onProblem`.
   * `undefined` when it threw.
   */
  attempt<Result>(backupId: string, step: string, work: () => Promise<Result>): Promise<Result | undefined>
  /** The clock as ISO 8601. */
  time(): string
}
