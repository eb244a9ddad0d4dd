/**
 * The end of a cancelled job whose worker does not answer. A job that is cancelled waits for the calls that run, and a read of a dying disk can
 * take for ever: nothing stops that one, but nobody has to wait for it.
 */
import { cancelled } from '../contract/errors.ts'

/** Milliseconds that a cancelled job has to end by itself. Its calls move 4 MiB each: what is not done then hangs. */
const ENDING_MS_MAX = 30_000

/** What `run` comes to. When it has not ended so long after `signal` fired, `giveUp` ends the workers, and with their calls the job: CANCELLED. */
export async function endedInTime<Result>(run: Promise<Result>, signal: AbortSignal | undefined, giveUp: () => void): Promise<Result> {
  if (!signal) return run
  let timer: ReturnType<typeof setTimeout> | undefined
  let gaveUp = false
  const arm = () => {
    timer = setTimeout(() => {
      gaveUp = true
      giveUp()
    }, ENDING_MS_MAX)
  }
  if (signal.aborted) arm()
  else signal.addEventListener('abort', arm, { once: true })
  try {
    return await run
  } catch (error) {
    throw gaveUp ? cancelled(signal) : error
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', arm)
  }
}
