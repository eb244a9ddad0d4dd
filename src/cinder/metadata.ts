/**
 * `_metadata`: the manifest of one backup (cinder/backup/chunkeddriver.py, `_write_metadata`, `_read_metadata`).
 *
 * Invariants: what was read is bounded and typed, its object names are `prefix-NNNNN` of its own prefix and name no object twice; what
 * Cinder wrote is written again byte by byte.
 */
import * as z from 'zod'
import { BlockvaultError } from '../contract/errors.ts'
import { pythonString } from '../contract/python-json.ts'
import { compressionName } from './compression.ts'
import { createLongJsonWriter } from './long-json-writer.ts'
import { readLongJson } from './long-json-reader.ts'
import { dataObjectName, isEndOfPath, metadataName, parseObjectName, prefixInPath } from './names.ts'
import { createObjectList, type ObjectEntry, type ObjectList } from './object-list.ts'

/** The only version that a reader of Cinder's knows. */
export const MANIFEST_VERSION = '1.0.0'

/** More objects than this are refused: 150 MiB of columns, and more than 128 GiB of changes in single blocks of 32 KiB. */
export const OBJECTS_MAX = 4 * 1024 * 1024

/** What both JSON objects of a backup say of it. */
export interface BackupDescription {
  version: string
  backupId: string
  volumeId: string
  backupName: string | null
  backupDescription: string | null
  /** As Cinder writes it: `created-at.ts` converts. */
  createdAt: string | null
}

export interface Manifest extends BackupDescription {
  /** `null` for a full backup. */
  parentId: string | null
  /** In the order of the manifest: ascending offsets, as written by Cinder; a reader takes any. */
  objects: ObjectList
  /** The volume metadata container as a JSON text, or `null`. Not looked into here. */
  volumeMeta: string | null
  /** What a driver's `get_extra_metadata` returned. No driver in Cinder's tree does. */
  extraMetadata?: unknown
}

/** Cinder's columns have 255 characters. */
const TEXT_MAX = 1024
const id = z.string().min(1).max(255)
const text = z.string().max(TEXT_MAX).nullable().default(null)

/** The fields of both files, with Cinder's names. Its readers do not look at name, description and time: they may be absent. */
export const descriptionFields = {
  version: z.string().max(64),
  backup_id: id,
  volume_id: id,
  backup_name: text,
  backup_description: text,
  created_at: z.string().max(64).nullable().default(null),
}

const manifestSchema = z.object({
  ...descriptionFields,
  parent_id: id.nullable().default(null),
  volume_meta: z.string().nullable().default(null),
  extra_metadata: z.unknown().optional(),
})

const extent = z.int().min(0)
const entrySchema = z.object({
  offset: extent,
  length: extent.optional(),
  compression: z.string(),
  md5: z
    .string()
    .regex(/^[0-9a-fA-F]{32}$/)
    .optional(),
})

export interface ReadManifestOptions {
  /** The object name prefix: `_metadata`'s own name without its suffix. */
  prefix: string
  /** Most objects. `OBJECTS_MAX` by default. */
  objectsMax?: number | undefined
}

/** Reads `_metadata` from its bytes. Any version passes: see `checkVersion`. @throws InvalidBackup */
export async function readManifest(pieces: AsyncIterable<Uint8Array>, { prefix, objectsMax = OBJECTS_MAX }: ReadManifestOptions): Promise<Manifest> {
  const { manifest } = await parseManifest(pieces, metadataName(prefix), objectsMax, () => prefix)
  return manifest
}

/**
 * Reads `_metadata` that was found in a store, at `path` without its suffix, container included. Where the container ends and the prefix
 * begins is told by the names that the manifest lists; one that lists none is of an unchanged volume, and its path alone has to tell.
 * @throws InvalidBackup
 */
export async function readManifestAt(
  pieces: AsyncIterable<Uint8Array>,
  path: string,
  { objectsMax = OBJECTS_MAX }: { objectsMax?: number | undefined } = {},
): Promise<{ prefix: string; manifest: Manifest }> {
  const { prefix, manifest } = await parseManifest(pieces, metadataName(path), objectsMax, (first) => (isEndOfPath(path, first) ? first : path))
  return { prefix: prefix ?? prefixInPath(path), manifest }
}

/** `prefixOf` gets the prefix of the first object that is listed, and says which one all of them must have. */
async function parseManifest(pieces: AsyncIterable<Uint8Array>, name: string, objectsMax: number, prefixOf: (first: string) => string) {
  const objects = createObjectList()
  let prefix: string | undefined
  const values = await readLongJson(pieces, {
    name,
    arrayKey: 'objects',
    onItems(items) {
      if (objects.count + items.length > objectsMax) throw notValid(name, `it lists more than ${objectsMax} objects`)
      for (const item of items) {
        const [object, description] = pairOf(item, name)
        const parsed = parseObjectName(object)
        prefix ??= prefixOf(parsed?.prefix ?? '')
        if (parsed?.part !== 'data' || parsed.prefix !== prefix) throw notValid(name, `it lists ${quoted(object)}, which is no data object of this backup`)
        objects.append({ number: parsed.number, ...parseDescription(description, object, name) })
      }
    },
  })
  if (!values.has('objects')) throw notValid(name, 'it has no list of objects')
  checkNumbers(objects, name)
  const parsed = manifestSchema.safeParse(Object.fromEntries(values))
  if (!parsed.success) throw notValid(name, z.prettifyError(parsed.error).replaceAll('\n', ' '), parsed.error)
  const { data } = parsed
  const manifest: Manifest = {
    ...descriptionOf(data),
    parentId: data.parent_id,
    objects,
    volumeMeta: data.volume_meta,
    ...(data.extra_metadata === undefined ? {} : { extraMetadata: data.extra_metadata }),
  }
  return { prefix, manifest }
}

