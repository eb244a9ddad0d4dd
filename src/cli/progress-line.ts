/** The text of the progress line: percent, done of total, rate, time left, and for a backup what is new and stored. */
import type { Progress } from '../contract/backup.ts'
import { formatBytes, formatClock, formatRate } from './units.ts'

/** The rate is taken over this long: steady enough to read, quick enough to show a device that slows down. */
const RATE_WINDOW_MS = 5000
const BAR_CELLS = 20

/** Returns a function that takes each progress and gives the line for a terminal of `columns`. */
export function createProgressLine(now: () => number): (progress: Progress, columns: number) => string {
  // At most one sample per progress in the window: the library reports every 100 ms, so about 50.
  let samples: { at: number; doneBytes: number }[] = []
  return (progress, columns) => {
    const at = now()
    samples = samples.filter((sample) => at - sample.at <= RATE_WINDOW_MS)
    samples.push({ at, doneBytes: progress.doneBytes })
    const first = samples[0]!
    return fit(pieces(progress, progress.doneBytes - first.doneBytes, (at - first.at) / 1000), columns)
  }
}

function pieces(progress: Progress, recentBytes: number, recentSeconds: number): string[] {
  const { phase, doneBytes, totalBytes, newBytes, storedBytes } = progress
  const fraction = totalBytes > 0 ? Math.min(1, doneBytes / totalBytes) : 1
  const filled = Math.floor(fraction * BAR_CELLS)
  const perSecond = recentSeconds > 0 ? recentBytes / recentSeconds : 0
  const line = [
    `${phase} [${'#'.repeat(filled)}${'-'.repeat(BAR_CELLS - filled)}]`,
    // Rounded down: 100 % means done.
    `${String(Math.floor(fraction * 100)).padStart(3)}%`,
    `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`,
    formatRate(recentBytes, recentSeconds),
    perSecond > 0 ? `${formatClock((totalBytes - doneBytes) / perSecond)} left` : '-:-- left',
  ]
  if (phase === 'backup') line.push(`new ${formatBytes(newBytes)}`, `stored ${formatBytes(storedBytes)}`)
  return line
}

/** Drops the bar, then pieces from the end, until the line fits: a wrapped line could not be cleared. */
function fit(line: string[], columns: number): string {
  const room = (columns > 0 ? columns : 80) - 1
  const text = (kept: readonly string[]) => kept.join('  ')
  if (text(line).length <= room) return text(line)
  let kept = line.slice(1)
  while (kept.length > 1 && text(kept).length > room) kept = kept.slice(0, -1)
  return text(kept).slice(0, Math.max(0, room))
}
