/**
 * The worker's end: runs operations strictly one after the other, in the order they were asked for.
 *
 * The order is what makes the rest simple: a buffer slot may be reused as soon as the call that empties it is queued, and
 * frames reach a pack in the order of their nonces.
 */
import { BlockvaultError } from '../contract/errors.ts'
import type { Handlers, Reply } from './operation.ts'
import { type AnswerMessage, type Endpoint, errorRecord, isCall } from './protocol.ts'

/** Returns a function that queues one operation and resolves with its reply. `pause`, if given, comes before each. */
export function createQueue(handlers: Handlers, pause?: () => Promise<void>): (operation: string, argument: unknown) => Promise<Reply> {
  let last: Promise<unknown> = Promise.resolve()
  return (operation, argument) => {
    const reply = last.then(async () => {
      await pause?.()
      const handler = handlers.get(operation)
      if (!handler) throw new BlockvaultError('INTERNAL', `No such worker operation: ${operation}`)
      return handler(argument)
    })
    last = reply.catch(() => {})
    return reply
  }
}

/** Answers every call that arrives at `endpoint`. */
export function serve(endpoint: Endpoint, handlers: Handlers): void {
  const run = createQueue(handlers)
  endpoint.listen(
    (message) => {
      if (!isCall(message)) return
      const answer = (content: AnswerMessage, transfer: readonly ArrayBuffer[]) => endpoint.post(content, transfer)
      run(message.operation, message.argument).then(
        (reply) => answer({ answer: message.call, value: reply.value }, reply.transfer),
        (error: unknown) => answer({ answer: message.call, error: errorRecord(error) }, []),
      )
    },
    () => {},
  )
}