/** Cinder checks the version of the backup that is restored, and not of its parents. @throws InvalidBackup */
export function checkVersion({ version, backupId }: BackupDescription): void {
  if (version === MANIFEST_VERSION) return
  throw new BlockvaultError('InvalidBackup', `No support to restore backup version ${version}: only ${MANIFEST_VERSION} is known.`, {
    details: { id: backupId, version },
  })
}

export function descriptionOf(data: z.infer<z.ZodObject<typeof descriptionFields>>): BackupDescription {
  return {
    version: data.version,
    backupId: data.backup_id,
    volumeId: data.volume_id,
    backupName: data.backup_name,
    backupDescription: data.backup_description,
    createdAt: data.created_at,
  }
}

export function descriptionRecord(description: BackupDescription): Record<string, unknown> {
  return {
    version: description.version,
    backup_id: description.backupId,
    volume_id: description.volumeId,
    backup_name: description.backupName,
    backup_description: description.backupDescription,
    created_at: description.createdAt,
  }
}

/** The bytes of `_metadata`, in parts of some 100 KiB. */
export function* encodeManifest(manifest: Omit<Manifest, 'objects'> & { objects: Iterable<ObjectEntry> }, prefix: string): Generator<Uint8Array<ArrayBuffer>> {
  const { parentId, volumeMeta, extraMetadata } = manifest
  const extra = extraMetadata === undefined ? {} : { extra_metadata: extraMetadata }
  const writer = createLongJsonWriter({ ...descriptionRecord(manifest), parent_id: parentId, volume_meta: volumeMeta, ...extra }, 'objects')
  const quotedPrefix = pythonString(prefix)
  let batch: string[] = []
  for (const entry of manifest.objects) {
    batch.push(encodeEntry(entry, quotedPrefix))
    if (batch.length < ENTRIES_A_PART) continue
    yield writer.append(batch)
    batch = []
  }
  yield writer.append(batch)
  yield writer.end()
}

const ENTRIES_A_PART = 400

/** What `pythonJson` gives for an entry two levels deep, at a sixth of the time: there may be a million. Nothing but the prefix needs escaping. */
function encodeEntry({ number, offset, length, compression, md5 }: ObjectEntry, quotedPrefix: string): string {
  const name = `${quotedPrefix.slice(0, -1)}${dataObjectName('', number)}"`
  const lengthLine = length === undefined ? '' : `        "length": ${length},\n`
  const md5Line = md5 === undefined ? '' : `        "md5": "${md5}",\n`
  return `{\n      ${name}: {\n        "compression": "${compression}",\n${lengthLine}${md5Line}        "offset": ${offset}\n      }\n    }`
}

/** Cinder takes an entry's first key for the name, and writes one. */
function pairOf(item: unknown, name: string): [string, unknown] {
  const [pair, second] = typeof item === 'object' && item !== null && !Array.isArray(item) ? Object.entries(item) : []
  if (!pair || second) throw notValid(name, 'an entry of its objects is not one name with a description')
  return pair
}

function parseDescription(description: unknown, object: string, name: string): Omit<ObjectEntry, 'number'> {
  const parsed = entrySchema.safeParse(description)
  if (!parsed.success)
    throw notValid(name, `its entry for ${quoted(object)} is not valid: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`, parsed.error)
  const { offset, length, md5 } = parsed.data
  const compression = compressionName(parsed.data.compression)
  if (compression === undefined)
    throw notValid(name, `${quoted(object)} is compressed by ${quoted(parsed.data.compression)}, an unsupported compression algorithm`)
  if (!Number.isSafeInteger(offset + (length ?? 0))) throw notValid(name, `${quoted(object)} ends beyond what a volume can have`)
  return { offset, length, compression, md5: md5?.toLowerCase() }
}

/** Cinder compares the sorted names with the sorted listing, so a name that stands twice never passes. */
function checkNumbers(objects: ObjectList, name: string): void {
  const numbers = new Uint32Array(objects.count)
  for (let index = 0; index < objects.count; index++) numbers[index] = objects.number(index)
  numbers.sort()
  for (let index = 1; index < numbers.length; index++) {
    if (numbers[index] === numbers[index - 1]) throw notValid(name, `it lists data object ${numbers[index]} twice`)
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 300))
}

function notValid(object: string, reason: string, cause?: unknown): BlockvaultError {
  return new BlockvaultError('InvalidBackup', `${object} is not a valid manifest: ${reason}.`, { details: { object }, cause })
}
