/**
 * Copies a volume that checks what it reads, such as a stored backup, onto another.
 *
 * Invariant: with `checkFirst` everything was read, and so found right, before the first byte is written; nothing is written behind the
 * source's end.
 */
import type { JobOptions } from '../contract/backup.ts'
import { throwIfCancelled } from '../contract/errors.ts'
import type { VolumeFile } from '../contract/volume.ts'
import { progressReporter } from '../pipeline/progress.ts'
import { zeroRuns } from '../pipeline/zeros.ts'

/** The longest that a volume gives or takes at once. */
const PIECE_BYTES = 4 * 1024 * 1024
/** Pieces under way: one is written while others are read and decoded. 16 MiB in all. */
const LANES = 4

export interface CopyOptions extends JobOptions {
  /** The target reads as zeros now: zeros are left out. Elsewhere they are punched. */
  startsZero: boolean
  checkFirst: boolean
  /** Milliseconds since 1970. */
  now(): number
}

export async function copyVolume(source: VolumeFile, target: VolumeFile, { startsZero, checkFirst, signal, onProgress, now }: CopyOptions): Promise<void> {
  const totalBytes = source.size * (checkFirst ? 2 : 1)
  let doneBytes = 0
  const report = progressReporter(onProgress, () => ({ phase: 'restore', doneBytes, totalBytes, newBytes: 0, storedBytes: 0 }), now)

  const eachPiece = async (use: (bytes: Uint8Array, offset: number) => Promise<void>): Promise<void> => {
    let next = 0
    let failure: { error: unknown } | undefined
    const lane = async () => {
      while (next < source.size && !failure) {
        const offset = next
        next += PIECE_BYTES
        try {
          throwIfCancelled(signal)
          const bytes = await source.readAt(offset, PIECE_BYTES)
          await use(bytes, offset)
          doneBytes += bytes.length
          report()
        } catch (error) {
          failure ??= { error }
        }
      }
    }
    await Promise.all(Array.from({ length: LANES }, lane))
    if (failure) throw failure.error
  }

  if (checkFirst) await eachPiece(async () => {})
  await eachPiece(async (bytes, offset) => {
    for (const { start, length, zero } of zeroRuns(bytes, offset)) {
      if (!zero) await target.writeAt(offset + start, bytes.subarray(start, start + length))
      else if (!startsZero) await target.punchHole(offset + start, length)
    }
  })
  await target.flush()
  report.end()
}
