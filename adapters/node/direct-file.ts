/**
 * Writes that bypass the page cache (O_DIRECT): the device reads straight from WASM memory. A restore writes gigabytes that
 * nobody reads back soon; through the page cache they cost a copy, evict what others use, and wait for the flush at the end.
 *
 * Only whole 4 KiB blocks from WASM memory qualify (its base is page-aligned, so an offset tells the alignment); whatever else
 * there is, and file systems without O_DIRECT, go the usual way.
 */
import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { systemCode } from './system-error.ts'

const ALIGNMENT = 4096

export interface DirectFile {
  /** True when all of `bytes` was written. False: nothing is known to be written, use the other way. */
  write(bytes: Uint8Array, offset: number): boolean
  close(): void
}

export function openDirect(path: string): DirectFile | undefined {
  if (constants.O_DIRECT === undefined) return undefined
  let fd: number
  try {
    fd = openSync(path, constants.O_WRONLY | constants.O_DIRECT)
  } catch {
    return undefined
  }
  let usable = true
  return {
    write(bytes, offset) {
      if (!usable || offset % ALIGNMENT !== 0 || bytes.length % ALIGNMENT !== 0 || bytes.byteOffset % ALIGNMENT !== 0) return false
      try {
        let put = 0
        // A short write ends on a block boundary, or the next one fails and the other way takes over.
        while (put < bytes.length) put += writeSync(fd, bytes, put, bytes.length - put, offset + put)
        return true
      } catch (error) {
        // EINVAL: the file system or device wants another alignment. Real failures come back from the other way, with their place.
        if (systemCode(error) === 'EINVAL') usable = false
        return false
      }
    },
    close: () => closeSync(fd),
  }
}
