/** Cinder's posix driver: containers are directories below one root (cinder/backup/drivers/posix.py). */
import type { BackupContext } from '../contract/backup-context.ts'
import type { BackupRecord } from '../contract/records.ts'
import { posixContainer, posixPrefix } from '../cinder/names.ts'
import { BLOCK_BYTES, ChunkedBackupDriver, type ChunkedDriverOptions } from './chunked.ts'

/** Cinder's `backup_file_size`. */
export const POSIX_OBJECT_BYTES = 61_035 * BLOCK_BYTES

/**
 * The store is the root, Cinder's `backup_posix_path`. A backup that names no container gets a directory of its own,
 * `ab/cd/abcd…`, by its id.
 */
export class PosixBackupDriver extends ChunkedBackupDriver {
  constructor(context: BackupContext, options: ChunkedDriverOptions) {
    super(context, options, { objectBytes: POSIX_OBJECT_BYTES })
  }

  override updateContainerName(backup: BackupRecord): string {
    return backup.container ?? this.container ?? posixContainer(backup.id)
  }

  override generateObjectNamePrefix({ id, volumeId }: BackupRecord): string {
    return posixPrefix({ volumeId, backupId: id, now: this.context.now() })
  }
}
