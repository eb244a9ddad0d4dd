/** Where a row says that its backup's objects lie. Rows come from imported records too: a place outside of the store is refused. */
import type { BackupPlace, KnownBackup } from '../cinder/chain.ts'
import { checkContainer, checkPrefix } from '../cinder/names.ts'
import { BlockvaultError } from '../contract/errors.ts'
import type { BackupRecord } from '../contract/records.ts'

/** `undefined` for a backup that was never begun. @throws InvalidInput for names that lead out of the store */
export function placeOf({ container, serviceMetadata }: BackupRecord): BackupPlace | undefined {
  // Cinder takes empty names for none.
  if (!container || !serviceMetadata) return undefined
  return { container: checkContainer(container), prefix: checkPrefix(serviceMetadata) }
}

/** @throws InvalidBackup for a backup that was never begun */
export function knownBackup(row: BackupRecord): KnownBackup {
  const place = placeOf(row)
  if (place) return { ...place, id: row.id, parentId: row.parentId }
  throw new BlockvaultError('InvalidBackup', `Backup ${row.id} has no objects: its row does not say where they are. Import its record again.`, {
    details: { id: row.id },
  })
}
