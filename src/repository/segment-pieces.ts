/**
 * The stored chunks of a volume by its segments, those of the last segments kept: small reads ask for the same segment again and again, and
 * each walk from the root costs as much as a copy of some hundred KiB.
 *
 * Invariant: a chunk lies in one segment (docs/format.md), so the chunks of a range are those of its segments.
 */
import { type MapPiece, type MapRoot, walkMap } from './volume-map.ts'

/** Kept pieces, some 250 bytes each: 128 segments of 4 MiB in chunks of 64 KiB. */
const PIECES_MAX = 8192

export interface SegmentPieces {
  /** Stored chunks that touch the range, in volume order. Beyond the end of the volume there are none. */
  between(from: number, to: number): Promise<MapPiece[]>
}

export interface SegmentPiecesOptions {
  volumeBytes: number
  segmentBytes: number
  /** A stored chunk's bytes, checked against its fingerprint. */
  read(fingerprint: Uint8Array): Promise<Uint8Array>
}

export function createSegmentPieces(root: MapRoot, { volumeBytes, segmentBytes, read }: SegmentPiecesOptions): SegmentPieces {
  const kept = new Map<number, { pieces: Promise<MapPiece[]>; count: number }>()
  let count = 0
  const drop = (segment: number) => {
    count -= kept.get(segment)?.count ?? 0
    kept.delete(segment)
  }
  const walk = async (segment: number): Promise<MapPiece[]> => {
    const offset = segment * segmentBytes
    const range = { offset, length: Math.min(segmentBytes, volumeBytes - offset) }
    const pieces: MapPiece[] = []
    for await (const piece of walkMap(root, read, { volumeBytes, segmentBytes, range })) if (piece.fingerprint) pieces.push(piece)
    return pieces
  }
  const ofSegment = (segment: number): Promise<MapPiece[]> => {
    const known = kept.get(segment)
    if (known) {
      kept.delete(segment)
      kept.set(segment, known)
      return known.pieces
    }
    const entry = { pieces: walk(segment), count: 1 }
    kept.set(segment, entry)
    count++
    entry.pieces.then(
      ({ length }) => {
        if (kept.get(segment) !== entry) return
        entry.count += length
        count += length
        for (const oldest of kept.keys()) {
          if (count <= PIECES_MAX || oldest === segment) break
          drop(oldest)
        }
      },
      // The next read tries again.
      () => drop(segment),
    )
    return entry.pieces
  }
  return {
    async between(from, to) {
      const end = Math.min(to, volumeBytes)
      if (end <= from) return []
      const first = Math.floor(from / segmentBytes)
      const found = await Promise.all(Array.from({ length: Math.max(0, Math.ceil(end / segmentBytes) - first) }, (_, index) => ofSegment(first + index)))
      return found.flat().filter(({ offset, length }) => offset < end && offset + length > from)
    },
  }
}
