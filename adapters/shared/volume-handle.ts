/**
 * A volume's handle over one file's system calls: whole reads and writes, bounds, zero fill, errors with their place. Synchronous, for use
 * inside workers. What the calls are, an adapter says (`volumes.ts`).
 */
import { Buffer } from 'node:buffer'
import { BlockvaultError } from '../../src/contract/errors.ts'
import type { VolumeHandle, VolumeHost, VolumeKind, VolumeMode } from '../../src/contract/volume.ts'
import { fromSystem, SOURCE_ERRORS, TARGET_ERRORS } from '../node/system-error.ts'

/** A file that a runtime has opened. Calls may transfer less than asked, and throw the system's error. */
export interface SystemFile {
  readonly kind: VolumeKind
  /** Bytes. */
  readonly size: number
  /** 0 at the end. */
  read(into: Uint8Array, offset: number): number
  write(bytes: Uint8Array, offset: number): number
  /** Past the page cache. True when all of `bytes` was written; false when nothing is known to be written. */
  writeDirect(bytes: Uint8Array, offset: number): boolean
  /** Makes the range, in whole blocks of 4 KiB, read as zeros and gives its space back. False, or absent: write zeros instead. */
  punch?(offset: number, length: number): boolean
  sync(): void
  close(): void
}

export interface FileSystem {
  /**
   * Opens the path; with `create`, makes it with mode 0600 and `size` bytes, and leaves nothing there when it fails. `undefined` for what is
   * neither a regular file nor a block device.
   */
  open(path: string, mode: VolumeMode, size: number): SystemFile | undefined
}

/** Zero-fill unit: read, compare, and written only when it is not zero already. */
const ZERO_BYTES = 1024 * 1024
const ZEROS = new Uint8Array(ZERO_BYTES)
/** Holes are whole blocks; what a device fails to read is found in steps of one. */
const BLOCK_BYTES = 4096

export function volumeHost(system: FileSystem): VolumeHost {
  return {
    open(path, { mode, size = 0 }) {
      const errors = mode === 'read' ? SOURCE_ERRORS : TARGET_ERRORS
      let file: SystemFile | undefined
      try {
        if (mode === 'create' && !(Number.isSafeInteger(size) && size >= 0)) throw new RangeError(`A file can not have ${size} bytes.`)
        file = system.open(path, mode, size)
      } catch (error) {
        throw fromSystem(error, errors, `Opening ${path}`, { path })
      }
      if (file) return handleOf(file, path)
      const code = mode === 'read' ? 'SOURCE_UNSUPPORTED' : 'TARGET_UNSUPPORTED'
      throw new BlockvaultError(code, `${path} is neither a regular file nor a block device.`, { details: { path } })
    },
  }
}

function handleOf(file: SystemFile, path: string): VolumeHandle {
  const { kind, size } = file
  let scratch: Uint8Array<ArrayBuffer> | undefined

  const readAt = (into: Uint8Array, offset: number): number => {
    let got = 0
    while (got < into.length) {
      let count: number
      try {
        count = file.read(into.subarray(got), offset + got)
      } catch (error) {
        const at = failingOffset(file, offset + got, into.length - got)
        throw fromSystem(error, { ...SOURCE_ERRORS, codes: {} }, `Reading ${path} at offset ${at}`, { path, offset: at })
      }
      if (count === 0) break
      got += count
    }
    return got
  }
  /** Of what can not be read nothing is known, but it can be written: that is how a disk replaces a bad sector. */
  const readsZero = (piece: Uint8Array, offset: number): boolean => {
    try {
      return readAt(piece, offset) === piece.length && Buffer.compare(piece, ZEROS.subarray(0, piece.length)) === 0
    } catch {
      return false
    }
  }
  const writeAt = (bytes: Uint8Array, offset: number): void => {
    if (offset + bytes.length > size)
      throw new BlockvaultError('TARGET_TOO_SMALL', `${path} ends at ${size}, a write would go to ${offset + bytes.length}.`, {
        details: { path, offset, size },
      })
    if (file.writeDirect(bytes, offset)) return
    for (let put = 0; put < bytes.length; ) {
      try {
        put += file.write(bytes.subarray(put), offset + put)
      } catch (error) {
        throw fromSystem(error, TARGET_ERRORS, `Writing ${path} at offset ${offset + put}`, { path, offset: offset + put })
      }
    }
  }
  const writeZeros = (from: number, to: number): void => {
    scratch ??= new Uint8Array(ZERO_BYTES)
    for (let at = from; at < to; at += ZERO_BYTES) {
      const piece = scratch.subarray(0, Math.min(ZERO_BYTES, to - at))
      if (!readsZero(piece, at)) writeAt(ZEROS.subarray(0, piece.length), at)
    }
  }
  return {
    kind,
    size,
    readAt,
    writeAt,
    zeroAt(offset, length) {
      const end = offset + length
      const first = Math.ceil(offset / BLOCK_BYTES) * BLOCK_BYTES
      const last = Math.floor(Math.min(end, size) / BLOCK_BYTES) * BLOCK_BYTES
      if (first < last && file.punch?.(first, last - first)) {
        writeZeros(offset, first)
        writeZeros(last, end)
      } else writeZeros(offset, end)
    },
    flush() {
      try {
        file.sync()
      } catch (error) {
        throw fromSystem(error, TARGET_ERRORS, `Flushing ${path} to disk`, { path })
      }
    },
    close: () => file.close(),
  }
}

/** A long read fails as a whole: finds the first block that does, so that the error names the place. */
function failingOffset(file: SystemFile, offset: number, length: number): number {
  const block = new Uint8Array(BLOCK_BYTES)
  for (let at = offset; at < offset + length; at += BLOCK_BYTES) {
    try {
      file.read(block.subarray(0, Math.min(BLOCK_BYTES, offset + length - at)), at)
    } catch {
      return at
    }
  }
  return offset
}
