/**
 * Decoded frames of one open backup, the last used first, so that neighbouring reads decode a frame once.
 *
 * Invariants: an entry says which chunks were checked when it was decoded, and is asked for those alone; a frame that no longer is kept, and
 * that nobody reads any more, gives its memory back at once.
 */
import { equalBytes } from '../core/bytes.ts'
import { discard } from '../pipeline/spare-buffers.ts'

export interface CachedFrame {
  /** Chunk offset in the frame → the fingerprint that the chunk there was checked against. */
  checked: ReadonlyMap<number, Uint8Array>
  plainBytes: number
  /** The plaintext; a frame that is just being decoded is shared by all who want it. */
  bytes: Promise<Uint8Array>
  /** Reads that copy out of it, each until it calls `release`. */
  readers: number
  /** No longer kept. */
  dropped: boolean
}

export interface WantedChunk {
  place: { chunkOffset: number }
  fingerprint: Uint8Array
}

export interface FrameCache {
  /** The frame, if every wanted chunk was checked in it. */
  find(slot: string, chunks: readonly WantedChunk[]): CachedFrame | undefined
  /** Keeps the frame, unless it turns out not to decode: the next read then tries again. */
  keep(slot: string, frame: CachedFrame): void
  /** One reader less. */
  release(frame: CachedFrame): void
  clear(): void
}

export function createFrameCache(bytesMax: number): FrameCache {
  const frames = new Map<string, CachedFrame>()
  let bytes = 0
  const drop = (slot: string, frame: CachedFrame) => {
    if (frames.get(slot) !== frame) return
    frames.delete(slot)
    bytes -= frame.plainBytes
    frame.dropped = true
    giveBack(frame)
  }
  return {
    find(slot, chunks) {
      const frame = frames.get(slot)
      if (!frame || !chunks.every(({ place, fingerprint }) => isChecked(frame, place.chunkOffset, fingerprint))) return undefined
      frames.delete(slot)
      frames.set(slot, frame)
      return frame
    },
    keep(slot, frame) {
      const before = frames.get(slot)
      if (before) drop(slot, before)
      frames.set(slot, frame)
      bytes += frame.plainBytes
      frame.bytes.catch(() => drop(slot, frame))
      for (const [oldest, other] of frames) {
        if (bytes <= bytesMax) break
        drop(oldest, other)
      }
    },
    release(frame) {
      frame.readers--
      giveBack(frame)
    },
    clear() {
      for (const [slot, frame] of frames) drop(slot, frame)
    },
  }
}

function giveBack({ readers, dropped, bytes }: CachedFrame): void {
  if (dropped && readers === 0) bytes.then(discard, () => {})
}

function isChecked({ checked }: CachedFrame, chunkOffset: number, fingerprint: Uint8Array): boolean {
  const known = checked.get(chunkOffset)
  return known !== undefined && equalBytes(known, fingerprint)
}
