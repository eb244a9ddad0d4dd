/**
 * The command's exit codes. They are an interface: a number here never changes its meaning.
 *
 * Invariant: every `ErrorCode` has exactly one exit code; the compiler refuses the table otherwise.
 */
import { ERROR_CODES, type ErrorCode } from '../contract/errors.ts'

/** Every exit code with what it tells a script. 10, 12 and 130 mean what they mean for restic (its doc/075_scripting.rst). */
export const EXIT_CODES = {
  0: 'done',
  1: 'a failure nobody should meet: please report it',
  2: 'the command line is not valid; nothing was done',
  3: 'the volume to back up can not be read whole; no backup was made of it',
  4: 'the restore target can not be used, or failed while it was written',
  10: 'there is no repository at the place, or something else is',
  11: 'the repository is not as wanted: it exists already, or was made by a newer version',
  12: 'the passphrase or key is missing, wrong or refused',
  13: 'damage was found: an object of the repository is missing or altered',
  14: 'the storage that holds the repository failed, is full or may not be used',
  15: 'no backup matches, or more than one does',
  130: 'cancelled by the user or the system; earlier backups are untouched',
} as const

export type ExitCode = keyof typeof EXIT_CODES

const EXIT_CODE_OF_ERROR: Readonly<Record<ErrorCode, ExitCode>> = {
  USAGE: 2,
  SOURCE_MISSING: 3,
  SOURCE_UNSUPPORTED: 3,
  SOURCE_DENIED: 3,
  SOURCE_READ_FAILED: 3,
  SOURCE_CHANGED: 3,
  TARGET_EXISTS: 4,
  TARGET_TOO_SMALL: 4,
  TARGET_IN_USE: 4,
  TARGET_IS_SOURCE: 4,
  TARGET_UNSUPPORTED: 4,
  TARGET_DENIED: 4,
  TARGET_WRITE_FAILED: 4,
  TARGET_FULL: 4,
  REPOSITORY_MISSING: 10,
  REPOSITORY_INVALID: 10,
  REPOSITORY_EXISTS: 11,
  REPOSITORY_UNSUPPORTED: 11,
  KEY_REQUIRED: 12,
  KEY_WRONG: 12,
  KEY_REFUSED: 12,
  OBJECT_MISSING: 13,
  OBJECT_DAMAGED: 13,
  OBJECT_EXISTS: 14,
  BACKUP_NOT_FOUND: 15,
  BACKUP_AMBIGUOUS: 15,
  STORAGE_FULL: 14,
  STORAGE_DENIED: 14,
  STORAGE_FAILED: 14,
  DATABASE_FAILED: 14,
  DATABASE_UNSUPPORTED: 11,
  CANCELLED: 130,
  WORKER_FAILED: 1,
  CORE_UNAVAILABLE: 1,
  CLOSED: 1,
  INTERNAL: 1,
  InvalidBackup: 13,
  InvalidVolume: 3,
  InvalidSnapshot: 3,
  InvalidInput: 2,
  InvalidParameterValue: 2,
  InvalidConfigurationValue: 2,
  BackupNotFound: 15,
  VolumeNotFound: 15,
  VolumeTypeNotFound: 15,
  ServiceNotFound: 11,
  BackupRestoreCancel: 130,
  BackupMetadataUnsupportedVersion: 11,
  BackupOperationError: 14,
  BackupDriverException: 14,
  EncryptedBackupOperationFailed: 4,
  NotSupportedOperation: 2,
}

export function exitCodeOf(code: ErrorCode): ExitCode {
  return EXIT_CODE_OF_ERROR[code]
}

/** The table as text: each exit code with its meaning, and under it the error codes that lead to it. */
export function exitCodesHelp(): string {
  const errorCodes = Object.keys(ERROR_CODES) as ErrorCode[]
  const width = Math.max(...errorCodes.map((code) => code.length))
  const lines = ['Exit codes, and the error codes (`code` in --json) that lead to each:', '']
  for (const [exitCode, meaning] of Object.entries(EXIT_CODES)) {
    lines.push(`${exitCode.padStart(4)}  ${meaning}`)
    for (const code of errorCodes) {
      if (String(exitCodeOf(code)) === exitCode) lines.push(`        ${code.padEnd(width)}  ${ERROR_CODES[code]}`)
    }
  }
  return `${lines.join('\n')}\n`
}
