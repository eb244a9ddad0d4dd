/**
 * Ranges of the WASM core's memory: the only TypeScript that knows an address.
 *
 * Invariant: an address leaves this file only for a range that lies wholly inside one live buffer, and a view is made
 * anew each time it is asked for, because memory that grew detaches the views before. The binding's `unsafe` relies on it.
 */
import type { CoreBuffer } from '../contract/core.ts'
import { BlockvaultError } from '../contract/errors.ts'

/** What this file needs of the module's exports. */
export interface CoreExports {
  readonly memory: WebAssembly.Memory
  allocate(bytes: number): number
  release(address: number, bytes: number): void
}

/** A number that is an address in the module's memory, valid for the call it was asked for. */
export type Address = number & { readonly address: unique symbol }

export interface CoreMemory {
  buffer(length: number): CoreBuffer
  /** Address of a range of `buffer`. Throws INTERNAL when the buffer is not of this memory or the range is not inside it. */
  address(buffer: CoreBuffer, offset: number, length: number): Address
  /** A copy of bytes the core has answered an address for. */
  copy(address: number, length: number): Uint8Array<ArrayBuffer>
  /** A copy of 32-bit words the core has answered an address for. */
  copyWords(address: number, count: number): Uint32Array<ArrayBuffer>
}

export function coreMemory(exports: CoreExports): CoreMemory {
  const addresses = new WeakMap<CoreBuffer, number>()
  const view = (address: number, length: number) => new Uint8Array(exports.memory.buffer as ArrayBuffer, address, length)

  return {
    buffer(length) {
      if (!Number.isInteger(length) || length < 0) throw new BlockvaultError('INTERNAL', `A buffer cannot have ${length} bytes.`)
      // The binding has no empty ranges; one byte is the cheapest way to be without a special case.
      const allocated = Math.max(length, 1)
      const start = exports.allocate(allocated) >>> 0
      if (start === 0) {
        throw new BlockvaultError('INTERNAL', `The core has no memory left for a buffer of ${length} bytes: use fewer workers or smaller segments.`)
      }
      let freed = false
      const buffer: CoreBuffer = {
        length,
        bytes(offset = 0, count = length - offset) {
          return view(checkedAddress(freed ? undefined : start, length, offset, count), count)
        },
        free() {
          if (freed) return
          freed = true
          addresses.delete(buffer)
          exports.release(start, allocated)
        },
      }
      addresses.set(buffer, start)
      return buffer
    },
    address: (buffer, offset, length) => checkedAddress(addresses.get(buffer), buffer.length, offset, length),
    copy: (address, length) => view(address >>> 0, length).slice(),
    copyWords: (address, count) => new Uint32Array(exports.memory.buffer as ArrayBuffer, address >>> 0, count).slice(),
  }
}

function checkedAddress(start: number | undefined, bufferLength: number, offset: number, length: number): Address {
  if (start === undefined) throw new BlockvaultError('CLOSED', 'A core buffer was used after it was freed, or with another core.')
  const inside = Number.isInteger(offset) && Number.isInteger(length) && offset >= 0 && length >= 0 && offset + length <= bufferLength
  if (!inside) {
    throw new BlockvaultError('INTERNAL', `The range ${offset}+${length} is not inside a core buffer of ${bufferLength} bytes.`, {
      details: { offset, length, bufferLength },
    })
  }
  return (start + offset) as Address
}
