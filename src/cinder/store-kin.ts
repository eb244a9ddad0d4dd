/**
 * Who builds on whom in a store, as a scan found it.
 *
 * Invariant: every walk is a loop over sets, so that chains of any length, and chains that come back to themselves, are walked once.
 */
import { BlockvaultError } from '../contract/errors.ts'
import type { KnownBackup } from './chain.ts'
import type { DamagedManifest, ScannedBackup, StoreScan } from './scan.ts'

export interface StoreKin {
  /** The one backup of this id that has a manifest; `undefined` when there is none, or several. */
  find(id: string): KnownBackup | undefined
  parent(backup: ScannedBackup): ScannedBackup | undefined
  /** Ids of all that build on this backup, by one or many steps; without its own. */
  descendants(id: string): string[]
  /** The backups of these ids and what they build on; every backup without `ids`. @throws BackupNotFound */
  wanted(ids: readonly string[] | undefined, place: string): ScannedBackup[]
  /** Manifests that can not be read, of these backups or of what they build on. */
  wantedDamage(ids: readonly string[] | undefined): DamagedManifest[]
}

export function kinOf({ backups, damaged }: StoreScan): StoreKin {
  const byId = groupBy(backups, ({ id }) => id)
  const children = groupBy(
    backups.filter(({ parentId }) => parentId !== null),
    ({ parentId }) => parentId!,
  )
  const one = (id: string): ScannedBackup | undefined => {
    const finished = (byId.get(id) ?? []).filter(({ problemCode }) => problemCode !== 'OBJECT_MISSING')
    return finished.length === 1 ? finished[0] : undefined
  }
  const parent = ({ parentId }: ScannedBackup) => (parentId === null ? undefined : one(parentId))
  const descendants = (id: string): string[] => {
    const found = new Set<string>()
    const queue = [id]
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      for (const child of children.get(next) ?? []) {
        if (child.id === id || found.has(child.id)) continue
        found.add(child.id)
        queue.push(child.id)
      }
    }
    return [...found]
  }
  return {
    find: (id) => {
      const found = one(id)
      return found && { id, container: found.container, prefix: found.prefix }
    },
    parent,
    descendants,
    wanted(ids, place) {
      if (ids === undefined) return [...backups]
      const wanted = new Set<ScannedBackup>()
      for (const id of ids) {
        const own = byId.get(id) ?? []
        if (own.length === 0 && !damaged.some((each) => each.id === id)) throw notFound(id, place)
        for (const backup of own) for (let at: ScannedBackup | undefined = backup; at && !wanted.has(at); at = parent(at)) wanted.add(at)
      }
      return [...wanted]
    },
    wantedDamage(ids) {
      if (ids === undefined) return [...damaged]
      return damaged.filter(({ id }) => id !== null && [id, ...descendants(id)].some((each) => ids.includes(each)))
    },
  }
}

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group) group.push(item)
    else groups.set(keyOf(item), [item])
  }
  return groups
}

function notFound(id: string, place: string): BlockvaultError {
  return new BlockvaultError('BackupNotFound', `Backup ${id} could not be found in ${place}: \`blockvault cinder list\` shows what is there.`, {
    details: { id },
  })
}
