/**
 * What bounds requests: how many at once, how long without a byte, how long between attempts. Invariant: whoever waits here and cancels
 * is let go at once.
 */
import { cancelled } from '../contract/errors.ts'

/** Lets `most` in at once. `enter` resolves with what the caller calls when it leaves. */
export function createGate(most: number): { enter(signal: AbortSignal | undefined): Promise<() => void> } {
  const waiting = new Set<() => void>()
  let inside = 0
  const leave = () => {
    inside--
    const [next] = waiting
    if (!next) return
    waiting.delete(next)
    next()
  }
  return {
    async enter(signal) {
      if (inside < most) inside++
      else
        await new Promise<void>((resolve, reject) => {
          const stop = () => {
            waiting.delete(go)
            if (signal) reject(cancelled(signal))
          }
          const go = () => {
            signal?.removeEventListener('abort', stop)
            inside++
            resolve()
          }
          waiting.add(go)
          signal?.addEventListener('abort', stop, { once: true })
        })
      return leave
    },
  }
}

export interface Stall {
  /** Fires when too long nothing came, when the caller cancels, and at the end. */
  readonly signal: AbortSignal
  /** True when too long nothing came. */
  readonly gaveUp: boolean
  /** Something came: the time begins again. */
  heard(): void
  end(): void
}

/** Ends an attempt in which nothing comes for `timeoutMs`. */
export function createStall(timeoutMs: number, signal: AbortSignal | undefined): Stall {
  const controller = new AbortController()
  const abort = () => controller.abort(signal?.reason)
  if (signal?.aborted) abort()
  signal?.addEventListener('abort', abort, { once: true })
  let gaveUp = false
  let timer: ReturnType<typeof setTimeout> | undefined
  const heard = () => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      gaveUp = true
      controller.abort()
    }, timeoutMs)
  }
  heard()
  return {
    signal: controller.signal,
    get gaveUp() {
      return gaveUp
    },
    heard,
    end() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      controller.abort()
    },
  }
}

/** Rejects with CANCELLED when the signal fires first. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      if (signal) reject(cancelled(signal))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stop, { once: true })
  })
}
