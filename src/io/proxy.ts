/**
 * The caller's end of a worker. Invariant: every call settles: with its answer, or with WORKER_FAILED once the worker has
 * stopped, broken the protocol or been closed.
 */
import { BlockvaultError } from '../contract/errors.ts'
import type { Port } from '../contract/port.ts'
import { type Endpoint, errorFromRecord, isAnswer } from './protocol.ts'

interface PendingCall {
  resolve(value: unknown): void
  reject(error: unknown): void
}

export function createPort(endpoint: Endpoint): Port {
  const pending = new Map<number, PendingCall>()
  let calls = 0
  let failure: BlockvaultError | undefined

  const fail = (message: string, cause?: unknown) => {
    failure ??= new BlockvaultError('WORKER_FAILED', message, { cause })
    for (const call of pending.values()) call.reject(failure)
    pending.clear()
  }

  endpoint.listen(
    (message) => {
      const call = isAnswer(message) ? pending.get(message.answer) : undefined
      if (!isAnswer(message) || !call) {
        fail('A worker broke the protocol and was stopped. Run the job again; what was stored is kept.')
        void endpoint.close()
        return
      }
      pending.delete(message.answer)
      if ('error' in message) call.reject(errorFromRecord(message.error))
      else call.resolve(message.value)
    },
    (reason) => fail('A worker stopped unexpectedly. Run the job again; what was stored is kept.', reason),
  )

  return {
    call(operation, argument, transfer = []) {
      if (failure) return Promise.reject(failure)
      return new Promise((resolve, reject) => {
        const call = ++calls
        pending.set(call, { resolve, reject })
        try {
          endpoint.post({ call, operation, argument }, transfer)
        } catch (error) {
          pending.delete(call)
          reject(new BlockvaultError('INTERNAL', `A call to a worker could not be sent: ${operation}`, { cause: error }))
        }
      })
    },
    async close() {
      fail('The worker was closed.')
      await endpoint.close()
    },
  }
}
