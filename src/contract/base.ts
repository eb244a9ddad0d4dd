/** What every part that works for Cinder's contract begins with: the request context, and the database behind it. */
import type { BackupContext } from './backup-context.ts'
import type { Database } from './database.ts'

/** Source: cinder/db/base.py, class `Base`. There the database is a module of the process; here it comes with the context. */
export class Base {
  readonly context: BackupContext
  /** Cinder's `db`. */
  readonly db: Database

  constructor(context: BackupContext) {
    this.context = context
    this.db = context.database
  }
}
