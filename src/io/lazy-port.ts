/** A worker that is started by its first call: listing backups with a key file needs none. */
import { BlockvaultError } from '../contract/errors.ts'
import type { Port } from '../contract/port.ts'
import type { MaybePromise } from '../contract/volume.ts'

export function createLazyPort(spawn: () => MaybePromise<Port>): Port {
  let port: Promise<Port> | undefined
  let closed = false
  const started = () => (port ??= (async () => spawn())())
  return {
    start() {
      if (!closed) started().catch(() => {}) // the first call reports it
    },
    async call(operation, argument, transfer) {
      if (closed) throw new BlockvaultError('WORKER_FAILED', 'The worker was closed.')
      return (await started()).call(operation, argument, transfer)
    },
    async close() {
      closed = true
      // One that could not be started has told its callers why; there is nothing to close.
      const started = await port?.catch(() => undefined)
      await started?.close()
    },
  }
}
