/**
 * Removes the objects of one backup (cinder/backup/chunkeddriver.py, `delete_backup`).
 *
 * Invariants: only names that are exactly this backup's are removed, whatever else begins with its prefix; nothing is removed when the
 * container can not be listed; the manifest goes first: what an interrupted removal leaves is no backup.
 */
import { BlockvaultError } from '../contract/errors.ts'
import type { ObjectStore } from '../contract/object-store.ts'
import type { BackupPlace } from './chain.ts'
import { dataObjectName, metadataName, parseObjectName, sha256FileName } from './names.ts'

/** Stores over a network take their time for each. */
const DELETIONS_AT_ONCE = 16

/**
 * Repeating it is harmless; what is not there needs no removing. What a process that died had not finished goes too.
 * @throws the store's error, or BackupDriverException when objects stay
 */
export async function removeBackup(store: ObjectStore, { container, prefix }: BackupPlace): Promise<void> {
  const isOurs = (name: string) => parseObjectName(name)?.prefix === prefix
  const numbers: number[] = []
  for await (const { name } of store.list(container, prefix)) {
    const parsed = parseObjectName(name)
    if (parsed?.prefix === prefix && parsed.part === 'data') numbers.push(parsed.number)
  }
  await store.deleteUnfinished(container, prefix, { only: isOurs })
  await store.delete(container, metadataName(prefix))
  const failures: { name: string; error: unknown }[] = []
  const remove = (name: string) => store.delete(container, name).catch((error: unknown) => void failures.push({ name, error }))
  await remove(sha256FileName(prefix))
  const lane = async () => {
    for (let number = numbers.pop(); number !== undefined; number = numbers.pop()) await remove(dataObjectName(prefix, number))
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
