/** Files and block devices as volume handles: synchronous, for use inside workers. */
import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, type Stats, unlinkSync, writeSync } from 'node:fs'
import { BlockvaultError } from '../../src/contract/errors.ts'
import type { VolumeHandle, VolumeHost, VolumeMode } from '../../src/contract/volume.ts'
import { deviceBytes } from './device.ts'
import { type DirectFile, openDirect } from './direct-file.ts'
import { fromSystem, SOURCE_ERRORS, TARGET_ERRORS } from './system-error.ts'

/** Zero-fill unit: read, compare, and written only when it is not zero already. */
const ZERO_BYTES = 1024 * 1024
const ZEROS = new Uint8Array(ZERO_BYTES)

const FLAGS: Record<VolumeMode, number> = { read: constants.O_RDONLY, write: constants.O_RDWR, create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL }

export function createVolumeHost(): VolumeHost {
  return {
    open(path, { mode, size = 0 }) {
      const errors = mode === 'read' ? SOURCE_ERRORS : TARGET_ERRORS
      let fd: number | undefined
      try {
        // O_NONBLOCK: opening a FIFO planted at the path must not wait for its other end.
        fd = openSync(path, FLAGS[mode] | (constants.O_NONBLOCK ?? 0), 0o600)
        if (mode === 'create') ftruncateSync(fd, size)
        return handleOf(fd, path, fstatSync(fd), errors, mode === 'read' ? undefined : openDirect(path))
      } catch (error) {
        if (fd !== undefined) closeSync(fd)
        if (fd !== undefined && mode === 'create') unlinkSync(path)
        throw fromSystem(error, errors, `Opening ${path}`, { path })
      }
    },
  }
}

function handleOf(fd: number, path: string, stats: Stats, errors: typeof SOURCE_ERRORS, direct: DirectFile | undefined): VolumeHandle {
  const kind = stats.isBlockDevice() ? 'block-device' : 'file'
  if (kind === 'file' && !stats.isFile()) {
    throw new BlockvaultError(errors === SOURCE_ERRORS ? 'SOURCE_UNSUPPORTED' : 'TARGET_UNSUPPORTED', `${path} is neither a regular file nor a block device.`, {
      details: { path },
    })
  }
  const size = kind === 'file' ? stats.size : deviceBytes(fd, stats.rdev)
  let scratch: Uint8Array<ArrayBuffer> | undefined

  const readAt = (into: Uint8Array, offset: number): number => {
    let got = 0
    while (got < into.length) {
      let count: number
      try {
        count = readSync(fd, into, got, into.length - got, offset + got)
      } catch (error) {
        const at = failingOffset(fd, offset + got, into.length - got)
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
    if (direct?.write(bytes, offset)) return
    for (let put = 0; put < bytes.length; ) {
      try {
        put += writeSync(fd, bytes, put, bytes.length - put, offset + put)
      } catch (error) {
        throw fromSystem(error, TARGET_ERRORS, `Writing ${path} at offset ${offset + put}`, { path, offset: offset + put })
      }
    }
  }
  return {
    kind,
    size,
    readAt,
    writeAt,
    zeroAt(offset, length) {
      scratch ??= new Uint8Array(ZERO_BYTES)
      for (let at = 0; at < length; at += ZERO_BYTES) {
        const piece = scratch.subarray(0, Math.min(ZERO_BYTES, length - at))
        if (!readsZero(piece, offset + at)) writeAt(ZEROS.subarray(0, piece.length), offset + at)
      }
    },
    flush() {
      try {
        fsyncSync(fd)
      } catch (error) {
        throw fromSystem(error, TARGET_ERRORS, `Flushing ${path} to disk`, { path })
      }
    },
    close() {
      direct?.close()
      closeSync(fd)
    },
  }
}

/** A long read fails as a whole: finds the first 4 KiB block that does, so that the error names the place. */
function failingOffset(fd: number, offset: number, length: number): number {
  const block = Buffer.allocUnsafe(4096)
  for (let at = offset; at < offset + length; at += block.length) {
    try {
      readSync(fd, block, 0, Math.min(block.length, offset + length - at), at)
    } catch {
      return at
    }
  }
  return offset
}
