/** Holes by fallocate(2), which Bun can call: the space of what is zero goes back to the file system, or to a thin device. */
/// <reference path="./bun-ffi.d.ts" />
import { dlopen } from 'bun:ffi'
import type { PunchHole } from '../node/volumes.ts'

/** FALLOC_FL_PUNCH_HOLE and FALLOC_FL_KEEP_SIZE of linux/falloc.h. */
const PUNCH_HOLE_KEEP_SIZE = 0x02 | 0x01
/** Of glibc, and of musl. */
const LIBRARIES = ['libc.so.6', 'libc.so']

/** `undefined` where there is no such call. */
export function createPunchHole(): PunchHole | undefined {
  if (process.platform !== 'linux') return undefined
  for (const library of LIBRARIES) {
    try {
      const { fallocate } = dlopen(library, { fallocate: { args: ['i32', 'i32', 'i64', 'i64'], returns: 'i32' } }).symbols
      // Not 0: the file system or device has no holes, or the range is none. Then zeros are written.
      return (fd, offset, length) => fallocate(fd, PUNCH_HOLE_KEEP_SIZE, BigInt(offset), BigInt(length)) === 0
    } catch {
      // The other one.
    }
  }
  return undefined
}
