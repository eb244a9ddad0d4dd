/**
 * Times as Cinder writes them. Ours are ISO 8601 in UTC (`2024-01-10T00:05:09.000Z`); the manifests have Python's `str(datetime)`
 * (`2024-01-10 00:05:09+00:00`, with microseconds when they are not 0), records and the API `2024-01-10T00:05:09Z`.
 *
 * Invariant: a time read and written again is the same text, to the microsecond, whatever the machine's zone.
 */
import { BlockvaultError } from '../contract/errors.ts'

const TIME = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6})\d{0,3})?(Z|[+-]\d\d:\d\d)?$/

interface Time {
  /** Whole seconds, as milliseconds since 1970. */
  ms: number
  microseconds: number
}

/** `str(datetime)` of an ISO 8601 time. @throws InvalidInput */
export function pythonDateTime(iso: string): string {
  const { ms, microseconds } = parseTime(iso)
  return `${date(ms)} ${clock(ms)}${microseconds === 0 ? '' : `.${String(microseconds).padStart(6, '0')}`}+00:00`
}

/**
 * ISO 8601 of `str(datetime)`: with milliseconds, or microseconds where there are more. One without a zone is UTC: releases before
 * timezone-aware rows wrote it so. @throws InvalidInput
 */
export function isoOfPythonDateTime(text: string): string {
  const { ms, microseconds } = parseTime(text)
  const digits = String(microseconds).padStart(6, '0')
  return `${date(ms)}T${clock(ms)}.${digits.endsWith('000') ? digits.slice(0, 3) : digits}Z`
}

/** As records have it: seconds. @throws InvalidInput */
export function recordTime(iso: string): string {
  const { ms } = parseTime(iso)
  return `${date(ms)}T${clock(ms)}Z`
}

/** ISO 8601 of a record's time. @throws InvalidInput */
export const isoOfRecordTime = isoOfPythonDateTime

/** `YYYYMMDDHHMMSS`, as object name prefixes have it. `ms` since 1970. */
export function pythonDateTimeDigits(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace(/\D/g, '')
}

function parseTime(text: string): Time {
  const match = TIME.exec(text)
  if (match) {
    const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = match
    const wall = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`
    const ms = Date.parse(wall)
    // Date.parse turns February 30th into March: such a time is none. Python has no year 0.
    if (!Number.isNaN(ms) && year !== '0000' && new Date(ms).toISOString() === wall) {
      const utc = ms - zoneMinutes(zone) * 60_000
      if (utc >= YEAR_1 && utc < YEAR_10000) return { ms: utc, microseconds: Number(fraction.padEnd(6, '0')) }
    }
  }
  throw new BlockvaultError('InvalidInput', `${JSON.stringify(text.slice(0, 100))} is not a time: write it as 2024-01-10T00:05:09Z.`)
}

const YEAR_1 = Date.parse('0001-01-01T00:00:00Z')
const YEAR_10000 = Date.parse('9999-12-31T23:59:59Z') + 1000

function zoneMinutes(zone: string): number {
  if (zone === 'Z') return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4))
  return zone.startsWith('-') ? -minutes : minutes
}

function date(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19)
}
