/**
 * Where a restored chain is written: by the workers, where they have the volume open themselves, or through any `VolumeFile`.
 *
 * Invariant: only the ranges asked for are written. Zeros are made zeros, but on a target that reads as zeros they are left alone.
 */
import type { Port } from '../contract/port.ts'
import type { VolumeFile } from '../contract/volume.ts'
import { pooledVolumeOf } from '../io/volume-file.ts'
import type { DecodedObjectPart } from '../pipeline/object-decoder.ts'
import type { SinkOptions } from '../pipeline/object-sink.ts'
import { zeroRuns } from '../pipeline/zeros.ts'
import type { Extent } from './extents.ts'

export interface ObjectWrites {
  sink: SinkOptions
  onPart(part: DecodedObjectPart): Promise<void>
  /** Bytes that went out, zeros aside. */
  readonly writtenBytes: number
}

export interface RestoreTarget {
  /** Bytes. */
  readonly size: number
  /** For one object: `ranges` of the volume, in ascending order, from the object whose first byte belongs at `offset`. */
  writes(offset: number, ranges: readonly Extent[]): ObjectWrites
  /** What was written survives a power cut. */
  flush(): Promise<void>
}

export function restoreTarget(file: VolumeFile, ports: readonly Port[], startsZero: boolean): RestoreTarget {
  const pooled = pooledVolumeOf(file, ports)
  return {
    size: file.size,
    writes: (offset, ranges) => (pooled ? byWorkers(pooled.volume, offset, ranges, startsZero) : byHandle(file, offset, ranges, startsZero)),
    flush: () => file.flush(),
  }
}

function inObject(offset: number, ranges: readonly Extent[]): Float64Array {
  return Float64Array.from(ranges.flatMap((range) => [range.offset - offset, range.length]))
}

function byWorkers(volume: number, offset: number, ranges: readonly Extent[], startsZero: boolean): ObjectWrites {
  let writtenBytes = 0
  return {
    sink: { ranges: inObject(offset, ranges), volume: { volume, offset, startsZero } },
    async onPart(part) {
      writtenBytes = part.writtenBytes
    },
    get writtenBytes() {
      return writtenBytes
    },
  }
}

function byHandle(file: VolumeFile, offset: number, ranges: readonly Extent[], startsZero: boolean): ObjectWrites {
  let writtenBytes = 0
  let next = 0
  /** How much of the next range is written. */
  let done = 0
  const write = async (position: number, bytes: Uint8Array) => {
    for (const { start, length, zero } of zeroRuns(bytes, position)) {
      if (!zero) {
        await file.writeAt(position + start, bytes.subarray(start, start + length))
        writtenBytes += length
      } else if (!startsZero) await file.punchHole(position + start, length)
    }
  }
  return {
    sink: { ranges: inObject(offset, ranges) },
    async onPart({ collected }) {
      for (let at = 0; at < collected.length; ) {
        const range = ranges[next]!
        const length = Math.min(range.length - done, collected.length - at)
        await write(range.offset + done, collected.subarray(at, at + length))
        at += length
        done += length
        if (done < range.length) continue
        next++
        done = 0
      }
    },
    get writtenBytes() {
      return writtenBytes
    },
  }
}
