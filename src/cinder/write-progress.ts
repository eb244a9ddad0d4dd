/**
 * How far a backup is: a byte of the volume is done when it is known to be unchanged, or stored.
 *
 * Invariant: the number never goes back, and ends at the length of the volume.
 */
import type { JobOptions, Progress } from '../contract/backup.ts'
import { progressReporter } from '../pipeline/progress.ts'
import type { ObjectsContext } from './write-objects.ts'

export interface WriteProgress {
  listeners: Pick<ObjectsContext, 'onUnchanged' | 'onBytes'>
  /** Reports the end. */
  end(): { storedBytes: number; newBytes: number }
}

export function createWriteProgress({ onProgress, now }: Pick<JobOptions, 'onProgress'> & { now(): number }, totalBytes: number): WriteProgress {
  const progress: Progress = { phase: 'backup', doneBytes: 0, totalBytes, newBytes: 0, storedBytes: 0 }
  const report = progressReporter(onProgress, () => ({ ...progress }), now)
  let done = 0
  const add = (bytes: number) => {
    done += bytes
    // A short last block counts as a whole one.
    progress.doneBytes = Math.max(progress.doneBytes, Math.min(done, totalBytes))
    report()
  }
  return {
    listeners: {
      onUnchanged: add,
      onBytes(plainBytes, storedBytes) {
        progress.newBytes += plainBytes
        progress.storedBytes += storedBytes
        add(plainBytes)
      },
    },
    end() {
      report.end()
      return { storedBytes: progress.storedBytes, newBytes: progress.newBytes }
    },
  }
}
