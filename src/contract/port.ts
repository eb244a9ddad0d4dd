/** The caller's end of a worker (or of the same operations inline): calls in, results out, in order. */
export interface Port {
  /**
   * Runs `operation` in the worker. Calls on one port run strictly one after the other, in call order.
   * `transfer` lists buffers that move instead of being copied. Rejects with the worker's error, or WORKER_FAILED when
   * the worker dies or answers nonsense.
   */
  call(operation: string, argument: unknown, transfer?: readonly ArrayBuffer[]): Promise<unknown>
  /** Starts the worker now rather than with the first call. */
  start?(): void
  /** Ends the worker; pending calls reject with WORKER_FAILED. */
  close(): Promise<void>
}
