/**
 * Where a command's words go. Two implementations keep this face: `human-report.ts` and `json-report.ts`.
 *
 * Invariant: stdout gets the answer, stderr everything said beside it; a secret is given to neither.
 */
import type { Progress } from '../contract/backup.ts'
import { BlockvaultError, isBlockvaultError } from '../contract/errors.ts'

/** What a caller should know although the command goes on. Codes are for machines. */
export type NoticeCode = 'KEY_FILE_CREATED' | 'SECRET_FILE_EXPOSED' | 'REPOSITORY_CREATED'

export interface Notice {
  code: NoticeCode
  /** Lines for people. */
  lines: readonly string[]
  details: Readonly<Record<string, string | boolean>>
  /** Also said with --quiet. False by default. */
  loud?: boolean
}

/** A result as people read it: `answer` is what was asked for, `summary` is dropped by --quiet. */
export interface ResultText {
  answer?: readonly string[]
  summary?: readonly string[]
}

export interface Report {
  progress(progress: Progress): void
  notice(notice: Notice): void
  /** One line on stderr, with --json and --quiet too. */
  complain(message: string): void
  /** Part of the answer that is known before its end. */
  event(type: string, fields: object, line: string): void
  /** The end of a command that did its work. */
  result(fields: object, text: ResultText): void
  /** The end of a command that failed. */
  failure(error: BlockvaultError, exitCode: number): void
}

/** What was thrown as the one error class: anything else is a defect of ours. */
export function asBlockvaultError(thrown: unknown): BlockvaultError {
  if (isBlockvaultError(thrown)) return thrown
  const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)
  return new BlockvaultError('INTERNAL', `Unexpected failure: ${message}. Please report this.`, { cause: thrown })
}
