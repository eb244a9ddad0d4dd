/**
 * A backup's record as Cinder's API exports and imports it (cinder/objects/backup.py, `encode_record`, `decode_record`; the rules of
 * importing are of cinder/backup/api.py and manager.py, `import_record`).
 *
 * Invariants: the fields are Cinder's, in its order and with its types; what is decoded is bounded and typed; unknown fields are told
 * and dropped, as Cinder drops them.
 */
import * as z from 'zod'
import { BlockvaultError } from '../contract/errors.ts'
import { pythonJson } from '../contract/python-json.ts'
import { BACKUP_STATUSES, type BackupRecord } from '../contract/records.ts'
import { fromBase64, toBase64 } from './base64.ts'
import { isoOfRecordTime, recordTime } from './created-at.ts'
import { checkContainer } from './names.ts'

/** What `backup-export` shows. */
export interface ExportRecord {
  /** Class path of the driver. */
  backup_service: string
  /** Base64 of the row as JSON. */
  backup_url: string
}

/** Cinder's own rows make some 2 KiB. */
export const BACKUP_URL_LENGTH_MAX = 1024 * 1024

const text = z.string().max(64 * 1024)
const count = z.int().min(0)
/** Cinder's column may be null. */
const countOrNone = count.nullable().transform((value) => value ?? 0)
const time = text.transform((value) => isoOfRecordTime(value))

/** Cinder's field → ours, in the order of Cinder's class, with what a value may be. */
const FIELDS = {
  id: ['id', z.string().min(1).max(255)],
  user_id: ['userId', text],
  project_id: ['projectId', text],
  volume_id: ['volumeId', text],
  host: ['host', text.nullable()],
  availability_zone: ['availabilityZone', text.nullable()],
  container: ['container', text.nullable()],
  parent_id: ['parentId', text.nullable()],
  // Null in a row that was never finished; left out then.
  status: ['status', z.enum(BACKUP_STATUSES).nullable()],
  fail_reason: ['failReason', text.nullable()],
  size: ['size', count],
  display_name: ['displayName', text.nullable()],
  display_description: ['displayDescription', text.nullable()],
  service_metadata: ['serviceMetadata', text.nullable()],
  service: ['service', text.nullable()],
  object_count: ['objectCount', countOrNone],
  temp_volume_id: ['tempVolumeId', text.nullable()],
  temp_snapshot_id: ['tempSnapshotId', text.nullable()],
  num_dependent_backups: ['numDependentBackups', countOrNone],
  snapshot_id: ['snapshotId', text.nullable()],
  data_timestamp: ['dataTimestamp', time.nullable()],
  restore_volume_id: ['restoreVolumeId', text.nullable()],
  metadata: [
    'metadata',
    z
      .record(z.string().max(255), text)
      .nullable()
      .transform((value) => value ?? {}),
  ],
  encryption_key_id: ['encryptionKeyId', text.nullable()],
  created_at: ['createdAt', time],
  updated_at: ['updatedAt', time.nullable()],
  deleted_at: ['deletedAt', time.nullable()],
  deleted: ['deleted', z.boolean()],
} as const satisfies Record<string, readonly [keyof BackupRecord, z.ZodType]>

type FieldName = keyof typeof FIELDS
const FIELD_NAMES = Object.keys(FIELDS) as FieldName[]
const TIMES: ReadonlySet<string> = new Set(['data_timestamp', 'created_at', 'updated_at', 'deleted_at'])

const exportRecordSchema = z.object({ backup_service: z.string().max(255), backup_url: z.string().min(1).max(BACKUP_URL_LENGTH_MAX) })

/** A record as the API shows it, also inside of the `backup-record` that the API puts around it. @throws InvalidInput */
export function parseExportRecord(json: unknown): ExportRecord {
  const inner = z.object({ 'backup-record': z.unknown() }).safeParse(json)
  const parsed = exportRecordSchema.safeParse(inner.data?.['backup-record'] ?? json)
  if (!parsed.success) throw invalid(z.prettifyError(parsed.error).replaceAll('\n', ' '), parsed.error)
  return parsed.data
}

export interface DecodedRecord {
  /** What `export_record` of the driver gave: `{}` for every driver in Cinder's tree. */
  driverInfo: Readonly<Record<string, unknown>>
  /** The fields that the record has. */
  fields: Partial<BackupRecord>
  /** Names that are no field of Cinder's row, in the record's order. */
  unknown: readonly string[]
}

/** The record of a row. Times lose what is finer than a second, as they do in Cinder. @throws InvalidInput for a time that is none */
export function encodeExportRecord(record: BackupRecord, driverInfo: Readonly<Record<string, unknown>> = {}): ExportRecord {
  return { backup_service: record.service ?? '', backup_url: toBase64(pythonJson({ driver_info: driverInfo, ...cinderFields(record) })) }
}

