/**
 * A job of the repository, which knows a signal but no rows, stopped when the row of its backup says so.
 *
 * Invariant: the row is looked at before the job, about once a second while it goes on, and after it: a change between two looks is seen
 * by the next one, and what the last one finds counts as much as if the job had been stopped by it.
 */
import type { JobOptions, Progress } from '../contract/backup.ts'

/** Milliseconds between two looks: a read of the database each. */
const INTERVAL_MS = 1000

export interface Watched {
  /** Fires when the caller's signal does, or `look` has thrown. */
  signal: AbortSignal
  /** Looks again when it is time, without waiting for the answer; hands the progress on. */
  onProgress(progress: Progress): void
}

/** Runs `work`. What `look` throws ends it and is thrown, whatever `work` makes of it. `now`: milliseconds since 1970. */
export async function watched<Result>(
  look: () => Promise<void>,
  { signal, onProgress, now }: JobOptions & { now(): number },
  work: (job: Watched) => Promise<Result>,
): Promise<Result> {
  await look()
  const stop = new AbortController()
  let failure: { error: unknown } | undefined
  let looking: Promise<void> | undefined
  let last = now()
  const lookAgain = () => {
    if (looking || failure || now() - last < INTERVAL_MS) return
    looking = look().then(
      () => {
        looking = undefined
        last = now()
      },
      (error: unknown) => {
        failure = { error }
        stop.abort(error)
      },
    )
  }
  try {
    const result = await work({
      signal: signal ? AbortSignal.any([signal, stop.signal]) : stop.signal,
      onProgress(progress) {
        onProgress?.(progress)
        lookAgain()
      },
    })
    await looking
    if (!failure) await look()
    if (!failure) return result
  } catch (error) {
    failure ??= { error }
  }
  throw failure.error
}
