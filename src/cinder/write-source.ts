/** Where a backup reads from: a volume that the workers have open themselves, or any `VolumeFile`, whose bytes are passed on. */
import type { Port } from '../contract/port.ts'
import type { VolumeFile } from '../contract/volume.ts'
import { pooledVolumeOf } from '../io/volume-file.ts'
import { readSegment, type SegmentInput } from '../pipeline/segment-input.ts'

export interface BackupSource {
  /** Bytes. */
  readonly size: number
  /** @throws SOURCE_CHANGED when the volume ends before */
  input(offset: number, length: number): Promise<SegmentInput>
}

export function backupSource(file: VolumeFile, ports: readonly Port[]): BackupSource {
  const pooled = pooledVolumeOf(file, ports)
  return {
    size: file.size,
    input: async (offset, length) => (pooled ? { volume: pooled.volume, offset, length } : readSegment(file, offset, length)),
  }
}
