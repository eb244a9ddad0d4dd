/** What a format brings to `streams.ts`: its own steps, over bytes and room that are lent to it. */
import type { OutputWindow } from './output-window.ts'

export interface Unpacker {
  /**
   * Takes a step or several and returns how many bytes of `input` it used. The rest comes again, with more behind it. No byte used and
   * nothing written means that `input` is too short for a step. Throws OBJECT_DAMAGED.
   */
  unpack(input: Uint8Array, window: OutputWindow): number
  /** Whether the stream may end here. */
  readonly whole: boolean
}
