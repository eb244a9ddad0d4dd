/**
 * Times in rows: ISO 8601 in UTC with microseconds, always 27 characters, so that their order as text is their order in time.
 *
 * Invariant: a time comes out with microseconds where it has them, else with milliseconds; no digit is lost.
 */
const TIME = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,6}))?Z$/

/** `undefined` for what is no such time. */
export function timeToRow(time: string): string | undefined {
  const [, seconds, fraction = ''] = TIME.exec(time) ?? []
  if (seconds === undefined || !exists(seconds)) return undefined
  return `${seconds}.${fraction.padEnd(6, '0')}Z`
}

export function timeFromRow(stored: string): string {
  return stored.endsWith('000Z') ? `${stored.slice(0, -4)}Z` : stored
}

/** False for the 30th of February: `Date` makes another day of it. */
function exists(seconds: string): boolean {
  const milliseconds = Date.parse(`${seconds}Z`)
  return Number.isFinite(milliseconds) && new Date(milliseconds).toISOString().startsWith(seconds)
}
