/** A buffer of the core for whatever comes next. */
import type { Core, CoreBuffer } from '../contract/core.ts'

export interface GrowingBuffer {
  /** The buffer, made anew when it is shorter than `length`. What was in it may be lost. */
  atLeast(length: number): CoreBuffer
  free(): void
}

export function createGrowingBuffer(core: Core): GrowingBuffer {
  let buffer: CoreBuffer | undefined
  const free = () => {
    buffer?.free()
    buffer = undefined
  }
  return {
    atLeast(length) {
      if (buffer && buffer.length >= length) return buffer
      free()
      buffer = core.buffer(length)
      return buffer
    },
    free,
  }
}
