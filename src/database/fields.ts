/**
 * What the databases keep of each record: its fields, their kinds, and how a value stands in a row.
 *
 * Invariants: a row holds text, safe integers and null only, so that SQLite and PostgreSQL keep it alike; what comes out is what went
 * in, character for character (but for times, which are written out to milliseconds or microseconds); a field that is not in these
 * tables, or has the wrong type, never reaches a statement (InvalidInput).
 */
import { BlockvaultError } from '../contract/errors.ts'
import { BACKUP_STATUSES, type BackupRecord, type SnapshotRecord, type VolumeRecord, type VolumeTypeRecord } from '../contract/records.ts'
import { escapeText, unescapeText } from './text.ts'
import { timeFromRow, timeToRow } from './time.ts'

export type Value = string | number | null
export type Row = Record<string, Value>

interface Kind {
  /** `undefined` for what is not of this kind. */
  toRow(value: unknown): Value | undefined
  fromRow(value: Value): unknown
}

/** UTF-16 units. Cinder's columns for other names take as many. */
const ID_LENGTH_MAX = 255

const text: Kind = {
  toRow: (value) => (typeof value === 'string' ? escapeText(value) : undefined),
  fromRow: (value) => unescapeText(String(value)),
}
/** What rows are looked up by. PostgreSQL's indices take no more than 2704 bytes of a value; Cinder's ids are UUIDs. */
const identifier: Kind = { ...text, toRow: (value) => (typeof value === 'string' && value.length <= ID_LENGTH_MAX ? escapeText(value) : undefined) }
/** PostgreSQL's driver gives 64-bit integers as text: both are read. */
const integer: Kind = {
  toRow: (value) => (Number.isSafeInteger(value) ? (value as number) : undefined),
  fromRow: Number,
}
const boolean: Kind = {
  toRow: (value) => (typeof value === 'boolean' ? Number(value) : undefined),
  fromRow: (value) => Number(value) !== 0,
}
const time: Kind = {
  toRow: (value) => (typeof value === 'string' ? timeToRow(value) : undefined),
  fromRow: (value) => timeFromRow(String(value)),
}
/** JSON escapes NUL and lone surrogates itself. */
const json: Kind = {
  toRow: (value) => (typeof value === 'object' && value !== null && !Array.isArray(value) ? jsonText(value) : undefined),
  fromRow: (value) => JSON.parse(String(value)),
}
const status: Kind = { ...text, toRow: (value) => ((BACKUP_STATUSES as readonly unknown[]).includes(value) ? (value as string) : undefined) }
const nullable = (kind: Kind): Kind => ({
  ...kind,
  toRow: (value) => (value === null ? null : kind.toRow(value)),
  fromRow: (value) => (value === null ? null : kind.fromRow(value)),
})

export type Fields<T> = Readonly<Record<keyof T & string, Kind>>

export const BACKUP_FIELDS: Fields<BackupRecord> = {
  id: identifier,
  userId: text,
  projectId: text,
  volumeId: identifier,
  host: nullable(text),
  availabilityZone: nullable(text),
  container: nullable(text),
  parentId: nullable(identifier),
  status,
  failReason: nullable(text),
  size: integer,
  displayName: nullable(text),
  displayDescription: nullable(text),
  serviceMetadata: nullable(text),
  service: nullable(text),
  objectCount: integer,
  tempVolumeId: nullable(text),
  tempSnapshotId: nullable(text),
  numDependentBackups: integer,
  snapshotId: nullable(text),
  dataTimestamp: nullable(time),
  restoreVolumeId: nullable(text),
  metadata: json,
  encryptionKeyId: nullable(text),
  createdAt: time,
  updatedAt: nullable(time),
  deletedAt: nullable(time),
  deleted: boolean,
}

export const VOLUME_FIELDS: Fields<VolumeRecord> = {
  id: identifier,
  userId: text,
  projectId: text,
  size: integer,
  status: text,
  previousStatus: nullable(text),
  displayName: nullable(text),
  displayDescription: nullable(text),
  host: nullable(text),
  availabilityZone: nullable(text),
  volumeTypeId: nullable(text),
  encryptionKeyId: nullable(text),
  snapshotId: nullable(text),
  bootable: boolean,
  createdAt: time,
  updatedAt: nullable(time),
  others: json,
}

export const VOLUME_TYPE_FIELDS: Fields<VolumeTypeRecord> = { id: identifier, name: text }

export const SNAPSHOT_FIELDS: Fields<SnapshotRecord> = { id: identifier, volumeId: text, status: text, createdAt: time }

/** The row of a whole record. @throws InvalidInput for a field that is missing, unknown or of a wrong type. */
export function toRow<T extends object>(fields: Fields<T>, record: T): Row {
  const missing = Object.keys(fields).filter((name) => (record as Record<string, unknown>)[name] === undefined)
  if (missing.length > 0) throw new BlockvaultError('InvalidInput', `The record lacks ${missing.join(', ')}: give every field, null where there is nothing.`)
  return toColumns(fields, record)
}

/** The columns that an update sets; fields that are `undefined` are left as they are. @throws InvalidInput as `toRow`, and for `id`. */
export function toUpdates<T extends object>(fields: Fields<T>, updates: Partial<T>): Row {
  if ('id' in updates) throw new BlockvaultError('InvalidInput', 'The id of a row does not change: make a new row.')
  return toColumns(fields, updates)
}

function toColumns<T extends object>(fields: Fields<T>, record: Partial<T>): Row {
  const row: Row = {}
  for (const [name, value] of Object.entries(record)) {
    if (value === undefined) continue
    const kind = Object.hasOwn(fields, name) ? fields[name as keyof T & string] : undefined
    if (!kind) throw new BlockvaultError('InvalidInput', `There is no field ${JSON.stringify(name)} in this record.`, { details: { field: name } })
    const stored = kind.toRow(value)
    if (stored === undefined) {
      throw new BlockvaultError('InvalidInput', `The field ${name} can not have a value like ${shown(value)}.`, { details: { field: name } })
    }
    row[columnOf(name)] = stored
  }
  return row
}

/** The record of a row that `toRow` made; columns that are none of the record's are left out. */
export function fromRow<T extends object>(fields: Fields<T>, row: Readonly<Row>): T {
  return Object.fromEntries(Object.entries<Kind>(fields).map(([name, kind]) => [name, kind.fromRow(row[columnOf(name)] as Value)])) as T
}

/** Columns have Cinder's names: `num_dependent_backups`. Each is made once: a list of 100,000 backups asks for 2,800,000. */
function columnOf(field: string): string {
  let column = columns.get(field)
  if (column === undefined) columns.set(field, (column = field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)))
  return column
}

const columns = new Map<string, string>()

/** `undefined` for what JSON can not carry: a circle, a bigint. */
function jsonText(value: object): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return (jsonText(value) ?? 'this object').slice(0, 60)
  return (typeof value === 'string' ? JSON.stringify(value) : String(value)).slice(0, 60)
}
