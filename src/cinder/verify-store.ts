/**
 * Checks the backups of a store, each once, however many others build on it.
 *
 * Invariants: what is wrong is returned, with every backup that it hurts: the one it is in, and all that build on that one. One manifest
 * and its parent's are held at a time, and one chain's while its plan is made.
 */
import type { JobOptions, Progress } from '../contract/backup.ts'
import { type ErrorCode, isBlockvaultError, throwIfCancelled } from '../contract/errors.ts'
import type { ObjectStore } from '../contract/object-store.ts'
import type { Port } from '../contract/port.ts'
import { type ChainMember, loadChain, loadManifest } from './chain.ts'
import { metadataName } from './names.ts'
import { planRestore } from './restore-plan.ts'
import { type ScannedBackup, scanStore } from './scan.ts'
import { verifyBackup } from './verify-backup.ts'
import { kinOf, type StoreKin } from './store-kin.ts'

export interface VerifyStoreOptions extends JobOptions {
  ports: readonly Port[]
  /** Ids: these and what they build on. All by default. */
  backups?: readonly string[] | undefined
  /** Milliseconds since 1970. */
  now(): number
}

/** Something wrong, and the ids of the backups that can not be restored or built on as they should because of it. */
export interface StoreFinding {
  container: string
  object: string
  code: ErrorCode
  message: string
  backups: string[]
}

export interface VerifiedStore {
  /** Backups that were checked. */
  backups: number
  /** Objects that were decoded whole, and the bytes of volumes that came out. */
  objects: number
  bytes: number
  errors: StoreFinding[]
}

/** @throws BackupNotFound for a backup that is not there */
export async function verifyStore(store: ObjectStore, options: VerifyStoreOptions): Promise<VerifiedStore> {
  const { signal, onProgress } = options
  const scan = await scanStore(store, { signal })
  const kin = kinOf(scan)
  const wanted = kin.wanted(options.backups, store.description)
  const result: VerifiedStore = { backups: wanted.length, objects: 0, bytes: 0, errors: [] }
  const add = (id: string, { container, object, code, message }: Omit<StoreFinding, 'backups'>) => {
    result.errors.push({ container, object, code, message, backups: [id, ...kin.descendants(id)] })
  }
  for (const { container, prefix, id, code, message } of kin.wantedDamage(options.backups))
    add(id ?? prefix, { container, object: metadataName(prefix), code, message })

  const totalBytes = wanted.reduce((sum, { dataBytes }) => sum + dataBytes, 0)
  let before = 0
  for (const backup of wanted) {
    throwIfCancelled(signal)
    const { container, prefix, id, problem, problemCode, complete } = backup
    // What a manifest lists and is not there is told object by object.
    const isTold = problemCode === 'InvalidBackup' && !complete
    if (problemCode !== null && !isTold)
      add(id, { container, object: metadataName(prefix), code: problemCode, message: `Backup ${id} can not be restored: ${problem}.` })
    if (problemCode === 'OBJECT_MISSING') continue
    const onEach = (each: Progress) => onProgress?.({ ...each, doneBytes: before + each.doneBytes, totalBytes })
    const verified = await verifyBackup(await memberOf(store, backup, signal), {
      ...options,
      store,
      parent: await parentOf(store, backup, kin, signal),
      onProgress: onEach,
    })
    before += backup.dataBytes
    result.objects += verified.objects
    result.bytes += verified.bytes
    for (const finding of verified.findings) add(id, finding)
  }
  for (const finding of await planFindings(store, wanted, kin, signal)) add(finding.id, finding)
  return result
}

async function memberOf(store: ObjectStore, { container, prefix }: ScannedBackup, signal: AbortSignal | undefined): Promise<ChainMember> {
  return { container, prefix, manifest: await loadManifest(store, { container, prefix }, { signal }) }
}

async function parentOf(store: ObjectStore, backup: ScannedBackup, kin: StoreKin, signal: AbortSignal | undefined): Promise<ChainMember | undefined> {
  const parent = kin.parent(backup)
  return parent && memberOf(store, parent, signal)
}

/** Extents that overlap or leave a gap, in the chains of the backups that no other builds on: those of the others are parts of them. */
async function planFindings(store: ObjectStore, wanted: readonly ScannedBackup[], kin: StoreKin, signal: AbortSignal | undefined) {
  const findings = new Map<string, Omit<StoreFinding, 'backups'> & { id: string }>()
  const parents = new Set(wanted.map(({ parentId }) => parentId))
  for (const { id, problem, container, prefix } of wanted) {
    if (problem !== null || parents.has(id)) continue
    try {
      planRestore(await loadChain(store, id, { locate: kin.find, signal }))
    } catch (error) {
      if (!isBlockvaultError(error, 'InvalidBackup')) throw error
      // The backup that is wrong may be an ancestor of several: told once.
      const wrong = typeof error.details['id'] === 'string' ? error.details['id'] : id
      const place = kin.find(wrong) ?? { container, prefix }
      findings.set(`${wrong} ${error.message}`, {
        id: wrong,
        container: place.container,
        object: metadataName(place.prefix),
        code: error.code,
        message: error.message,
      })
    }
  }
  return findings.values()
}
