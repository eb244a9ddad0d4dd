/**
 * Names of containers and objects in an object store. They come out of databases, manifests and listings that others wrote: what could
 * lead out of the store, or can not be told from another name, is refused with InvalidInput before anything is touched.
 */
import { BlockvaultError } from '../contract/errors.ts'

/** S3's and Swift's limit; Cinder's API allows 255 characters for a container. */
export const NAME_BYTES_MAX = 1024

/**
 * What a directory store calls an object that is not whole yet: a random part, and the object's name where that fits. Never an object's
 * name itself: backups' prefixes begin with `volume_`, and Cinder refuses a backup beside whose objects another file begins so.
 */
const TEMPORARY_NAME = /^\.blockvault-[0-9a-f]{16}(?:-(.+))?\.partial$/

/** `random`: 16 hex digits. Without the object's name, only its age tells that it is abandoned. */
export function temporaryName(name: string, random: string): string {
  /** The longest name of a file on most file systems. */
  const fileNameBytesMax = 255
  const whole = `.blockvault-${random}-${name}.partial`
  return new TextEncoder().encode(whole).length <= fileNameBytesMax ? whole : `.blockvault-${random}.partial`
}

/** The object that a temporary name is of, `''` when it does not tell; `undefined` for any other name. */
export function nameOfTemporary(name: string): string | undefined {
  const match = TEMPORARY_NAME.exec(name)
  return match ? (match[1] ?? '') : undefined
}

/** `''` is the store's root. */
export function checkContainerName(container: string): string {
  return container === '' ? container : check(container, 'container')
}

export function checkStoredName(name: string): string {
  return check(name, 'object')
}

/** True when `name` can be a container's or an object's. */
export function isStoreName(name: string): boolean {
  return problemOf(name) === undefined
}

/** A prefix may end inside a name: only what no name can begin with is refused. `''` is every object's. */
export function checkNamePrefix(prefix: string): string {
  return prefix === '' ? prefix : (check(`${prefix}x`, 'prefix'), prefix)
}

function check(name: string, kind: 'container' | 'object' | 'prefix'): string {
  const problem = problemOf(name)
  if (problem !== undefined)
    throw new BlockvaultError('InvalidInput', `Not a name of ${kind === 'object' ? 'an' : 'a'} ${kind}: ${JSON.stringify(name.slice(0, 200))} ${problem}.`, {
      details: { [kind]: name.slice(0, 200) },
    })
  return name
}

function problemOf(name: string): string | undefined {
  if (name === '') return 'is empty'
  // Three bytes are the most that a UTF-16 unit takes.
  if (name.length > NAME_BYTES_MAX || (name.length * 3 > NAME_BYTES_MAX && new TextEncoder().encode(name).length > NAME_BYTES_MAX))
    return `is longer than ${NAME_BYTES_MAX} bytes`
  if (/\p{Cc}/u.test(name)) return 'has a control character'
  // Written to a file's name, every lone surrogate becomes the same character.
  if (/\p{Cs}/u.test(name)) return 'is no valid Unicode'
  const parts = name.split('/')
  if (name.startsWith('/')) return 'is an absolute path'
  if (parts.includes('')) return 'has an empty part'
  if (parts.includes('..') || parts.includes('.')) return 'has a part that is . or ..'
  if (parts.some((part) => nameOfTemporary(part) !== undefined)) return 'is the name of an unfinished object'
  return undefined
}
