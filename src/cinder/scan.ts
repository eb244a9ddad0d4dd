/**
 * Every backup of a store, described from its objects alone: what Cinder's database would say, when it is lost.
 *
 * Invariants: a backup that can not be restored says why; one manifest at a time is held, whatever the store has.
 */
import { BlockvaultError, type ErrorCode, throwIfCancelled } from '../contract/errors.ts'
import type { ObjectStore } from '../contract/object-store.ts'
import type { BackupPlace } from './chain.ts'
import { isoOfPythonDateTime } from './created-at.ts'
import type { ObjectList } from './object-list.ts'
import { prefixInPath } from './names.ts'
import { type FoundBackup, type IndexedBackup, indexStore } from './store-index.ts'

export interface ScannedBackup extends BackupPlace {
  id: string
  /** `null` for a full backup, and while it is not known. */
  parentId: string | null
  volumeId: string
  /** Length of the volume that a restore gives; `null` while it is not known. */
  bytes: number | null
  /** It has a manifest, and as many objects as it lists are there. Whether they are right is what `verify` tells. */
  complete: boolean
  /** Why it can not be restored, as far as names and manifests tell; `null` when nothing speaks against it. */
  problem: string | null
  /** `null` without a problem, and when the problem is its parent's. */
  problemCode: ErrorCode | null
  name: string | null
  description: string | null
  /** ISO 8601; `null` when the manifest does not say. */
  createdAt: string | null
  /** Data objects that the manifest lists. */
  objects: number
  /** Bytes of the volume in these objects. */
  dataBytes: number
  /** Bytes in the store. */
  storedBytes: number
}

/** A manifest that can not be read. */
export interface DamagedManifest extends BackupPlace {
  /** What the names say; `null` where they say nothing. */
  id: string | null
  code: ErrorCode
  message: string
}

export interface StoreScan {
  /** By volume, oldest first. */
  backups: ScannedBackup[]
  damaged: DamagedManifest[]
}

export async function scanStore(store: ObjectStore, options: { signal?: AbortSignal | undefined } = {}): Promise<StoreScan> {
  const index = await indexStore(store, options)
  const backups: Described[] = []
  const damaged: DamagedManifest[] = []
  for (const backup of index.backups) {
    throwIfCancelled(options.signal)
    if (!backup.hasMetadata) {
      backups.push(describeUnfinished(backup))
      continue
    }
    try {
      backups.push(describe(backup, await index.read(backup)))
    } catch (error) {
      if (!(error instanceof BlockvaultError) || !DAMAGE.includes(error.code)) throw error
      // Neither a name of Cinder's form nor another object beside it: somebody else's file.
      if (!backup.facts && backup.dataObjects === 0 && !backup.hasHashes) continue
      damaged.push({ ...splitPath(backup.path), id: backup.facts?.backupId ?? null, code: error.code, message: error.message })
    }
  }
  followChains(backups, damaged)
  const scanned = backups.map(({ end: _end, ...backup }) => backup)
  return { backups: scanned.sort(byVolumeAndAge), damaged }
}

const DAMAGE: readonly ErrorCode[] = ['InvalidBackup', 'OBJECT_DAMAGED', 'OBJECT_MISSING']

interface Described extends ScannedBackup {
  /** Where its last extent ends. */
  end: number
}

function describeUnfinished({ path, facts, dataObjects, storedBytes }: IndexedBackup): Described {
  return {
    id: facts!.backupId,
    parentId: null,
    volumeId: facts!.volumeId,
    ...splitPath(path),
    bytes: null,
    complete: false,
    problem: 'it was never finished: it has no _metadata',
    problemCode: 'OBJECT_MISSING',
    name: null,
    description: null,
    createdAt: null,
    objects: dataObjects,
    dataBytes: 0,
    storedBytes,
    end: 0,
  }
}

function describe({ facts, dataObjects, storedBytes }: IndexedBackup, { container, prefix, manifest }: FoundBackup): Described {
  const { backupId: id, parentId, volumeId, backupName, backupDescription, objects } = manifest
  if (facts && facts.backupId !== id) throw new BlockvaultError('InvalidBackup', `The manifest of ${prefix} says that it is of backup ${id}.`)
  const complete = dataObjects === objects.count
  const { end, dataBytes } = sums(objects)
  return {
    id,
    parentId,
    volumeId,
    container,
    prefix,
    bytes: null,
    complete,
    problem: complete ? null : `its manifest lists ${objects.count} objects, and there are ${dataObjects}`,
    problemCode: complete ? null : 'InvalidBackup',
    name: backupName,
    description: backupDescription,
    createdAt: isoTime(manifest.createdAt),
    objects: objects.count,
    dataBytes,
    storedBytes,
    end,
  }
}

