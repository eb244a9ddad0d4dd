/**
 * What a backup reads, a volume or a snapshot of it, and its status while it does.
 *
 * Invariant: who has claimed it gives it back, whatever happens; a status that somebody else has set meanwhile stays.
 */
import { BlockvaultError } from '../contract/errors.ts'
import type { SnapshotRecord, VolumeRecord } from '../contract/records.ts'
import type { ServiceContext } from './context.ts'
import type { CreateBackupOptions } from './options.ts'
import { claimVolume, VOLUME } from './statuses.ts'

export interface BackupSource {
  readonly volume: VolumeRecord
  readonly snapshot: SnapshotRecord | undefined
  /** Sets it `backing-up`. @throws InvalidVolume, InvalidSnapshot when something else got it first */
  claim(): Promise<void>
  /** Gives it its status back. `previousStatus` tells how it went, as Cinder's does. */
  giveBack(outcome: 'backing-up' | 'error_backing-up'): Promise<void>
}

/** @throws VolumeNotFound, InvalidVolume, InvalidSnapshot */
export async function findSource(service: ServiceContext, { volumeId, snapshotId, force = false }: CreateBackupOptions): Promise<BackupSource> {
  const { db } = service
  const volume = await db.volume(volumeId)
  if (snapshotId !== undefined) return snapshotSource(service, volume, await db.snapshot(snapshotId))
  const details = { volumeId, status: volume.status }
  if (volume.status !== VOLUME.available && volume.status !== VOLUME.inUse)
    throw new BlockvaultError('InvalidVolume', `Volume to be backed up must be available or in-use, but the current status is "${volume.status}".`, { details })
  if (volume.status === VOLUME.inUse && !force) throw new BlockvaultError('InvalidVolume', 'Backing up an in-use volume must use the force flag.', { details })
  return held(
    volume,
    undefined,
    () => claimVolume(service, volume, VOLUME.backingUp),
    (outcome) => db.updateVolume(volume.id, { status: volume.status, previousStatus: outcome }, { from: [VOLUME.backingUp] }),
  )
}

function snapshotSource({ db }: ServiceContext, volume: VolumeRecord, snapshot: SnapshotRecord): BackupSource {
  const details = { volumeId: volume.id, snapshotId: snapshot.id, status: snapshot.status }
  if (snapshot.volumeId !== volume.id)
    throw new BlockvaultError('InvalidVolume', `Volume ${volume.id} does not match with snapshot.volume_id ${snapshot.volumeId}.`, { details })
  const notAvailable = (status: string) =>
    new BlockvaultError('InvalidSnapshot', `Snapshot to be backed up must be available, but the current status is "${status}".`, { details })
  if (snapshot.status !== 'available') throw notAvailable(snapshot.status)
  return held(
    volume,
    snapshot,
    async () => {
      if (!(await db.updateSnapshot(snapshot.id, { status: VOLUME.backingUp }, { from: ['available'] })))
        throw notAvailable((await db.snapshot(snapshot.id)).status)
    },
    () => db.updateSnapshot(snapshot.id, { status: 'available' }, { from: [VOLUME.backingUp] }),
  )
}

/** Given back once: after that the status may be another backup's. */
function held(
  volume: VolumeRecord,
  snapshot: SnapshotRecord | undefined,
  claim: () => Promise<void>,
  giveBack: (outcome: 'backing-up' | 'error_backing-up') => Promise<boolean>,
): BackupSource {
  let isHeld = false
  return {
    volume,
    snapshot,
    async claim() {
      await claim()
      isHeld = true
    },
    async giveBack(outcome) {
      if (!isHeld) return
      await giveBack(outcome)
      isHeld = false
    },
  }
}
