/** Where a worker gets a segment from: a volume it has open, or bytes that the main thread read. */
import type { CoreBuffer } from '../contract/core.ts'
import { BlockvaultError } from '../contract/errors.ts'
import type { MaybePromise, VolumeFile } from '../contract/volume.ts'
import { type OpenVolumes, volumeOf } from '../io/volume-operations.ts'

export type SegmentInput = { volume: number; offset: number; length: number } | { bytes: Uint8Array<ArrayBuffer> }

/** Reads a segment on the main thread, for a `VolumeFile` that no worker has open. @throws SOURCE_CHANGED when it ends before */
export async function readSegment(file: VolumeFile, offset: number, length: number): Promise<SegmentInput> {
  const bytes = await file.readAt(offset, length)
  if (bytes.length < length) throw shrank(offset + bytes.length, file.size)
  // They are ours (see `VolumeFile.readAt`) and move to a worker; a view of something larger is copied first.
  return { bytes: bytes.length === bytes.buffer.byteLength ? bytes : bytes.slice() }
}

/** What moves with an input instead of being copied. */
export function transferOf(input: SegmentInput): ArrayBuffer[] {
  return 'bytes' in input ? [input.bytes.buffer] : []
}

export interface SegmentReader {
  length: number
  /** Reads `length` bytes at `from` of the segment to `at` of the buffer. */
  read(into: CoreBuffer, at: number, from: number, length: number): MaybePromise<void>
}

/** Reads a segment piece by piece into the core's memory. A volume that ends early shrank while it was read. */
export function segmentReader(input: SegmentInput, open: OpenVolumes): SegmentReader {
  if ('bytes' in input) {
    return { length: input.bytes.length, read: (into, at, from, length) => into.bytes(at, length).set(input.bytes.subarray(from, from + length)) }
  }
  const { volume, offset, length } = input
  const source = volumeOf(open, volume)
  return {
    length,
    async read(into, at, from, length) {
      for (let got = 0; got < length; ) {
        const count = await source.readAt(into.bytes(at + got, length - got), offset + from + got)
        if (count === 0) throw shrank(offset + from + got, source.size)
        got += count
      }
    },
  }
}

function shrank(offset: number, size: number): BlockvaultError {
  return new BlockvaultError(
    'SOURCE_CHANGED',
    `The volume shrank while it was read: it ends at offset ${offset}, ${size} bytes were expected. No backup was recorded.`,
    {
      details: { offset, size },
    },
  )
}
