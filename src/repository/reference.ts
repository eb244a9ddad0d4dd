/** Which backup a person means: an id, a unique prefix of at least 4 characters, `latest` or `latest:VOLUME`. */
import { BlockvaultError } from '../contract/errors.ts'
import type { StorageBackend } from '../contract/storage.ts'
import { type Manifest, readManifest } from './manifest.ts'
import { BACKUPS_PREFIX, backupIdOf, manifestName, UUID } from './names.ts'
import type { Sealer } from './seal.ts'
import { eachOf } from './stored-index.ts'

const PREFIX_LENGTH_MIN = 4

export async function backupIds(storage: StorageBackend, signal?: AbortSignal): Promise<string[]> {
  const ids: string[] = []
  for await (const { name } of storage.list(BACKUPS_PREFIX, { signal })) {
    const id = backupIdOf(name)
    if (id !== undefined) ids.push(id)
  }
  return ids.sort()
}

/** Every readable manifest, newest first. A damaged one is passed to `onDamaged` and hides no other. */
export async function readManifests(
  storage: StorageBackend,
  sealer: Sealer,
  onDamaged: (id: string, error: BlockvaultError) => void,
  signal?: AbortSignal,
): Promise<Manifest[]> {
  const manifests: Manifest[] = []
  await eachOf(await backupIds(storage, signal), async (id) => {
    try {
      manifests.push(await readManifest(storage, sealer, id, signal))
    } catch (error) {
      if (!(error instanceof BlockvaultError)) throw error
      // Deleted between the listing and the read: not damage.
      if (error.code === 'OBJECT_MISSING') return
      if (error.code !== 'OBJECT_DAMAGED' && error.code !== 'REPOSITORY_UNSUPPORTED') throw error
      onDamaged(id, error)
    }
  })
  return manifests.sort((left, right) => (left.createdAt < right.createdAt ? 1 : left.createdAt > right.createdAt ? -1 : left.id < right.id ? -1 : 1))
}

/** The id a reference stands for. Rejects with BACKUP_NOT_FOUND or BACKUP_AMBIGUOUS. */
export async function resolveReference(storage: StorageBackend, sealer: Sealer, reference: string, signal?: AbortSignal): Promise<string> {
  if (reference === 'latest' || reference.startsWith('latest:')) return latest(storage, sealer, reference, signal)
  const ids = await backupIds(storage, signal)
  const wanted = reference.toLowerCase()
  if (UUID.test(wanted)) {
    if (!ids.includes(wanted)) throw notFound(reference, 'no backup has this id')
    return wanted
  }
  if (wanted.length < PREFIX_LENGTH_MIN)
    throw new BlockvaultError(
      'USAGE',
      `"${reference}" is too short: give at least ${PREFIX_LENGTH_MIN} characters of a backup's id, or latest, or latest:VOLUME.`,
    )
  const matches = ids.filter((id) => id.startsWith(wanted))
  const [match] = matches
  if (match === undefined) throw notFound(reference, 'no backup id begins so')
  if (matches.length > 1) {
    throw new BlockvaultError('BACKUP_AMBIGUOUS', `"${reference}" fits ${matches.length} backups: give more characters.`, {
      details: { reference, matches: matches.slice(0, 16) },
    })
  }
  return match
}

/** Rejects when a manifest can not be read: it may be the one that is meant, and an older backup must not pass for it. */
async function latest(storage: StorageBackend, sealer: Sealer, reference: string, signal: AbortSignal | undefined): Promise<string> {
  const damaged: { id: string; error: BlockvaultError }[] = []
  const manifests = await readManifests(storage, sealer, (id, error) => damaged.push({ id, error }), signal)
  const volume = reference.slice('latest:'.length)
  const found = manifests.find((manifest) => reference === 'latest' || manifest.volume === volume)
  const [first] = damaged
  if (first) {
    const readable = found ? `The newest that can be read is ${found.id} of ${found.createdAt}: give that id to use it.` : 'None of the others fits.'
    throw new BlockvaultError(first.error.code, `Which backup is the latest is not known: the manifest of ${first.id} can not be read. ${readable}`, {
      details: { reference, object: manifestName(first.id) },
      cause: first.error,
    })
  }
  if (!found) throw notFound(reference, reference === 'latest' ? 'the repository has no backups' : `no backup of a volume named ${volume}`)
  return found.id
}

function notFound(reference: string, reason: string): BlockvaultError {
  return new BlockvaultError('BACKUP_NOT_FOUND', `No backup "${reference}": ${reason}. \`blockvault list\` shows what there is.`, { details: { reference } })
}
