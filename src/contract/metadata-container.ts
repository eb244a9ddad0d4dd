/**
 * The volume metadata container as it comes in: JSON from a backup that anybody may have written.
 *
 * Invariant: a container that comes out of here has only the values that the database takes; nothing of it was followed or
 * written before.
 */
import { z } from 'zod'
import { BlockvaultError } from './errors.ts'
import { parseHostileJson } from './hostile-json.ts'

/** UTF-16 units. Cinder's own are a few KiB: 40 columns, and up to 128 user metadata items (its default quota) of 255 characters. */
const LENGTH_MAX = 4 * 1024 * 1024
/** Items of a map: more than quotas let anybody have. */
const ITEMS_MAX = 10_000

/** Cinder's String(255) columns, counted in characters as databases count them. */
const string255 = z.string().refine((text) => text.length <= 255 || (text.length <= 510 && [...text].length <= 255), { error: 'more than 255 characters' })
const nullable255 = string255.nullish()

/** Key → text. The value columns are nullable in Cinder's database: an entry without a value is left out. */
const textMap = z
  .record(string255, z.string().nullable())
  .refine((map) => Object.keys(map).length <= ITEMS_MAX, { error: `more than ${ITEMS_MAX} items` })
  .transform((map) => Object.fromEntries(Object.entries(map).filter((entry): entry is [string, string] => entry[1] !== null)))

const baseMetadata = z.object({
  display_name: nullable255,
  display_description: nullable255,
  encryption_key_id: nullable255,
  volume_type_id: nullable255,
})
export type BaseMetadata = z.infer<typeof baseMetadata>

const container = z.object({
  version: z.union([z.literal(1), z.literal(2)]),
  'volume-base-metadata': baseMetadata.optional(),
  'volume-metadata': textMap.optional(),
  'volume-glance-metadata': textMap.optional(),
})
export type MetadataContainer = z.infer<typeof container>

/**
 * The version is looked at first: nothing is known about what others hold.
 * @throws InvalidInput, BackupMetadataUnsupportedVersion
 */
export function parseMetadataContainer(json: string): MetadataContainer {
  const value = parseHostileJson(json, { what: 'metadata container', lengthMax: LENGTH_MAX })
  const versioned = z.object({ version: z.unknown() }).safeParse(value)
  if (!versioned.success || versioned.data.version === undefined)
    throw new BlockvaultError('InvalidInput', 'The metadata container has no `version`: it is no volume metadata.')
  const { version } = versioned.data
  if (version !== 1 && version !== 2)
    throw new BlockvaultError(
      'BackupMetadataUnsupportedVersion',
      `Unsupported backup metadata version (${String(version).slice(0, 40)}): only 1 and 2 can be restored. Use a newer blockvault if it was written by one.`,
    )
  const parsed = container.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new BlockvaultError('InvalidInput', `The metadata container is not valid at ${issue?.path.join('.')}: ${issue?.message}.`, { cause: parsed.error })
}
