/**
 * A typed remote operation: one name, the same types on both sides of a worker boundary.
 *
 * Invariant: the caller's `invoke` and the worker's `handle` take the same `Operation` value, so the compiler holds the
 * argument and result types together although everything between them is a structured clone.
 */
import type { Port } from '../contract/port.ts'
import type { MaybePromise } from '../contract/volume.ts'

export interface Operation<Argument, Result> {
  readonly name: string
  /** Only carries the types. */
  readonly types?: (argument: Argument) => Result
}

export function operation<Argument, Result>(name: string): Operation<Argument, Result> {
  return { name }
}

/** Runs `operation` behind `port`. `transfer` lists buffers of the argument that move instead of being copied. */
export function invoke<Argument, Result>(
  port: Port,
  operation: Operation<Argument, Result>,
  argument: Argument,
  transfer?: readonly ArrayBuffer[],
): Promise<Result> {
  return port.call(operation.name, argument, transfer) as Promise<Result>
}

/** Gives back what the operations hold: core memory, open volumes. A port without a worker of its own runs it when it is closed. */
export const release: Operation<void, void> = operation('release')

/** What a handler answers: the value, and the buffers in it that move to the caller. */
export interface Reply {
  value: unknown
  transfer: readonly ArrayBuffer[]
}

export type Handlers = Map<string, (argument: unknown) => MaybePromise<Reply>>

/** Registers the worker's side. `transferable` picks the buffers of a result that may move; none by default. */
export function handle<Argument, Result>(
  handlers: Handlers,
  operation: Operation<Argument, Result>,
  run: (argument: Argument) => MaybePromise<Result>,
  transferable: (result: Result) => readonly ArrayBuffer[] = () => [],
): void {
  handlers.set(operation.name, (argument) => {
    const result = run(argument as Argument)
    if (result instanceof Promise) return result.then((value) => ({ value, transfer: transferable(value) }))
    return { value: result, transfer: transferable(result) }
  })
}
