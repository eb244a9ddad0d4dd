/** The volume metadata that the backups of a chain saved. */
import type { ChainMember } from '../cinder/chain.ts'
import { BlockvaultError, isBlockvaultError } from '../contract/errors.ts'

/**
 * Oldest first, so that the newest backup's values are the last. A backup that saved none is passed over.
 * @throws BackupOperationError for metadata of an unknown version, as Cinder's restore does; whatever else `work` throws
 */
export async function eachVolumeMeta(chain: readonly ChainMember[], work: (json: string) => Promise<void>): Promise<void> {
  for (const { manifest } of chain) {
    if (!manifest.volumeMeta) continue
    await work(manifest.volumeMeta).catch((error: unknown) => {
      if (!isBlockvaultError(error, 'BackupMetadataUnsupportedVersion')) throw error
      throw new BlockvaultError('BackupOperationError', `The volume metadata of backup ${manifest.backupId} can not be restored: ${error.message}`, {
        details: { ...error.details, backupId: manifest.backupId },
        cause: error,
      })
    })
  }
}
