/**
 * Gathers wanted chunks by the frame that holds them, and frames by the pack they lie in, so that each frame is read,
 * decrypted and decompressed once however its chunks are scattered over the volume.
 */
import type { ChunkIndex, ChunkPlace } from '../contract/core.ts'
import type { Platform } from '../contract/platform.ts'
import { toHex } from '../core/bytes.ts'
import { type FrameRequest, WRITE_FIELDS } from '../pipeline/decode-operations.ts'

/** Stored bytes read in one piece where the platform asks for no other length. Large enough that a disk streams, small enough to share the work evenly. */
const BATCH_BYTES = 4 * 1024 * 1024
/** Chunks that are planned where the platform asks for no other number: 8 GiB of volume at 64 KiB, some 30 MiB of memory. */
const PLAN_CHUNKS = 128 * 1024
/** Unwanted bytes that are read along rather than starting another read. */
const GAP_BYTES = 128 * 1024

interface WantedFrame {
  pack: number
  place: ChunkPlace
  /** Chunk offset in the frame → its position below. */
  positions: Map<number, number>
  chunks: number[]
  fingerprints: Uint8Array[]
  changeTags: Uint8Array[]
  writes: number[]
}

/** A run of frames of one pack, read by one range request. */
export interface FetchBatch {
  /** Pack id, hex. */
  packId: string
  offset: number
  length: number
  frames: PlannedFrame[]
}

/** A frame request whose fingerprints and change tags are still apart. */
export type PlannedFrame = Omit<FrameRequest, 'fingerprints' | 'changeTags'> & { fingerprints: readonly Uint8Array[]; changeTags: readonly Uint8Array[] }

export interface FetchPlan {
  /** As many chunks are wanted as the platform has memory for, repeats counted: read them first. */
  readonly full: boolean
  /**
   * Wants a chunk, checked by its fingerprint, or by its change tag for all chunks of a plan. With `write`, a range of it goes to an
   * offset of the target.
   */
  want(place: ChunkPlace, chunk: { fingerprint: Uint8Array; changeTag?: Uint8Array | undefined }, write?: { from: number; length: number; to: number }): void
  /** The reads, in pack order, each of at most `plainBytesMax` (any length by default) when decoded, or one frame. Empties the plan. */
  batches(index: ChunkIndex, plainBytesMax?: number): FetchBatch[]
}

export function createFetchPlan({ batchBytes = BATCH_BYTES, planChunks = PLAN_CHUNKS }: Pick<Platform, 'batchBytes' | 'planChunks'> = {}): FetchPlan {
  const frames = new Map<string, WantedFrame>()
  let chunks = 0
  return {
    get full() {
      return chunks >= planChunks
    },
    want(place, { fingerprint, changeTag }, write) {
      const slot = `${place.pack}/${place.frame}`
      let frame = frames.get(slot)
      if (!frame) frames.set(slot, (frame = { pack: place.pack, place, positions: new Map(), chunks: [], fingerprints: [], changeTags: [], writes: [] }))
      let position = frame.positions.get(place.chunkOffset)
      if (position === undefined) {
        position = frame.positions.size
        frame.positions.set(place.chunkOffset, position)
        frame.chunks.push(place.chunkOffset, place.chunkBytes)
        frame.fingerprints.push(fingerprint)
        if (changeTag) frame.changeTags.push(changeTag)
      }
      if (write) frame.writes.push(position, write.from, write.length, write.to)
      chunks++
    },
    batches(index, plainBytesMax = Number.POSITIVE_INFINITY) {
      const sorted = [...frames.values()].sort((left, right) => left.pack - right.pack || left.place.frameOffset - right.place.frameOffset)
      frames.clear()
      chunks = 0
      const batches: (FetchBatch & { pack: number; plainBytes: number })[] = []
      for (const frame of sorted) {
        const { frameOffset, frameStoredBytes, framePlainBytes } = frame.place
        const last = batches.at(-1)
        const end = last ? last.offset + last.length : 0
        const follows = last && last.pack === frame.pack && frameOffset - end <= GAP_BYTES && last.plainBytes + framePlainBytes <= plainBytesMax
        if (follows && frameOffset + frameStoredBytes - last.offset <= batchBytes) {
          last.frames.push(request(frame, last.offset))
          last.length = frameOffset + frameStoredBytes - last.offset
          last.plainBytes += framePlainBytes
        } else {
          batches.push({
            pack: frame.pack,
            packId: toHex(index.packId(frame.pack)),
            offset: frameOffset,
            length: frameStoredBytes,
            plainBytes: framePlainBytes,
            frames: [request(frame, frameOffset)],
          })
        }
      }
      return batches
    },
  }
}

function request(frame: WantedFrame, batchOffset: number): PlannedFrame {
  const { place, fingerprints, changeTags } = frame
  return {
    offset: place.frameOffset - batchOffset,
    storedBytes: place.frameStoredBytes,
    plainBytes: place.framePlainBytes,
    codec: place.codec,
    number: place.frame,
    chunks: Uint32Array.from(frame.chunks),
    fingerprints,
    changeTags,
    writes: writesInOrder(frame.writes),
  }
}

/** By offset in the frame, so that neighbours in frame and volume become one write. */
function writesInOrder(writes: readonly number[]): Float64Array<ArrayBuffer> {
  const count = writes.length / WRITE_FIELDS
  const order = Array.from({ length: count }, (_, write) => write * WRITE_FIELDS).sort(
    (left, right) => (writes[left + 3] as number) - (writes[right + 3] as number),
  )
  const sorted = new Float64Array(writes.length)
  for (const [at, from] of order.entries())
    for (let field = 0; field < WRITE_FIELDS; field++) sorted[at * WRITE_FIELDS + field] = writes[from + field] as number
  return sorted
}
