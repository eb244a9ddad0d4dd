/**
 * Names of Cinder's containers and objects (cinder/backup/chunkeddriver.py, drivers/posix.py, s3.py, swift.py).
 *
 * Invariant: which object belongs to which backup is told by the exact grammar `prefix-NNNNN`, `prefix_metadata`, `prefix_sha256file`.
 * "Begins with the prefix" is never enough: a neighbour's prefix may begin with ours.
 */
import { BlockvaultError } from '../contract/errors.ts'
import { pythonDateTimeDigits } from './created-at.ts'

export const METADATA_SUFFIX = '_metadata'
export const SHA256_FILE_SUFFIX = '_sha256file'

/** Cinder's API and its database column. Longer than this no container name can have come from there. */
export const CONTAINER_LENGTH_MAX = 255
/** `service_metadata` is a column of 255 characters (cinder/db/sqlalchemy/models.py), and the prefix is stored there. */
export const PREFIX_LENGTH_MAX = 255
/** Numbers of data objects that are read: far more than one backup has, and exact in 32 bits. */
export const OBJECT_NUMBER_MAX = 0xffff_ffff

/** Name of data object `number`, from 1, in the order they were written. */
export function dataObjectName(prefix: string, number: number): string {
  return `${prefix}-${String(number).padStart(5, '0')}`
}

export function metadataName(prefix: string): string {
  return prefix + METADATA_SUFFIX
}

export function sha256FileName(prefix: string): string {
  return prefix + SHA256_FILE_SUFFIX
}

export interface ObjectName {
  prefix: string
  part: 'data' | 'metadata' | 'sha256file'
  /** Of a data object; 0 otherwise. */
  number: number
}

/** What an object's name says, `undefined` when it is none of a backup. */
export function parseObjectName(name: string): ObjectName | undefined {
  const dash = name.lastIndexOf('-')
  if (dash > 0) {
    const number = dataObjectNumber(name, dash + 1)
    if (number !== undefined) return { prefix: name.slice(0, dash), part: 'data', number }
  }
  for (const [suffix, part] of JSON_OBJECTS) {
    if (name.length > suffix.length && name.endsWith(suffix)) return { prefix: name.slice(0, -suffix.length), part, number: 0 }
  }
  return undefined
}

const JSON_OBJECTS = [
  [METADATA_SUFFIX, 'metadata'],
  [SHA256_FILE_SUFFIX, 'sha256file'],
] as const

/** The number that `name` has from `start` on, if it is written as `dataObjectName` writes it. */
function dataObjectNumber(name: string, start: number): number | undefined {
  const length = name.length - start
  if (length < 5 || length > 10 || (length > 5 && name[start] === '0')) return undefined
  let number = 0
  for (let at = start; at < name.length; at++) {
    const digit = name.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) return undefined
    number = number * 10 + digit
  }
  return number >= 1 && number <= OBJECT_NUMBER_MAX ? number : undefined
}

export interface PrefixOptions {
  volumeId: string
  backupId: string
  /** When the backup starts; not the row's `created_at`. Milliseconds since 1970. */
  now: number
}

/** The posix, NFS and GlusterFS drivers. @throws InvalidInput when an id is not fit for a file's name */
export function posixPrefix({ volumeId, backupId, now }: PrefixOptions): string {
  const prefix = `volume_${volumeId}_${pythonDateTimeDigits(now)}_backup_${backupId}`
  if (prefix.includes('/')) throw unfit('prefix', prefix, 'a file has no `/` in its name')
  return checkPrefix(prefix)
}

/** The S3, Swift and GCS drivers. `availabilityZone` is the service's, and goes in as it is, spaces and `/` too. @throws InvalidInput */
export function objectStorePrefix({ volumeId, backupId, now, availabilityZone }: PrefixOptions & { availabilityZone: string }): string {
  return checkPrefix(`volume_${volumeId}/${pythonDateTimeDigits(now)}/az_${availabilityZone}_backup_${backupId}`)
}

/** What the drivers' prefixes say. A driver of somebody else's may have others. */
const POSIX_PREFIX = /^volume_([^/]+)_(\d{14})_backup_([^/]+)$/
const OBJECT_STORE_PREFIX = /^volume_([^/]+)\/(\d{14})\/az_.*_backup_([^/]+)$/

export interface PrefixFacts {
  volumeId: string
  backupId: string
}

/** `undefined` for a prefix that no driver of Cinder's makes. */
export function prefixFacts(prefix: string): PrefixFacts | undefined {
  const match = POSIX_PREFIX.exec(prefix) ?? OBJECT_STORE_PREFIX.exec(prefix)
  return match ? { volumeId: match[1]!, backupId: match[3]! } : undefined
}

/** The prefix in a path of container and prefix, by its form; for a form that no driver of Cinder's makes, the last part. */
export function prefixInPath(path: string): string {
  const parts = path.split('/')
  const last = parts.at(-1)!
  if (prefixFacts(last)) return last
  // From the end: the container may have parts of this form too. A zone may hold `/`, so any number of parts may follow the time.
  for (let from = parts.length - 3; from >= 0; from--) {
    const prefix = parts.slice(from).join('/')
    if (OBJECT_STORE_PREFIX.test(prefix)) return prefix
  }
  return last
}

/** Whether `path` is `end`, or `end` in some container. */
export function isEndOfPath(path: string, end: string): boolean {
  return end !== '' && (path === end || path.endsWith(`/${end}`))
}

/** Where the posix driver puts a backup when nobody names a container. @throws InvalidInput */
export function posixContainer(backupId: string): string {
  return checkContainer(`${backupId.slice(0, 2)}/${backupId.slice(2, 4)}/${backupId}`)
}

/**
 * The name, if it stays below the store's root. Cinder joins whatever it was given, absolute paths and `..` too: here that is refused.
 * @throws InvalidInput
 */
export function checkContainer(container: string): string {
  return checkName('container', container, CONTAINER_LENGTH_MAX)
}

/** The prefix, if all names made of it stay in their container. @throws InvalidInput */
export function checkPrefix(prefix: string): string {
  return checkName('prefix', prefix, PREFIX_LENGTH_MAX)
}

function checkName(what: string, name: string, lengthMax: number): string {
  if (name.length > lengthMax) throw unfit(what, name, `it is longer than ${lengthMax} characters`)
  const fault = nameFault(name)
  if (fault !== undefined) throw unfit(what, name, fault)
  return name
}

/** Why a name can not be used below a root; `undefined` when it can. A trailing `/` is an empty part. */
export function nameFault(name: string): string | undefined {
  if (/[\u0000-\u001f\u007f]/.test(name)) return 'it holds control characters'
  if (/\p{Surrogate}/u.test(name)) return 'it holds half a surrogate pair'
  if (name.startsWith('/')) return 'it is an absolute path'
  const parts = name.split('/')
  if (parts.includes('')) return name === '' ? 'it is empty' : 'it has an empty part'
  if (parts.includes('..') || parts.includes('.')) return 'it has `.` or `..` for a part'
  return undefined
}

function unfit(what: string, name: string, reason: string): BlockvaultError {
  return new BlockvaultError('InvalidInput', `${JSON.stringify(name.slice(0, 300))} can not be the ${what} of a backup: ${reason}.`, {
    details: { [what]: name.slice(0, 300) },
  })
}
