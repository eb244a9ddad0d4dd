/** Cinder's posix driver: containers are directories below one root (cinder/backup/drivers/posix.py). */
import type { BackupContext } from '../contract/backup-context.ts'
import type { BackupRecord } from '../contract/records.ts'
import { posixContainer, posixPrefix } from '../cinder/names.ts'
import { BLOCK_BYTES, ChunkedBackupDriver, type ChunkedDriverOptions } from './chunked.ts'

/** Cinder's `backup_file_size`. */
export const POSIX_OBJECT_BYTES = 61_035 * BLOCK_BYTES

/** Without `container`: Cinder's option `backup_container` is never reached, as the driver names a container for each backup. */
export type PosixDriverOptions = Omit<ChunkedDriverOptions, 'container'>

/**
 * The store is the root, Cinder's `backup_posix_path`. A backup that names no container gets a directory of its own,
 * `ab/cd/abcd…`, by its id, so that no directory grows too long. Objects have 1999994880 bytes of the volume by default.
 */
export class PosixBackupDriver extends ChunkedBackupDriver {
  constructor(context: BackupContext, options: PosixDriverOptions) {
    super(context, options, { objectBytes: POSIX_OBJECT_BYTES })
  }

  override updateContainerName({ id, container }: BackupRecord): string {
    return container || posixContainer(id)
  }

  override generateObjectNamePrefix({ id, volumeId }: BackupRecord): string {
    return posixPrefix({ volumeId, backupId: id, now: this.context.now() })
  }
}
