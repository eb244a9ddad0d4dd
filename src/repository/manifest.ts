/**
 * The manifest: one backup, described whole. Small, sealed, written last and only if absent: it is the commit. Removing it is
 * deleting the backup.
 */
import * as z from 'zod'
import type { BackupInfo } from '../contract/backup.ts'
import { FINGERPRINT_BYTES } from '../contract/core.ts'
import type { StorageBackend } from '../contract/storage.ts'
import { fromHex, fromUtf8, toHex, utf8 } from '../core/bytes.ts'
import { FORMAT_VERSION, MANIFEST_BYTES_MAX, MAP_LEVELS_MAX } from './format.ts'
import { manifestName, UUID } from './names.ts'
import { damaged, openObject, sealObject, type Sealer } from './seal.ts'
import type { MapRoot } from './volume-map.ts'

/** Bounds of what a user may attach: a manifest stays far below its limit. */
export const TEXT_MAX = 1024
export const TAGS_MAX = 256

const bytes = z.int().min(0)
const text = z.string().max(TEXT_MAX)
export const tagsSchema = z.record(z.string().min(1).max(128), text).refine((tags) => Object.keys(tags).length <= TAGS_MAX, `more than ${TAGS_MAX} tags`)

const manifestSchema = z.strictObject({
  version: z.literal(FORMAT_VERSION),
  id: z.string().regex(UUID),
  volume: z.string().min(1).max(TEXT_MAX),
  createdAt: z.iso.datetime(),
  volumeBytes: bytes,
  sourcePath: z.string().max(4096),
  hostName: text,
  tags: tagsSchema,
  readBytes: bytes,
  newBytes: bytes,
  storedBytes: bytes,
  seconds: z.number().min(0),
  root: z.strictObject({
    level: z.int().min(0).max(MAP_LEVELS_MAX),
    fingerprint: z
      .string()
      .regex(new RegExp(`^[0-9a-f]{${FINGERPRINT_BYTES * 2}}$`))
      .nullable(),
  }),
  /** Index objects that name what this backup stored: a missing one is noticed. */
  indexes: z.array(z.string().regex(/^[0-9a-f]{32}$/)).max(16_384),
})

export type Manifest = z.infer<typeof manifestSchema>

export async function writeManifest(
  storage: StorageBackend,
  sealer: Sealer,
  salt: Uint8Array<ArrayBuffer>,
  manifest: Manifest,
  signal?: AbortSignal,
): Promise<void> {
  const name = manifestName(manifest.id)
  await storage.put(name, await sealObject(sealer, 'manifest', name, salt, utf8(JSON.stringify(manifest))), { signal })
}

/** Rejects with OBJECT_MISSING or OBJECT_DAMAGED. */
export async function readManifest(storage: StorageBackend, sealer: Sealer, id: string, signal?: AbortSignal): Promise<Manifest> {
  const name = manifestName(id)
  const plaintext = await openObject(sealer, 'manifest', name, await storage.get(name, { bytesMax: MANIFEST_BYTES_MAX, signal }))
  let json: unknown
  try {
    json = JSON.parse(fromUtf8(plaintext) ?? '')
  } catch (error) {
    throw damaged(name, 'it is not JSON', error)
  }
  const parsed = manifestSchema.safeParse(json)
  if (!parsed.success || parsed.data.id !== id) throw damaged(name, 'its content is not that of a manifest', parsed.error)
  return parsed.data
}

export function manifestRoot(manifest: Manifest): MapRoot {
  return { level: manifest.root.level, reference: manifest.root.fingerprint === null ? undefined : fromHex(manifest.root.fingerprint) }
}

export function rootRecord(root: MapRoot): Manifest['root'] {
  return { level: root.level, fingerprint: root.reference ? toHex(root.reference) : null }
}

export function backupInfo(manifest: Manifest): BackupInfo {
  const { version: _version, root, indexes: _indexes, ...info } = manifest
  return { ...info, digest: root.fingerprint ?? '0'.repeat(FINGERPRINT_BYTES * 2) }
}
