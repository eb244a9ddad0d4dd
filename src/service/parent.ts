/**
 * Which backup an incremental one builds on (cinder/backup/api.py, `create`).
 *
 * Invariant: the parent is `available`, of the same volume, holds data from before the new backup's, and can be read by its driver.
 */
import { BlockvaultError } from '../contract/errors.ts'
import type { BackupRecord, SnapshotRecord, VolumeRecord } from '../contract/records.ts'
import type { ServiceContext } from './context.ts'
import type { CreateBackupOptions } from './options.ts'

export interface ParentWanted {
  volume: VolumeRecord
  snapshot: SnapshotRecord | undefined
  /** Class path of the driver that will build on it. */
  service: string
}

/** `undefined` for a full backup. @throws InvalidBackup, BackupNotFound */
export async function chooseParent(
  service: ServiceContext,
  wanted: ParentWanted,
  { incremental = false, parentId }: CreateBackupOptions,
): Promise<BackupRecord | undefined> {
  if (parentId !== undefined) {
    const parent = await service.db.backup(parentId)
    const why = whyNot(service, parent, wanted)
    if (why !== undefined)
      throw new BlockvaultError('InvalidBackup', `Backup ${parentId} can not be built on: ${why}. Name another parent, or make a full backup.`, {
        details: { parentId },
      })
    return parent
  }
  if (!incremental) return undefined
  // Of the caller's project: the backups of others are not his to depend on, nor theirs to keep for him.
  const backups = await service.db.backups({ volumeId: wanted.volume.id, projectId: service.context.projectId, statuses: ['available'] })
  const [latest] = backups
    .filter((backup) => whyNot(service, backup, wanted) === undefined)
    .sort((left, right) => compareTimes(dataTime(right), dataTime(left)))
  if (latest) return latest
  throw new BlockvaultError('InvalidBackup', 'No backups available to do an incremental backup. Make a full backup first.', {
    details: { volumeId: wanted.volume.id },
  })
}

function whyNot({ drivers, host }: ServiceContext, parent: BackupRecord, { volume, snapshot, service }: ParentWanted): string | undefined {
  if (parent.status !== 'available') return `its status is ${parent.status}`
  if (parent.volumeId !== volume.id) return `it is of volume ${parent.volumeId}`
  if (!drivers.serves(service, parent.service)) return `${service} does not read backups of ${parent.service}`
  // A posix driver's directory is on its host (Launchpad bug 1952805).
  if (parent.service?.includes('posix') && parent.host !== host) return `it lies on host ${parent.host}`
  if (snapshot && compareTimes(dataTime(parent), snapshot.createdAt) >= 0) return 'its data is not older than the snapshot'
  return undefined
}

/** When the data is of. */
function dataTime(backup: BackupRecord): string {
  return backup.dataTimestamp ?? backup.createdAt
}

/** Of ISO 8601 times in UTC, some with milliseconds, some with microseconds. */
export function compareTimes(left: string, right: string): number {
  const [one, other] = [digits(left), digits(right)]
  return one < other ? -1 : one > other ? 1 : 0
}

function digits(time: string): string {
  const [seconds = '', fraction = ''] = time.replace(/Z$/, '').split('.')
  return `${seconds}.${fraction.padEnd(9, '0')}`
}
