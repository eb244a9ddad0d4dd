/** How option values are read: counts, sizes, ranges, tags. Whatever is not exactly of the form is a USAGE error. */
import { usageError } from './usage.ts'

const UNIT_BYTES: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 }

/** A whole number from `min` to `max`, in digits only. */
export function parseCount(text: string, what: string, { min, max }: { min: number; max: number }): number {
  const count = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (!(count >= min && count <= max)) throw usageError(`${what} must be a whole number from ${min} to ${max}, not '${text}'`)
  return count
}

/** Bytes: digits with an optional K, M, G or T in powers of 1024. `undefined` when it is anything else or too large to be exact. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,16})([KMGT]?)$/.exec(text.toUpperCase())
  if (match === null) return undefined
  const bytes = Number(match[1]) * UNIT_BYTES[match[2]!]!
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** `OFFSET:LENGTH`, both sizes. */
export function parseRange(text: string): { offset: number; length: number } {
  const parts = text.split(':')
  const offset = parseSize(parts[0] ?? '')
  const length = parseSize(parts[1] ?? '')
  const valid = parts.length === 2 && offset !== undefined && length !== undefined && length > 0
  if (!valid || !Number.isSafeInteger(offset + length)) {
    throw usageError(
      `--range must be OFFSET:LENGTH in bytes with LENGTH above 0, each with K, M, G or T (powers of 1024) behind it if wanted, for example 512M:64K, not '${text}'`,
    )
  }
  return { offset, length }
}

/** `KEY=VALUE` words as a record; the value may be empty and may hold `=`. */
export function parseTags(words: readonly string[]): Record<string, string> {
  const tags = new Map<string, string>()
  for (const word of words) {
    const equals = word.indexOf('=')
    if (equals < 1) throw usageError(`--tag must be KEY=VALUE, not '${word}'`)
    const key = word.slice(0, equals)
    if (tags.has(key)) throw usageError(`--tag ${key}=… may be given only once`)
    tags.set(key, word.slice(equals + 1))
  }
  // fromEntries defines properties instead of assigning them: a tag named `__proto__` stays a tag.
  return Object.fromEntries(tags)
}
