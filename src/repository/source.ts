/** Where a backup reads from: a path that every worker opens itself, or a handle whose bytes are passed on. */
import { BlockvaultError } from '../contract/errors.ts'
import type { VolumeFile } from '../contract/volume.ts'
import { readSegment, type SegmentInput } from '../pipeline/segment-input.ts'
import type { RepositoryContext } from './context.ts'

export interface BackupSource {
  readonly size: number
  /** The resolved path, `''` for a handle. */
  readonly path: string
  /** What the backup is filed under when nobody names it. */
  readonly volumeName: string
  input(offset: number, length: number): Promise<SegmentInput>
  /** Rejects with SOURCE_CHANGED when the volume no longer has the size it had. */
  checkSize(): Promise<void>
  close(): Promise<void>
}

export async function openSource({ platform, pool }: RepositoryContext, from: string | VolumeFile): Promise<BackupSource> {
  if (typeof from !== 'string') {
    return {
      size: from.size,
      path: '',
      volumeName: 'volume',
      input: (offset, length) => readSegment(from, offset, length),
      checkSize: async () => {},
      close: async () => {},
    }
  }
  const facts = await platform.volumeFacts(from)
  if (!facts) throw new BlockvaultError('SOURCE_MISSING', `There is nothing at ${from}.`, { details: { path: from } })
  const volume = await pool.openVolume(from, { mode: 'read' })
  return {
    size: volume.size,
    path: facts.path,
    // As the caller wrote it: /dev/vg/root, not the dm-0 that it links to.
    volumeName: from.split(/[\\/]/).filter(Boolean).at(-1) ?? 'volume',
    input: async (offset, length) => ({ volume: volume.volume, offset, length }),
    async checkSize() {
      const now = await platform.volumeFacts(from)
      if (now?.size !== volume.size) {
        throw new BlockvaultError(
          'SOURCE_CHANGED',
          `${from} had ${volume.size} bytes when the backup began and has ${now?.size ?? 0} now. No backup was recorded: run it again.`,
          {
            details: { path: from, size: volume.size },
          },
        )
      }
    },
    close: () => volume.close(),
  }
}
