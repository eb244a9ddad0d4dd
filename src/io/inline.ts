/**
 * The same operations without a worker: for `workers: 0`, for hosts that have none, and as the workers' oracle in tests.
 *
 * Invariant: however many calls follow each other, the event loop gets its turn between them. Operations that run to their
 * end at once are chained by microtasks alone, which would keep timers, signals and the cipher's answers out until the job ends.
 */
import { BlockvaultError } from '../contract/errors.ts'
import type { Port } from '../contract/port.ts'
import { type Handlers, release } from './operation.ts'
import { errorFromRecord, errorRecord } from './protocol.ts'
import { createQueue } from './server.ts'

/** Longest the event loop waits beyond the step that is running. */
const TURN_MS = 10
/** Steps between two turns at most: edge workers stop the clock while code runs. A step takes 1 to 5 ms. */
const STEPS_MAX = 8

/** Called between steps: gives the event loop its turn when one is due. */
export function createTurns(): () => Promise<void> {
  let turnAt = performance.now()
  let steps = 0
  return async () => {
    if (++steps < STEPS_MAX && performance.now() - turnAt < TURN_MS) return
    await turn()
    turnAt = performance.now()
    steps = 0
  }
}

/** `turns` may be shared with handlers whose calls take several steps. */
export function createInlinePort(handlers: Handlers, turns: () => Promise<void> = createTurns()): Port {
  const run = createQueue(handlers, turns)
  let closed = false
  return {
    async call(operation, argument) {
      if (closed) throw new BlockvaultError('WORKER_FAILED', 'The worker was closed.')
      try {
        return (await run(operation, argument)).value
      } catch (error) {
        throw errorFromRecord(errorRecord(error))
      }
    },
    async close() {
      if (closed) return
      closed = true
      if (handlers.has(release.name)) await run(release.name, undefined)
    },
  }
}

/** One turn of the event loop. A timer would do too, but takes a millisecond. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(null)
  })
}
