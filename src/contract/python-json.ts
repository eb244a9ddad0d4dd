/**
 * JSON as Python's `json.dumps` writes it, so that what we store is what Cinder would have stored, byte by byte. Pure ASCII.
 *
 * A number that is whole and below 1e21 is written as Python's int, any other as its float.
 */
import { BlockvaultError } from './errors.ts'

export interface PythonJsonOptions {
  /** Spaces a level, one item a line: Python's `indent`. None by default: one line, `", "` and `": "`. */
  indent?: number | undefined
  /** Keys in the order of their code points, at every level: Python's `sort_keys`. False by default: insertion order. */
  sortKeys?: boolean | undefined
}

/** Deeper values are refused: nothing here needs more, and a value that holds itself ends here too. */
const DEPTH_MAX = 100

/** @throws InvalidInput for what JSON can not carry: functions, `undefined`, NaN, objects that are no plain records, too deep a nesting */
export function pythonJson(value: unknown, { indent, sortKeys = false }: PythonJsonOptions = {}): string {
  const write = (value: unknown, depth: number): string => {
    if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
    if (typeof value === 'string') return pythonString(value)
    if (typeof value === 'number' && Number.isFinite(value)) return pythonNumber(value)
    if (depth === DEPTH_MAX) throw notJson(`nesting deeper than ${DEPTH_MAX}`)
    if (Array.isArray(value))
      return wrap(
        '[',
        Array.from(value, (item) => write(item, depth + 1)),
        ']',
        depth,
      )
    if (!isPlain(value)) throw notJson(`a value of type ${typeof value}`)
    const keys = Object.keys(value)
    if (sortKeys) keys.sort(byCodePoint)
    return wrap(
      '{',
      keys.map((key) => `${pythonString(key)}: ${write(value[key], depth + 1)}`),
      '}',
      depth,
    )
  }
  const wrap = (open: string, items: readonly string[], close: string, depth: number): string => {
    if (items.length === 0 || indent === undefined) return open + items.join(', ') + close
    const margin = `\n${' '.repeat(indent * (depth + 1))}`
    return `${open}${margin}${items.join(`,${margin}`)}\n${' '.repeat(indent * depth)}${close}`
  }
  return write(value, 0)
}

const SHORT_ESCAPES: Readonly<Record<string, string>> = { '"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\b': '\\b', '\f': '\\f' }

/** A string in quotes: everything but space to `~` is escaped, DEL too (json/encoder.py, ESCAPE_ASCII). */
export function pythonString(value: string): string {
  return `"${value.replace(/[^ !#-[\]-~]/g, (unit) => SHORT_ESCAPES[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`
}

/** Both give the shortest digits that read back as the same number; Python turns to exponents at 1e16 and below 1e-4, with two digits. */
function pythonNumber(value: number): string {
  const size = Math.abs(value)
  if (Number.isInteger(value) && size < 1e21) return String(BigInt(value))
  if (size >= 1e-4 && size < 1e16) return String(value)
  const [digits, sign, exponent = ''] = value.toExponential().split(/e([+-])/)
  return `${digits}e${sign}${exponent.padStart(2, '0')}`
}

/** Python compares strings by code points, JavaScript by UTF-16 units: they differ where surrogates meet U+E000 to U+FFFF. */
function byCodePoint(left: string, right: string): number {
  let at = 0
  while (at < left.length && left.charCodeAt(at) === right.charCodeAt(at)) at++
  // Inside a pair both would compare the second halves: the first halves are equal then, so that order is right too.
  return (left.codePointAt(at) ?? -1) - (right.codePointAt(at) ?? -1)
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function notJson(what: string): BlockvaultError {
  return new BlockvaultError('InvalidInput', `This can not be written as JSON: ${what}.`)
}
