/**
 * Where the plain bytes of an object go, of which parts are wanted: to an open volume, or back to the caller.
 *
 * Invariant: nothing outside the wanted ranges is written, and what is zero is made zero: on a volume that had other content by writing
 * or punching, on one that reads as zeros by leaving it.
 */
import type { CoreBuffer } from '../contract/core.ts'
import type { VolumeHandle } from '../contract/volume.ts'
import { type OpenVolumes, volumeOf } from '../io/volume-operations.ts'
import { zeroRuns } from './zeros.ts'

export interface SinkOptions {
  /** Parts of the object that are wanted: offset in it and length in turn, in ascending order. */
  ranges: Float64Array
  /** An open volume, written at `offset` + the place in the object. Without it the bytes are returned. */
  volume?: { volume: number; offset: number; startsZero: boolean }
}

export interface ObjectSink {
  readonly writtenBytes: number
  /** The object's next bytes: `length` from `from` of `buffer`, at `at` of the object. */
  pass(buffer: CoreBuffer, from: number, length: number, at: number): Promise<void>
  /** What was wanted and goes back to the caller, since the last call. */
  take(): Uint8Array<ArrayBuffer>[]
}

export function createObjectSink({ ranges, volume }: SinkOptions, open: OpenVolumes): ObjectSink {
  let next = 0
  let writtenBytes = 0
  let collected: Uint8Array<ArrayBuffer>[] = []

  const give = async (bytes: (from: number, length: number) => Uint8Array<ArrayBuffer>, at: number, length: number) => {
    if (!volume) return void collected.push(bytes(0, length).slice())
    const target = volumeOf(open, volume.volume)
    writtenBytes += await write(target, bytes, volume.offset + at, length, volume.startsZero)
  }
  return {
    get writtenBytes() {
      return writtenBytes
    },
    async pass(buffer, from, length, at) {
      const end = at + length
      while (next < ranges.length) {
        const start = ranges[next]!
        const stop = start + ranges[next + 1]!
        if (start >= end) return
        const first = Math.max(start, at)
        const last = Math.min(stop, end)
        await give((offset, count) => buffer.bytes(from + first - at + offset, count), first, last - first)
        if (stop > end) return
        next += 2
      }
    },
    take() {
      const taken = collected
      collected = []
      return taken
    },
  }
}

/** Returns how many bytes were written, zeros aside. */
async function write(
  target: VolumeHandle,
  bytes: (from: number, length: number) => Uint8Array<ArrayBuffer>,
  offset: number,
  length: number,
  startsZero: boolean,
): Promise<number> {
  let written = 0
  for (const run of [...zeroRuns(bytes(0, length), offset)]) {
    if (!run.zero) {
      await target.writeAt(bytes(run.start, run.length), offset + run.start)
      written += run.length
    } else if (!startsZero) await target.zeroAt(offset + run.start, run.length)
  }
  return written
}
