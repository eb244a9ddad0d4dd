/** From a volume's row to its bytes: the embedding program names a path or hands in a handle. */
import type { BackupContext } from '../contract/backup-context.ts'
import type { SnapshotRecord, VolumeRecord } from '../contract/records.ts'
import type { MaybePromise, VolumeFile, VolumeMode } from '../contract/volume.ts'
import { createPool } from '../io/pool.ts'
import { openVolumeFile } from '../io/volume-file.ts'

export const GIB = 1024 ** 3

/**
 * Where the bytes of `volume` are: a path that the workers open, or an open handle, which the service closes. `create` asks for a new
 * volume: a path at which nothing is (a file of `volume.size` GiB is made there), or a handle that reads as zeros. With `snapshot`, its
 * bytes instead of the volume's. What it throws ends the job.
 */
export type ResolveVolume = (
  volume: VolumeRecord,
  mode: VolumeMode,
  options: { snapshot?: SnapshotRecord | undefined; signal: AbortSignal },
) => MaybePromise<string | VolumeFile>

export type OpenVolume = (
  volume: VolumeRecord,
  mode: VolumeMode,
  options: { snapshot?: SnapshotRecord | undefined; signal: AbortSignal },
) => Promise<VolumeFile>

/** The volumes are opened in the context's workers. */
export function volumeOpener({ ports }: BackupContext, resolve: ResolveVolume): OpenVolume {
  const pool = createPool(ports)
  return async (volume, mode, options) => {
    const place = await resolve(volume, mode, options)
    if (typeof place !== 'string') return place
    return openVolumeFile(pool, place, mode === 'create' ? { mode, size: volume.size * GIB } : { mode })
  }
}
