/**
 * Reads JSON that came from outside. Invariant: what it returns is small, shallow and holds no `__proto__`, so that the code after it
 * may walk it, validate it and copy it without care.
 */
import { BlockvaultError } from './errors.ts'

export interface HostileJsonOptions {
  /** What it is, for messages: `metadata container`. */
  what: string
  /** Longest text in UTF-16 units. */
  lengthMax: number
  /** Deepest nesting of arrays and objects. 32 by default. */
  depthMax?: number | undefined
}

/** @throws InvalidInput */
export function parseHostileJson(text: string, { what, lengthMax, depthMax = 32 }: HostileJsonOptions): unknown {
  const refuse = (why: string, cause?: unknown) => new BlockvaultError('InvalidInput', `The ${what} ${why}.`, { cause })
  if (typeof text !== 'string') throw refuse('is no text')
  if (text.length > lengthMax) throw refuse(`has ${text.length} characters: more than ${lengthMax} are not read`)
  // Before it is parsed: parsers of some runtimes recurse.
  if (nestingOf(text) > depthMax) throw refuse(`is nested deeper than ${depthMax}`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw refuse('is not JSON', error)
  }
  if (holdsPrototypeKey(value)) throw refuse('holds a key `__proto__`')
  return value
}

function nestingOf(text: string): number {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const unit = text[at]
    if (inString) {
      if (unit === '\\') at++
      else if (unit === '"') inString = false
    } else if (unit === '"') inString = true
    else if (unit === '[' || unit === '{') deepest = Math.max(deepest, ++depth)
    else if (unit === ']' || unit === '}') depth--
  }
  return deepest
}

/** `JSON.parse` makes `__proto__` an own property; a copy by assignment would make it the prototype. */
function holdsPrototypeKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.hasOwn(value, '__proto__') || Object.values(value).some(holdsPrototypeKey)
}
