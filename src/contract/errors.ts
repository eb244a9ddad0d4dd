/**
 * The one error class of blockvault and its closed list of codes.
 *
 * Invariant: every failure a caller can meet has one of these codes; the message says what to do next; `details` is
 * for machines and never holds a secret.
 */

/**
 * Every code, with what it means. The command maps each to an exit code (`src/cli/exit-codes.ts`). Those in capitals and small
 * letters are the names of Cinder's exceptions (cinder/exception.py): drivers and the service use them where Cinder would.
 */
export const ERROR_CODES = {
  USAGE: 'an option or argument is not valid',
  SOURCE_MISSING: 'the volume to back up does not exist',
  SOURCE_UNSUPPORTED: 'the path is neither a regular file nor a block device',
  SOURCE_DENIED: 'the volume may not be opened for reading',
  SOURCE_READ_FAILED: 'the device failed while it was read; details.offset names the place',
  SOURCE_CHANGED: 'the volume shrank or grew while it was read',
  TARGET_EXISTS: 'the restore target exists and overwriting was not asked for',
  TARGET_TOO_SMALL: 'the restore target is smaller than what would be written',
  TARGET_IN_USE: 'the restore target is mounted or otherwise in use',
  TARGET_IS_SOURCE: 'the restore target is the volume the backup was made from',
  TARGET_UNSUPPORTED: 'the restore target can not be written by this system',
  TARGET_DENIED: 'the restore target may not be opened for writing',
  TARGET_WRITE_FAILED: 'writing to the restore target failed; details.offset names the place',
  TARGET_FULL: 'the disk that holds the restore target is full',
  REPOSITORY_MISSING: 'there is no repository at this place',
  REPOSITORY_INVALID: 'the place holds something that is not a blockvault repository',
  REPOSITORY_EXISTS: 'there is already a repository at this place',
  REPOSITORY_UNSUPPORTED: 'the repository was made by a newer version or with unknown features',
  KEY_REQUIRED: 'the repository is encrypted and no passphrase or key was given',
  KEY_WRONG: 'the passphrase or key does not open this repository',
  KEY_REFUSED: 'a key slot asks for costs or lengths outside the accepted bounds',
  OBJECT_MISSING: 'an object of the repository is missing',
  OBJECT_DAMAGED: 'an object of the repository is truncated, altered or otherwise not what was written',
  OBJECT_EXISTS: 'a write-once object of this name exists already',
  BACKUP_NOT_FOUND: 'no backup matches',
  BACKUP_AMBIGUOUS: 'more than one backup matches',
  STORAGE_FULL: 'the storage has no space left',
  STORAGE_DENIED: 'the storage may not be read or written',
  STORAGE_FAILED: 'the storage failed',
  DATABASE_FAILED: 'the database failed, or can not be reached',
  DATABASE_UNSUPPORTED: 'the database was made by a newer version',
  CANCELLED: 'the caller cancelled',
  WORKER_FAILED: 'a worker stopped or broke the protocol',
  CORE_UNAVAILABLE: 'neither the WebAssembly core nor its fallback could be loaded',
  CLOSED: 'the object was used after it was closed',
  INTERNAL: 'a defect in blockvault: please report it',
  InvalidBackup: 'a backup, or what was asked of it, is not valid',
  InvalidVolume: 'the volume, or its state, does not allow this',
  InvalidSnapshot: 'the snapshot, or its state, does not allow this',
  InvalidInput: 'what was passed in can not be understood',
  InvalidParameterValue: 'a parameter has a value that is not allowed',
  InvalidConfigurationValue: 'a driver is configured with a value it can not work with',
  BackupNotFound: 'the database has no such backup',
  VolumeNotFound: 'the database has no such volume',
  VolumeTypeNotFound: 'the database has no such volume type',
  ServiceNotFound: 'no backup service here has the driver that made this backup',
  BackupRestoreCancel: "the restore was cancelled: by its signal, or because the backup's status changed",
  BackupMetadataUnsupportedVersion: 'the volume metadata container has a version that nothing here restores',
  BackupOperationError: 'a backup operation failed',
  BackupDriverException: 'the backup driver failed',
  EncryptedBackupOperationFailed: 'the backup of an encrypted volume can not be restored to this volume type',
  NotSupportedOperation: 'the driver does not support this',
} as const

/** One of `ERROR_CODES`: what a program asks an error for. */
export type ErrorCode = keyof typeof ERROR_CODES

/** Facts for machines beside a message: plain JSON values only, so that they cross workers and `--json` unchanged. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null | readonly string[]>>

/** The one class of errors. `code` is for programs, `message` says what to do next, `details` has what it speaks of, `cause` the error that it came from. */
export class BlockvaultError extends Error {
  override readonly name = 'BlockvaultError'
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, options: { details?: ErrorDetails; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details ?? {}
  }
}

/** True when `error` is a BlockvaultError, and has `code` when one is given. */
export function isBlockvaultError(error: unknown, code?: ErrorCode): error is BlockvaultError {
  return error instanceof BlockvaultError && (code === undefined || error.code === code)
}

/** Rejects with `CANCELLED` when `signal` has fired; the signal's reason is kept as the cause. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled(signal)
}

/** The error a fired `signal` stands for. */
export function cancelled(signal: AbortSignal): BlockvaultError {
  return new BlockvaultError('CANCELLED', 'Cancelled. What was already stored is kept and used by the next backup.', { cause: signal.reason })
}
