/**
 * What Cinder's drivers for object stores have in common: containers are buckets, object names hold the volume, the time and the
 * service's zone (cinder/backup/drivers/s3.py and swift.py). Over any `ObjectStore`.
 */
import type { BackupContext } from '../contract/backup-context.ts'
import type { BackupRecord } from '../contract/records.ts'
import { objectStorePrefix } from '../cinder/names.ts'
import { ChunkedBackupDriver, type ChunkedDriverOptions } from './chunked.ts'

/** Cinder's `backup_s3_store_bucket` and `backup_swift_container`. */
const CONTAINER = 'volumebackups'
/** Cinder's `backup_s3_object_size` and `backup_swift_object_size`. */
const OBJECT_BYTES = 52_428_800

class ObjectStorageBackupDriver extends ChunkedBackupDriver {
  constructor(context: BackupContext, options: ChunkedDriverOptions) {
    super(context, options, { objectBytes: OBJECT_BYTES, container: CONTAINER })
  }

  override generateObjectNamePrefix({ id, volumeId }: BackupRecord): string {
    return objectStorePrefix({ volumeId, backupId: id, now: this.context.now(), availabilityZone: this.context.availabilityZone })
  }
}

/** Cinder's `cinder.backup.drivers.s3.S3BackupDriver`. */
export class S3BackupDriver extends ObjectStorageBackupDriver {}

/** Cinder's `cinder.backup.drivers.swift.SwiftBackupDriver`. */
export class SwiftBackupDriver extends ObjectStorageBackupDriver {}
