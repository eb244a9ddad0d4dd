/** A command: its table for the parser and the help, and what it does. */
import type { CommandSpec } from './command-spec.ts'
import type { ExitCode } from './exit-codes.ts'
import type { Session } from './session.ts'

export interface Command extends CommandSpec {
  /** More lines for the command's help. */
  readonly notes?: readonly string[]
  /** Tells its result through the session's report; rejects with a BlockvaultError. */
  run(session: Session): Promise<ExitCode>
}
