/**
 * The backups of a store by the names of its objects, for when there is no database. Cinder's names say a backup's id; what else there is
 * to know stands in its manifest, and is read when it is asked for.
 *
 * Invariants: what is held grows with the number of backups, not with their objects, and is bounded; nothing is told apart by "begins
 * with", only by exact names (`names.ts`).
 */
import { BlockvaultError, isBlockvaultError, throwIfCancelled } from '../contract/errors.ts'
import type { ObjectStore } from '../contract/object-store.ts'
import type { BackupPlace, KnownBackup } from './chain.ts'
import { type Manifest, readManifestAt } from './metadata.ts'
import { metadataName, parseObjectName, type PrefixFacts, prefixFacts, prefixInPath } from './names.ts'
import { objectPieces } from './object-pieces.ts'

/** One backup as its names tell it. */
export interface IndexedBackup {
  /** The container as it was listed, and the name prefix in it. Where Cinder's container ends is told by `place`. */
  readonly listed: BackupPlace
  /** Container and prefix, joined: unique in the store. */
  readonly path: string
  /** Ids that the prefix names; `undefined` when it is none of Cinder's own form. */
  readonly facts: PrefixFacts | undefined
  readonly dataObjects: number
  /** Bytes that all its objects take in the store. */
  readonly storedBytes: number
  readonly hasMetadata: boolean
  readonly hasHashes: boolean
}

export interface StoreIndex {
  /** In the order of their paths. */
  readonly backups: readonly IndexedBackup[]
  /** Reads the manifest. @throws InvalidBackup, OBJECT_MISSING */
  read(backup: IndexedBackup): Promise<FoundBackup>
  /** The finished backup of this id. @throws BACKUP_AMBIGUOUS when there are two, InvalidBackup when it is not finished or its manifest can not be read */
  find(id: string): Promise<FoundBackup | undefined>
}

export interface FoundBackup extends KnownBackup {
  manifest: Manifest
}

/** A quarter of a million backups: a hundred MiB. */
export const INDEX_BACKUPS_MAX = 256 * 1024

export async function indexStore(store: ObjectStore, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<StoreIndex> {
  const groups = new Map<string, { -readonly [Key in keyof IndexedBackup]: IndexedBackup[Key] }>()
  for await (const { container, name, size } of objectsOf(store, signal)) {
    const parsed = parseObjectName(name)
    if (!parsed) continue
    const path = pathOf(container, parsed.prefix)
    let group = groups.get(path)
    if (!group) {
      if (groups.size === INDEX_BACKUPS_MAX)
        throw new BlockvaultError('InvalidBackup', `${store.description} has more than ${INDEX_BACKUPS_MAX} backups: name a directory inside it.`)
      const listed = { container, prefix: parsed.prefix }
      group = { listed, path, facts: prefixFacts(prefixInPath(path)), dataObjects: 0, storedBytes: 0, hasMetadata: false, hasHashes: false }
      groups.set(path, group)
    }
    group.storedBytes += size
    if (parsed.part === 'data') group.dataObjects++
    if (parsed.part === 'metadata') group.hasMetadata = true
    if (parsed.part === 'sha256file') group.hasHashes = true
  }
  // What has Cinder's form, or a manifest. Anything else is a file that happens to end in five digits.
  const backups = [...groups.values()].filter(({ facts, hasMetadata }) => facts !== undefined || hasMetadata)
  backups.sort((left, right) => (left.path < right.path ? -1 : 1))

  const read = async ({ listed, path }: IndexedBackup): Promise<FoundBackup> => {
    const pieces = objectPieces(store, listed.container, metadataName(listed.prefix), { signal })
    const { prefix, manifest } = await readManifestAt(pieces, path)
    return { id: manifest.backupId, container: path.slice(0, Math.max(0, path.length - prefix.length - 1)), prefix, manifest }
  }
  return { backups, read, find: createFinder(backups, read) }
}

/**
 * Every object once. A container of a directory store also lists what lies in the directories below it, and those are containers of
 * their own: such objects are taken where they lie.
 */
async function* objectsOf(store: ObjectStore, signal: AbortSignal | undefined): AsyncGenerator<{ container: string; name: string; size: number }> {
  const containers = new Set<string>()
  for await (const container of store.containers({ signal })) containers.add(container)
  for (const container of containers) {
    for await (const { name, size } of store.list(container, '', { signal })) {
      throwIfCancelled(signal)
      const slash = name.lastIndexOf('/')
      if (slash < 0 || !containers.has(pathOf(container, name.slice(0, slash)))) yield { container, name, size }
    }
  }
}

function pathOf(container: string, name: string): string {
  return container === '' ? name : `${container}/${name}`
}

/** Chains are long and looked up backup by backup: ids are looked up in maps, made once. */
function createFinder(backups: readonly IndexedBackup[], read: StoreIndex['read']): StoreIndex['find'] {
  const byId = new Map<string, IndexedBackup[]>()
  for (const backup of backups) if (backup.facts) add(byId, backup.facts.backupId, backup)
  // Prefixes of somebody else's driver: only the manifests tell.
  let foreign: Promise<Map<string, IndexedBackup[]>> | undefined
  const findForeign = async () => {
    const found = new Map<string, IndexedBackup[]>()
    for (const backup of backups) {
      if (backup.facts) continue
      try {
        add(found, (await read(backup)).id, backup)
      } catch (error) {
        if (!isBlockvaultError(error, 'InvalidBackup')) throw error
      }
    }
    return found
  }
  return async (id) => {
    const named = byId.get(id) ?? (await (foreign ??= findForeign())).get(id) ?? []
    const finished = named.filter(({ hasMetadata }) => hasMetadata)
    const [first, second] = finished
    if (second) throw ambiguous(id, finished)
    if (first) return read(first)
    if (!named[0]) return undefined
    const object = metadataName(named[0].path)
    throw new BlockvaultError('InvalidBackup', `Backup ${id} was never finished: there is no ${object}. It can not be restored.`, { details: { id, object } })
  }
}

function add<Item>(groups: Map<string, Item[]>, key: string, item: Item): void {
  const group = groups.get(key)
  if (group) group.push(item)
  else groups.set(key, [item])
}

function ambiguous(id: string, backups: readonly IndexedBackup[]): BlockvaultError {
  const paths = backups.slice(0, 16).map(({ path }) => path)
  return new BlockvaultError(
    'BACKUP_AMBIGUOUS',
    `Backup ${id} lies in ${backups.length} places: ${paths.join(', ')}. Name a directory for STORE that holds only one of them.`,
    {
      details: { id, matches: paths },
    },
  )
}
