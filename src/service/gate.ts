/** Lets so many jobs move data at once; the others wait in the order they came. Cinder's `limit_operations`. */
import { cancelled, throwIfCancelled } from '../contract/errors.ts'

export interface Gate {
  /** Runs `work` when there is a place. One that waits leaves the queue when its signal fires. @throws CANCELLED */
  pass<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result>
}

/** `places`: 0 for no limit. */
export function createGate(places: number): Gate {
  let inside = 0
  const waiting: (() => void)[] = []

  /** Resolves inside; rejects outside, when the signal fires first. */
  const enter = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const called = () => {
        signal.removeEventListener('abort', leave)
        inside++
        resolve()
      }
      const leave = () => {
        waiting.splice(waiting.indexOf(called), 1)
        reject(cancelled(signal))
      }
      waiting.push(called)
      signal.addEventListener('abort', leave, { once: true })
    })

  return {
    async pass(signal, work) {
      throwIfCancelled(signal)
      if (places > 0 && inside >= places) await enter(signal)
      else inside++
      try {
        return await work()
      } finally {
        inside--
        waiting.shift()?.()
      }
    },
  }
}
