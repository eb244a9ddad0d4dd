/** The errors that every database throws alike. */
import { BlockvaultError, type ErrorCode } from '../contract/errors.ts'

export function volumeNotFound(id: string): BlockvaultError {
  return notFound('VolumeNotFound', 'volume', id)
}

export function volumeTypeNotFound(id: string): BlockvaultError {
  return notFound('VolumeTypeNotFound', 'volume type', id)
}

export function snapshotNotFound(id: string): BlockvaultError {
  return notFound('InvalidSnapshot', 'snapshot', id)
}

export function backupNotFound(id: string): BlockvaultError {
  return notFound('BackupNotFound', 'backup', id)
}

function notFound(code: ErrorCode, what: string, id: string): BlockvaultError {
  return new BlockvaultError(code, `The database has no ${what} ${shown(id)}: it was deleted, or the id is another one.`, { details: { id } })
}

export function idExists(code: ErrorCode, what: string, id: string): BlockvaultError {
  return new BlockvaultError(code, `The database has a ${what} ${shown(id)} already: choose another id, or delete that one first.`, { details: { id } })
}

export function databaseClosed(): BlockvaultError {
  return new BlockvaultError('CLOSED', 'The database was closed: open it again.')
}

/** Ids come from outside: control characters are shown, and a long one is cut. */
function shown(id: string): string {
  const text = JSON.stringify(id).slice(1, -1)
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}
