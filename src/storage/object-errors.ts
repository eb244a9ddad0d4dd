/** The errors that every storage backend gives, in one wording. */
import { BlockvaultError } from '../contract/errors.ts'
import { OBJECT_NAME } from '../contract/storage.ts'

/** The name, if it keeps to the grammar: no backend is ever handed a path to follow. */
export function checkObjectName(name: string): string {
  if (!OBJECT_NAME.test(name)) throw new BlockvaultError('INTERNAL', `Not an object name: ${JSON.stringify(name)}`)
  return name
}

export function missing(name: string, cause?: unknown): BlockvaultError {
  return new BlockvaultError('OBJECT_MISSING', `${name} is missing.`, { details: { object: name }, cause })
}

export function tooLong(name: string, size: number, bytesMax: number): BlockvaultError {
  return new BlockvaultError('OBJECT_DAMAGED', `${name} has ${size} bytes, more than the ${bytesMax} it can have.`, { details: { object: name, size, bytesMax } })
}

export function endedEarly(name: string, size: number, needed: number): BlockvaultError {
  return new BlockvaultError('OBJECT_DAMAGED', `${name} is truncated: it has ${size} bytes, at least ${needed} are needed.`, { details: { object: name, size, needed } })
}
