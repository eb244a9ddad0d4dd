/**
 * What a backup in our repository keeps of Cinder's: tags that an import writes, so that an export gives the backup back as it was.
 *
 * Invariant: whatever tags a backup has, what is made of them is bounded and of the right form; a volume that Cinder never knew always
 * gets the same id, so that its exports can build on each other.
 */
import type { BackupInfo } from '../contract/backup.ts'
import type { BackupRecord } from '../contract/records.ts'
import { utf8 } from '../core/bytes.ts'
import { isoOfPythonDateTime, pythonDateTime } from './created-at.ts'
import type { Manifest } from './metadata.ts'

/** What an export says of a backup beside its data. */
export interface Origin {
  volumeId: string
  /** True when `volumeId` is one that Cinder knows: not one that was made up. */
  isKnownVolume: boolean
  name: string | null
  description: string | null
  /** ISO 8601. */
  createdAt: string
  /** The volume metadata container as JSON. */
  volumeMeta: string | null
}

/** A tag's value has at most 1024 characters: longer JSON takes several. */
const META_PART_LENGTH = 1000
/** 128 KB of volume metadata, half of the tags that a backup may have. */
const META_PARTS_MAX = 128

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Our backup ids are UUIDs in small letters, as Cinder's are. */
export function isBackupId(id: string): boolean {
  return UUID.test(id)
}

/** `keepsVolumeMeta` is false when the volume metadata is too long for tags; all else is there then. */
export function originTags(manifest: Pick<Manifest, 'volumeId' | 'parentId' | 'backupName' | 'backupDescription' | 'createdAt' | 'volumeMeta'>): {
  tags: Record<string, string>
  keepsVolumeMeta: boolean
} {
  const { volumeId, parentId, backupName, backupDescription, createdAt, volumeMeta } = manifest
  const tags = new Map([['cinder.volume_id', volumeId]])
  if (parentId !== null) tags.set('cinder.parent_id', parentId)
  if (backupName !== null) tags.set('cinder.name', backupName)
  if (backupDescription !== null) tags.set('cinder.description', backupDescription)
  if (createdAt !== null) tags.set('cinder.created_at', createdAt)
  const parts = Math.ceil((volumeMeta?.length ?? 0) / META_PART_LENGTH)
  if (parts > META_PARTS_MAX) return { tags: Object.fromEntries(tags), keepsVolumeMeta: false }
  for (let part = 0; part < parts; part++) tags.set(metaTag(part), volumeMeta!.slice(part * META_PART_LENGTH, (part + 1) * META_PART_LENGTH))
  return { tags: Object.fromEntries(tags), keepsVolumeMeta: true }
}

function metaTag(part: number): string {
  return `cinder.volume_meta.${part}`
}

export async function originOf(backup: BackupInfo, repositoryId: string): Promise<Origin> {
  const tag = (name: string): string | null => (Object.hasOwn(backup.tags, name) ? backup.tags[name]! : null)
  const known = [tag('cinder.volume_id'), backup.volume].find((id) => id !== null && UUID.test(id))
  const parts: string[] = []
  for (let part = tag(metaTag(0)); part !== null; part = tag(metaTag(parts.length))) parts.push(part)
  return {
    volumeId: known ?? (await volumeIdFor(repositoryId, backup.volume)),
    isKnownVolume: known !== undefined,
    // A backup that was never Cinder's is called by the name of its volume.
    name: tag('cinder.volume_id') === null ? backup.volume : tag('cinder.name'),
    description: tag('cinder.description'),
    createdAt: timeOf(tag('cinder.created_at')) ?? backup.createdAt,
    volumeMeta: parts.length > 0 ? parts.join('') : null,
  }
}

function timeOf(text: string | null): string | undefined {
  try {
    return text === null ? undefined : isoOfPythonDateTime(pythonDateTime(text))
  } catch {
    return undefined
  }
}

/** A UUID of version 8 (RFC 9562): the first bits of a hash. */
async function volumeIdFor(repositoryId: string, volume: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(`${repositoryId}/${volume}`))).slice(0, 16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x80
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** The driver whose layout exports have. */
const POSIX_SERVICE = 'cinder.backup.drivers.posix.PosixBackupDriver'
const GIB = 1024 ** 3

/** The row that Cinder's database would have of an exported backup. */
export function exportedRow(
  info: BackupInfo,
  { volumeId, name, description, createdAt }: Origin,
  stored: Pick<BackupRecord, 'container' | 'serviceMetadata' | 'parentId' | 'objectCount'>,
): BackupRecord {
  return {
    id: info.id,
    // Importing gives it to whoever imports.
    userId: '',
    projectId: '',
    volumeId,
    host: null,
    availabilityZone: null,
    status: 'available',
    failReason: null,
    size: Math.max(1, Math.ceil(info.volumeBytes / GIB)),
    displayName: name,
    displayDescription: description,
    service: POSIX_SERVICE,
    tempVolumeId: null,
    tempSnapshotId: null,
    numDependentBackups: 0,
    snapshotId: null,
    dataTimestamp: createdAt,
    restoreVolumeId: null,
    metadata: {},
    encryptionKeyId: null,
    createdAt,
    updatedAt: null,
    deletedAt: null,
    deleted: false,
    ...stored,
  }
}
