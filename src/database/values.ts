/** Columns that are not simply a field of a record: metadata maps, the time of a change, what a list is filtered by. */
import { BlockvaultError } from '../contract/errors.ts'
import type { BackupFilter } from '../contract/database.ts'
import { BACKUP_FIELDS, type Row, toUpdates, type Value } from './fields.ts'

/** The column of a metadata map. @throws InvalidInput for a value that is no string. */
export function metadataColumn(metadata: Readonly<Record<string, string>>): string {
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') {
      throw new BlockvaultError('InvalidInput', `Metadata values are strings: ${JSON.stringify(key).slice(0, 60)} has another type.`)
    }
  }
  return JSON.stringify(metadata)
}

/** `undefined` where the column is null. */
export function metadataOf(column: Value | undefined): Record<string, string> | undefined {
  return column === null || column === undefined ? undefined : (JSON.parse(String(column)) as Record<string, string>)
}

/** Spread, not assignment: a key `__proto__` is a key like any other. */
export function mergedMetadata(column: Value | undefined, metadata: Readonly<Record<string, string>>): Record<string, string> {
  return { ...metadataOf(column), ...metadata }
}

/** `milliseconds` since 1970 as it stands in a row. */
export function nowTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, -1)}000Z`
}

/** The columns that a list's rows have to equal. @throws InvalidInput for a filter that there is not */
export function filterColumns({ statuses: _, ...equal }: BackupFilter): Row {
  return toUpdates(BACKUP_FIELDS, equal)
}
