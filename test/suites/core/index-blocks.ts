/** Writes index blocks (docs/format.md, "Index block"), sound ones and, given absurd values, damaged ones. */

export interface PackSample {
  id: Uint8Array
  bytes: number
  frames: FrameSample[]
}

export interface FrameSample {
  storedBytes: number
  /** By default the sum of its chunks. */
  plainBytes?: number
  codec: number
  /** 0 unless it is to be wrong. */
  padding?: number
  chunks: { bytes: number; fingerprint: Uint8Array }[]
}

export function packSample(number: number, frames: FrameSample[], spare = 0): PackSample {
  return { id: new Uint8Array(16).fill(number), bytes: 24 + frames.reduce((sum, frame) => sum + frame.storedBytes, spare), frames }
}

export function indexBlock(packs: PackSample[]): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [...u32(packs.length)]
  for (const pack of packs) {
    bytes.push(...pack.id, ...u32(pack.bytes), ...u32(pack.frames.length))
    for (const frame of pack.frames) {
      const plainBytes = frame.plainBytes ?? frame.chunks.reduce((sum, chunk) => sum + chunk.bytes, 0)
      bytes.push(...u32(frame.storedBytes), ...u32(plainBytes), frame.codec, frame.padding ?? 0, ...u32(frame.chunks.length).slice(0, 2))
      for (const chunk of frame.chunks) bytes.push(...u32(chunk.bytes), ...chunk.fingerprint)
    }
  }
  return Uint8Array.from(bytes)
}

/** `block` with the four bytes at `offset` replaced. */
export function withU32(block: Uint8Array, offset: number, value: number): Uint8Array {
  const changed = block.slice()
  changed.set(u32(value), offset)
  return changed
}

function u32(value: number): number[] {
  return [0, 8, 16, 24].map((shift) => (value >>> shift) & 255)
}
