/** Objects that are decoded, spread over the workers. */
import type { Port } from '../contract/port.ts'

/** Objects a worker has at once: while one is opened or read, the other is decoded. */
const OBJECTS_A_WORKER = 2

/**
 * Calls `work` for 0 to `count` - 1, in ascending order, a few at once, each with a worker of its own choice. The first failure fires `stop` for
 * the others; when all have ended it is thrown.
 */
export async function overWorkers(
  count: number,
  ports: readonly Port[],
  signal: AbortSignal | undefined,
  work: (index: number, port: Port, stop: AbortSignal) => Promise<void>,
): Promise<void> {
  const failing = new AbortController()
  const stop = signal ? AbortSignal.any([signal, failing.signal]) : failing.signal
  let next = 0
  let failure: { error: unknown } | undefined
  const lane = async (port: Port) => {
    while (next < count && !failure) {
      try {
        await work(next++, port, stop)
      } catch (error) {
        failure ??= { error }
        failing.abort(error)
      }
    }
  }
  // One lane for each worker first: the largest objects are mostly the first ones.
  await Promise.all(Array.from({ length: OBJECTS_A_WORKER }, () => ports.map(lane)).flat())
  if (failure) throw failure.error
}
