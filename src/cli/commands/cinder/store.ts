/** What the `cinder` commands share: the store they are given, opened and closed around their work. */
import { BlockvaultError } from '../../../contract/errors.ts'
import type { ObjectStore } from '../../../contract/object-store.ts'
import type { PositionalSpec } from '../../command-spec.ts'
import type { Session } from '../../session.ts'
import { type FoundBackup, indexStore, type StoreIndex } from '../../../cinder/store-index.ts'

export const STORE_ARGUMENT: PositionalSpec = {
  name: 'STORE',
  help: 'the directory that the containers lie in: backup_posix_path, or a copy of an object store as BUCKET/KEY',
}

export const CINDER_BACKUP_ARGUMENT: PositionalSpec = { name: 'BACKUP', help: "a backup's id in STORE: `blockvault cinder list` shows them" }

/** Runs `work` on the store and closes it. When both fail, the work's error is the one that tells why. */
export async function withStore<Result>({ host }: Session, path: string, work: (store: ObjectStore) => Promise<Result>): Promise<Result> {
  const store = host.openObjectStore(path)
  let result: Result
  try {
    result = await work(store)
  } catch (error) {
    await store.close().catch(() => {})
    throw error
  }
  await store.close()
  return result
}

/** The store's index, for the commands that look one backup and its ancestors up. */
export function openIndex(store: ObjectStore, { host }: Session): Promise<StoreIndex> {
  return indexStore(store, { signal: host.interrupted })
}

/** @throws BackupNotFound, BACKUP_AMBIGUOUS, InvalidBackup */
export async function findBackup(index: StoreIndex, id: string, store: ObjectStore): Promise<FoundBackup> {
  const found = await index.find(id)
  if (found !== undefined) return found
  throw new BlockvaultError('BackupNotFound', `Backup ${id} could not be found in ${store.description}: \`blockvault cinder list\` shows what is there.`, {
    details: { id },
  })
}
