/** The errors that every storage backend gives, in one wording. */
import { BlockvaultError } from '../contract/errors.ts'
import { OBJECT_NAME } from '../contract/storage.ts'

/** Where backends keep what is not yet an object: never part of an object's name, or a sweep would remove it. */
const RESERVED = /^tmp(\/|$)/

export function isObjectName(name: string): boolean {
  return OBJECT_NAME.test(name) && !RESERVED.test(name)
}

/** The name, if it keeps to the grammar: no backend is ever handed a path to follow. */
export function checkObjectName(name: string): string {
  if (!isObjectName(name)) throw new BlockvaultError('INTERNAL', `Not an object name: ${JSON.stringify(name)}`)
  return name
}

/** A listing's prefix, if it is empty or a name with a `/` behind it. */
export function checkPrefix(prefix: string): string {
  if (prefix !== '' && !(prefix.endsWith('/') && OBJECT_NAME.test(prefix.slice(0, -1)) && !RESERVED.test(prefix)))
    throw new BlockvaultError('INTERNAL', `Not a prefix of object names: ${JSON.stringify(prefix)}`)
  return prefix
}

export function checkRange(offset: number, length: number): void {
  const isRange = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0
  if (!isRange) throw new BlockvaultError('INTERNAL', `Not a range of an object: offset ${offset}, length ${length}.`)
}

export function exists(name: string, cause?: unknown): BlockvaultError {
  return new BlockvaultError('OBJECT_EXISTS', `${name} exists already.`, { details: { object: name }, cause })
}

export function missing(name: string, cause?: unknown): BlockvaultError {
  return new BlockvaultError('OBJECT_MISSING', `${name} is missing.`, { details: { object: name }, cause })
}

export function tooLong(name: string, size: number, bytesMax: number): BlockvaultError {
  return new BlockvaultError('OBJECT_DAMAGED', `${name} has ${size} bytes, more than the ${bytesMax} it can have.`, {
    details: { object: name, size, bytesMax },
  })
}

export function endedEarly(name: string, size: number, needed: number): BlockvaultError {
  return new BlockvaultError('OBJECT_DAMAGED', `${name} is truncated: it has ${size} bytes, at least ${needed} are needed.`, {
    details: { object: name, size, needed },
  })
}

/** As `endedEarly`, where it is not known how long the object is. */
export function nothingAt(name: string, offset: number, needed: number): BlockvaultError {
  return new BlockvaultError('OBJECT_DAMAGED', `${name} is truncated: nothing of it is at offset ${offset}, at least ${needed} bytes are needed.`, {
    details: { object: name, needed },
  })
}

export function notAnObject(name: string, cause?: unknown): BlockvaultError {
  return new BlockvaultError('OBJECT_DAMAGED', `${name} is no object but a link, FIFO or device that was put in its place.`, {
    details: { object: name },
    cause,
  })
}

export function containerMissing(container: string, place: string, cause?: unknown): BlockvaultError {
  return new BlockvaultError('OBJECT_MISSING', `There is no container ${JSON.stringify(container)} in ${place}: make it first.`, {
    details: { container },
    cause,
  })
}

export function writerClosed(): BlockvaultError {
  return new BlockvaultError('CLOSED', 'The object was written to after it was finished or discarded.')
}
