/**
 * Removes the objects of one backup (cinder/backup/chunkeddriver.py, `delete_backup`).
 *
 * Invariant: only names that are exactly this backup's are removed, the manifest first: what an interrupted removal leaves is no backup.
 */
import { BlockvaultError } from '../contract/errors.ts'
import type { ObjectStore } from '../contract/object-store.ts'
import type { BackupPlace } from './chain.ts'
import { metadataName, parseObjectName } from './names.ts'

/** Stores over a network take their time for each. */
const DELETIONS_AT_ONCE = 16

/** Repeating it is harmless; what is not there needs no removing. @throws the store's error, or BackupDriverException when objects stay */
export async function removeBackup(store: ObjectStore, { container, prefix }: BackupPlace): Promise<void> {
  await store.delete(container, metadataName(prefix))
  const names = store.list(container, prefix)[Symbol.asyncIterator]()
  const failures: { name: string; error: unknown }[] = []
  let next: Promise<unknown> = Promise.resolve()
  const pull = () => {
    const pulled = next.then(() => names.next())
    next = pulled.catch(() => {})
    return pulled
  }
  const lane = async () => {
    for (let each = await pull(); !each.done; each = await pull()) {
      const { name } = each.value
      if (parseObjectName(name)?.prefix !== prefix) continue
      await store.delete(container, name).catch((error: unknown) => void failures.push({ name, error }))
    }
  }
  await Promise.all(Array.from({ length: DELETIONS_AT_ONCE }, lane))
  const [first] = failures
  if (first === undefined) return
  throw new BlockvaultError(
    'BackupDriverException',
    `${failures.length} objects of the backup could not be removed, the first ${first.name} in ${container}. Delete it again.`,
    {
      details: { container, object: first.name },
      cause: first.error,
    },
  )
}
