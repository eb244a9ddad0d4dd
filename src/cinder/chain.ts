/**
 * The chain of a backup: its full backup, then each incremental up to the wanted one.
 *
 * Invariants: a chain is resolved whole, or refused, before anything is read of its data or written; the walk is a loop, and what it
 * holds is bounded whatever the manifests say.
 */
import { BlockvaultError, isBlockvaultError, throwIfCancelled } from '../contract/errors.ts'
import type { ObjectStore } from '../contract/object-store.ts'
import { checkVersion, type Manifest, OBJECTS_MAX, readManifest } from './metadata.ts'
import { checkContainer, checkPrefix, metadataName } from './names.ts'
import { objectPieces } from './object-pieces.ts'

/** Where the objects of a backup lie. */
export interface BackupPlace {
  container: string
  /** The object name prefix: a row's `service_metadata`. */
  prefix: string
}

export interface ChainMember extends BackupPlace {
  manifest: Manifest
}

/** A backup as the database, or a scan of the store, knows it. */
export interface KnownBackup extends BackupPlace {
  id: string
  /** As the database has it; `undefined` where only the manifest tells. */
  parentId?: string | null | undefined
  /** Spares reading it again. */
  manifest?: Manifest | undefined
}

export interface LoadChainOptions {
  /** Where the backup of this id lies; `undefined` when it is not known. */
  locate: (backupId: string) => Promise<KnownBackup | undefined> | KnownBackup | undefined
  signal?: AbortSignal | undefined
}

/** 45 years of daily incrementals. Cinder has no bound: there a cycle never ends. */
export const CHAIN_LENGTH_MAX = 16_384
/** Volume metadata and extra metadata of all members together. */
const METADATA_LENGTH_MAX = 64 * 1024 * 1024

/**
 * The members from the full backup to the wanted one.
 * @throws BackupNotFound for a backup that `locate` does not know, InvalidBackup for a chain that is none, OBJECT_MISSING for a manifest that is gone
 */
export async function loadChain(store: ObjectStore, wanted: string, { locate, signal }: LoadChainOptions): Promise<ChainMember[]> {
  const members: ChainMember[] = []
  const seen = new Set<string>()
  let objects = 0
  let metadataLength = 0
  for (let id: string | null = wanted; id !== null; ) {
    throwIfCancelled(signal)
    if (seen.has(id)) throw broken(wanted, `its chain comes back to ${id}`)
    if (seen.size === CHAIN_LENGTH_MAX) throw broken(wanted, `its chain has more than ${CHAIN_LENGTH_MAX} backups`)
    seen.add(id)
    const known: KnownBackup | undefined = await locate(id)
    if (known === undefined) throw notFound(id, wanted)
    const manifest: Manifest = known.manifest ?? (await loadManifest(store, known, { signal, objectsMax: OBJECTS_MAX - objects }))
    if (manifest.backupId !== id) throw broken(wanted, `the manifest of ${id} is that of ${manifest.backupId}`)
    if (members.length === 0) checkVersion(manifest)
    if (manifest.volumeId !== (members[0]?.manifest ?? manifest).volumeId) throw broken(wanted, `its ancestor ${id} is of another volume, ${manifest.volumeId}`)
    if (known.parentId !== undefined && known.parentId !== manifest.parentId)
      throw broken(wanted, `the parent of ${id} is ${known.parentId ?? 'none'} in the database and ${manifest.parentId ?? 'none'} in its manifest`)
    objects += manifest.objects.count
    if (objects > OBJECTS_MAX) throw broken(wanted, `its chain lists more than ${OBJECTS_MAX} objects`)
    metadataLength += (manifest.volumeMeta?.length ?? 0) + (JSON.stringify(manifest.extraMetadata)?.length ?? 0)
    if (metadataLength > METADATA_LENGTH_MAX) throw broken(wanted, `its chain has more than ${METADATA_LENGTH_MAX} characters of volume metadata`)
    members.push({ container: known.container, prefix: known.prefix, manifest })
    id = manifest.parentId
  }
  return members.reverse()
}

/** @throws InvalidBackup, OBJECT_MISSING, InvalidInput for a place outside of the store */
export async function loadManifest(
  store: ObjectStore,
  { container, prefix }: BackupPlace,
  { signal, objectsMax }: { signal?: AbortSignal | undefined; objectsMax?: number | undefined } = {},
): Promise<Manifest> {
  const name = metadataName(checkPrefix(prefix))
  // Where the store's root is the container itself, it has no name.
  if (container !== '') checkContainer(container)
  try {
    return await readManifest(objectPieces(store, container, name, { signal }), { prefix, objectsMax })
  } catch (error) {
    if (!isBlockvaultError(error, 'OBJECT_MISSING')) throw error
    throw new BlockvaultError('OBJECT_MISSING', `There is no ${name} in ${container}: the backup was never finished, was deleted, or lies elsewhere.`, {
      details: { container, object: name },
      cause: error,
    })
  }
}

function notFound(id: string, wanted: string): BlockvaultError {
  const reason = id === wanted ? '' : ` ${wanted} builds on it and can not be restored without it: import it, or put its objects back.`
  return new BlockvaultError('BackupNotFound', `Backup ${id} could not be found.${reason}`, { details: { id } })
}

function broken(wanted: string, reason: string): BlockvaultError {
  return new BlockvaultError('InvalidBackup', `Backup ${wanted} can not be restored: ${reason}.`, { details: { id: wanted } })
}
