/** The same operations without a worker: for `workers: 0`, for hosts that have none, and as the workers' oracle in tests. */
import { BlockvaultError } from '../contract/errors.ts'
import type { Port } from '../contract/port.ts'
import type { Handlers } from './operation.ts'
import { errorFromRecord, errorRecord } from './protocol.ts'
import { createQueue } from './server.ts'

export function createInlinePort(handlers: Handlers): Port {
  const run = createQueue(handlers)
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
      closed = true
    },
  }
}