function sums(objects: ObjectList): { end: number; dataBytes: number } {
  let end = 0
  let dataBytes = 0
  for (let index = 0; index < objects.count; index++) {
    const length = objects.length(index) ?? 0
    end = Math.max(end, objects.offset(index) + length)
    dataBytes += length
  }
  return { end, dataBytes }
}

/** Fills in `bytes` and `problem` from each full backup on, so that a chain is walked once, however long it is. */
function followChains(backups: readonly Described[], damaged: readonly DamagedManifest[]): void {
  const parents = findParents(backups, damaged)
  const followed = new Map<Described, 'open' | 'done'>()
  for (const backup of backups) {
    // Down to what is followed already, or the chain's end.
    const path: Described[] = []
    let at: Described | undefined = backup
    while (at && !followed.has(at)) {
      followed.set(at, 'open')
      path.push(at)
      at = parents.get(at)
    }
    const lowest = path.at(-1)
    if (lowest && at && followed.get(at) === 'open') refuse(lowest, 'InvalidBackup', 'its chain comes back to itself')
    for (const member of path.reverse()) {
      const parent = parents.get(member)
      if (parent?.problem) member.problem ??= `its parent ${parent.id} can not be restored`
      if (member.problem === null) member.bytes = Math.max(member.end, parent?.bytes ?? 0)
      followed.set(member, 'done')
    }
  }
}

/** The parent of each backup that has one; what speaks against it becomes the child's problem. */
function findParents(backups: readonly Described[], damaged: readonly DamagedManifest[]): Map<Described, Described> {
  const byId = new Map<string, Described[]>()
  const unfinished = new Set<string>()
  for (const backup of backups) {
    if (backup.problemCode === 'OBJECT_MISSING') {
      unfinished.add(backup.id)
      continue
    }
    const same = byId.get(backup.id)
    if (same) same.push(backup)
    else byId.set(backup.id, [backup])
  }
  const unreadable = new Set(damaged.map(({ id }) => id))
  const parents = new Map<Described, Described>()
  for (const backup of backups) {
    if (backup.parentId === null) continue
    const [parent, second] = byId.get(backup.parentId) ?? []
    if (parent && !second && parent.volumeId === backup.volumeId) parents.set(backup, parent)
    else if (second) refuse(backup, 'BACKUP_AMBIGUOUS', `its parent ${backup.parentId} lies in more than one place`)
    else if (parent) refuse(backup, 'InvalidBackup', `its parent ${parent.id} is of another volume`)
    else if (unreadable.has(backup.parentId)) backup.problem ??= `its parent ${backup.parentId} has a manifest that can not be read`
    else if (unfinished.has(backup.parentId)) backup.problem ??= `its parent ${backup.parentId} was never finished`
    else refuse(backup, 'BackupNotFound', `its parent ${backup.parentId} is not here`)
  }
  return parents
}

/** The first problem of a backup is the one that it keeps. */
function refuse(backup: Described, code: ErrorCode, problem: string): void {
  if (backup.problem !== null) return
  backup.problem = problem
  backup.problemCode = code
}

function splitPath(path: string): BackupPlace {
  const prefix = prefixInPath(path)
  return { container: path.slice(0, Math.max(0, path.length - prefix.length - 1)), prefix }
}

function isoTime(text: string | null): string | null {
  try {
    return text === null ? null : isoOfPythonDateTime(text)
  } catch {
    return null
  }
}

function byVolumeAndAge(left: ScannedBackup, right: ScannedBackup): number {
  const keys = ({ volumeId, createdAt, prefix, container }: ScannedBackup) => [volumeId, createdAt ?? '', prefix, container]
  const [lefts, rights] = [keys(left), keys(right)]
  const at = lefts.findIndex((key, index) => key !== rights[index])
  return at < 0 ? 0 : lefts[at]! < rights[at]! ? -1 : 1
}
