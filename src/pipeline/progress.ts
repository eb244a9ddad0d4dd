/** Calls the caller's progress function at most ten times a second, and once at the end. */
import type { Progress } from '../contract/backup.ts'

const INTERVAL_MS = 100

export interface ProgressReporter {
  (): void
  end(): void
}

export function progressReporter(onProgress: ((progress: Progress) => void) | undefined, state: () => Progress, now: () => number): ProgressReporter {
  let last = -Infinity
  const report = () => {
    if (!onProgress || now() - last < INTERVAL_MS) return
    last = now()
    onProgress(state())
  }
  return Object.assign(report, { end: () => onProgress?.(state()) })
}