/** The row with Cinder's names and times, in the order of its class. Fields that are not there are left out. */
export function cinderFields(record: Partial<BackupRecord>): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  for (const name of FIELD_NAMES) {
    const value = record[FIELDS[name][0]]
    if (value !== undefined) fields[name] = TIMES.has(name) && typeof value === 'string' ? recordTime(value) : value
  }
  return fields
}

/** @throws InvalidInput when it is not base64, not JSON, or has a value that its field can not hold */
export function decodeBackupUrl(backupUrl: string): DecodedRecord {
  if (backupUrl.length > BACKUP_URL_LENGTH_MAX) throw invalid(`it has more than ${BACKUP_URL_LENGTH_MAX} characters`)
  const json = fromBase64(backupUrl)
  if (json === undefined) throw invalid("Can't decode backup record: it is not base64 of text")
  let decoded: unknown
  try {
    decoded = JSON.parse(json)
  } catch (error) {
    throw invalid("Can't parse backup record: it is not JSON", error)
  }
  return recordOfFields(decoded)
}

/** The same for fields that are decoded already. @throws InvalidInput */
export function recordOfFields(decoded: unknown): DecodedRecord {
  if (typeof decoded !== 'object' || decoded === null || Array.isArray(decoded)) throw invalid('it is no JSON object')
  const fields = new Map<string, unknown>()
  const unknown: string[] = []
  let driverInfo: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(decoded)) {
    if (name === 'driver_info') driverInfo = check(name, driverInfoSchema, value) as Record<string, unknown>
    else if (!isField(name)) unknown.push(name)
    else if (name !== 'status' || value !== null) fields.set(FIELDS[name][0], check(name, FIELDS[name][1], value))
  }
  return { driverInfo, fields: Object.fromEntries(fields) as Partial<BackupRecord>, unknown }
}

const driverInfoSchema = z.record(z.string(), z.unknown())

function isField(name: string): name is FieldName {
  return Object.hasOwn(FIELDS, name)
}

function check(name: string, schema: z.ZodType, value: unknown): unknown {
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw invalid(`its ${name} is not valid: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`, parsed.error)
  return parsed.data
}

/** What the API needs before it makes a row. @throws InvalidInput */
export function importIdentity({ fields }: DecodedRecord): { id: string; size: number } {
  const { id, size } = fields
  if (id === undefined) throw invalid('Provided backup record is missing an id')
  if (size === undefined) throw invalid('Provided backup record is missing size attribute')
  return { id, size }
}

const REQUIRED = ['display_name', 'display_description', 'container', 'size', 'service_metadata', 'object_count', 'id'] as const satisfies FieldName[]

/** Names of the fields that importing needs and the record does not have. */
export function missingFields({ fields }: Pick<DecodedRecord, 'fields'>): string[] {
  return REQUIRED.filter((name) => fields[FIELDS[name][0]] === undefined)
}

/**
 * What is stored of an imported record over the row that the API made: all but what belongs to this service (`service`, `host`,
 * `availabilityZone`: its own go in) and to the caller. @throws InvalidBackup, and InvalidInput for a container outside of any root
 */
export function importUpdates({ fields }: DecodedRecord, rowId: string): Omit<Partial<BackupRecord>, 'id'> {
  const missing = missingFields({ fields })
  if (missing.length > 0) throw refused(`Driver successfully decoded imported backup data, but there are missing fields (${missing.join(', ')}).`)
  if (fields.container !== undefined && fields.container !== null) checkContainer(fields.container)
  if (fields.id !== rowId) throw refused(`Trying to import backup metadata from id ${fields.id} into backup ${rowId}.`)
  const { id: _id, userId: _user, projectId: _project, deletedAt: _at, deleted: _deleted, failReason: _reason, status: _status, ...rest } = fields
  const { service: _service, host: _host, availabilityZone: _zone, ...updates } = rest
  return updates
}

/** Drivers that were renamed: a record may have the old name (cinder/backup/manager.py, `MAPPING`). */
const RENAMED: readonly (readonly [was: string, is: string])[] = [
  ['cinder.backup.drivers.google.GoogleBackupDriver', 'cinder.backup.drivers.gcs.GoogleBackupDriver'],
]

/** Whether the driver with this class path reads backups of `recorded`: the class, its module in older records, or nothing said. */
export function isServedBy(recorded: string | null, driver: string): boolean {
  if (recorded === null || driver.startsWith(recorded)) return true
  return RENAMED.some(([was, is]) => was.startsWith(recorded) && driver.startsWith(is))
}

function invalid(reason: string, cause?: unknown): BlockvaultError {
  return new BlockvaultError('InvalidInput', `The backup record can not be used: ${reason}.`, { cause })
}

function refused(reason: string): BlockvaultError {
  return new BlockvaultError('InvalidBackup', reason)
}
