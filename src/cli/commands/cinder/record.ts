/** `blockvault cinder record decode|encode FILE`: what is in a record of `backup-export`, and a record of that. */
import {
  cinderFields,
  decodeBackupUrl,
  type DecodedRecord,
  encodeExportRecord,
  missingFields,
  parseExportRecord,
  recordOfFields,
} from '../../../cinder/export-record.ts'
import { BlockvaultError } from '../../../contract/errors.ts'
import { pythonJson } from '../../../contract/python-json.ts'
import type { BackupRecord } from '../../../contract/records.ts'
import { fromUtf8 } from '../../../core/bytes.ts'
import type { Command } from '../../command.ts'
import type { PositionalSpec } from '../../command-spec.ts'
import type { Session } from '../../session.ts'

/** A record's base64 may have a megabyte, and JSON around it. */
const FILE_BYTES_MAX = 2 * 1024 * 1024

const fileArgument = (help: string): PositionalSpec => ({ name: 'FILE', help: `${help}; - reads standard input` })

export const cinderRecordDecodeCommand: Command = {
  name: 'cinder record decode',
  summary: "Shows the fields of a record that Cinder's `backup-export` gave.",
  positionals: [fileArgument('JSON with backup_service and backup_url, also inside a backup-record')],
  options: [],
  async run(session) {
    const { backup_service, backup_url } = parseExportRecord(await readJson(session))
    const decoded = decodeBackupUrl(backup_url)
    complainOfUnknown(session, decoded)
    const fields = { driver_info: decoded.driverInfo, ...cinderFields(decoded.fields) }
    session.report.result({ backup_service, ...fields }, { answer: linesOf(fields) })
    return 0
  },
}

export const cinderRecordEncodeCommand: Command = {
  name: 'cinder record encode',
  summary: "Makes a record for Cinder's `backup-import` of fields as `decode` shows them.",
  positionals: [fileArgument('the fields as one JSON object')],
  options: [],
  async run(session) {
    const json = await readJson(session)
    // What `decode --json` says beside the fields.
    const { type: _type, backup_service: _service, ...given } = isObject(json) ? json : {}
    const decoded = recordOfFields(isObject(json) ? given : json)
    complainOfUnknown(session, decoded)
    const missing = missingFields(decoded)
    if (missing.length > 0) throw new BlockvaultError('InvalidInput', `The fields are not enough for Cinder to import: add ${missing.join(', ')}.`)
    // The record of fields that are not there does not have them, and importing does not need them.
    const record = encodeExportRecord(decoded.fields as BackupRecord, decoded.driverInfo)
    session.report.result(record, { answer: linesOf(record) })
    return 0
  },
}

async function readJson({ host, given }: Session): Promise<unknown> {
  const path = given.positionals[0]!
  const text = fromUtf8(await host.readInputFile(path, FILE_BYTES_MAX))
  try {
    if (text !== undefined) return JSON.parse(text)
  } catch {
    // Told below, as for what is no text.
  }
  throw new BlockvaultError('InvalidInput', `${path === '-' ? 'Standard input' : path} is not JSON.`, { details: { path } })
}

function complainOfUnknown({ report }: Session, { unknown }: DecodedRecord): void {
  if (unknown.length > 0) report.complain(`the record has fields that Cinder's row does not have, left out: ${unknown.slice(0, 20).join(', ')}`)
}

/** Pure ASCII, so that it is JSON still after everything that is unsafe for a terminal was taken out. */
function linesOf(value: unknown): string[] {
  return pythonJson(value, { indent: 2 }).split('\n')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
