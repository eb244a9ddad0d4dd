/**
 * Where a segment is cut: fixed sizes, or FastCDC (Xia et al., ATC '16) as docs/format.md ("Chunkers") defines it.
 *
 * Invariant: the lengths add up to the segment and depend on its bytes, the options and the gear table alone; every
 * core cuts alike, or the same volume would be stored twice.
 */
import type { ChunkerOptions } from '../../contract/core.ts'
import { BlockvaultError } from '../../contract/errors.ts'

/** Lengths of the chunks of `segment`, in order. */
export type Cut = (segment: Uint8Array) => number[]

export const GEAR_CONTEXT = 'blockvault/1 gear'

const FIXED_BYTES_MIN = 512
const FASTCDC_BYTES_MIN = 64
const CHUNK_BYTES_MAX = 4 * 1024 * 1024

/** `gear` gives the 2048 bytes of the gear table; it is asked for only when the chunker needs one. */
export function createCut(chunker: ChunkerOptions, gear: () => Uint8Array): Cut {
  if (chunker.kind === 'fixed') {
    ascending('a fixed chunk size', FIXED_BYTES_MIN, chunker.size, CHUNK_BYTES_MAX)
    return (segment) => cutFixed(segment.length, chunker.size)
  }
  const { min, average, max } = chunker
  ascending('FastCDC sizes (min, average, max)', FASTCDC_BYTES_MIN, min, average, max, CHUNK_BYTES_MAX)
  return createFastCdc(min, average, max, gear())
}

function ascending(what: string, ...sizes: number[]): void {
  if (sizes.every((size, index) => Number.isInteger(size) && size >= (sizes[index - 1] ?? 0))) return
  throw new BlockvaultError('USAGE', `For ${what}, whole numbers must ascend from ${sizes[0]} to ${sizes.at(-1)}: got ${sizes.slice(1, -1).join(', ')}.`)
}

function cutFixed(segmentBytes: number, size: number): number[] {
  const lengths = new Array<number>(Math.floor(segmentBytes / size)).fill(size)
  if (segmentBytes % size > 0) lengths.push(segmentBytes % size)
  return lengths
}

/**
 * The 64-bit hash is two 32-bit halves and a carry worked out in bits: doubles are half as fast, BigInt far slower. A mask
 * takes the top `bits ± 2` bits, and `bits` is at most 22, so only the high half is ever tested.
 */
function createFastCdc(min: number, average: number, max: number, gearBytes: Uint8Array): Cut {
  /** Low half, high half of each entry. */
  const gear = new Int32Array(2 * 256)
  const view = new DataView(gearBytes.buffer, gearBytes.byteOffset, gearBytes.byteLength)
  for (let half = 0; half < gear.length; half++) gear[half] = view.getInt32(half * 4, true)
  const bits = Math.round(Math.log2(average))
  const maskShort = -1 << (32 - (bits + 2))
  const maskLong = -1 << (32 - (bits - 2))

  function chunkBytes(segment: Uint8Array, start: number): number {
    const normal = start + average
    const end = Math.min(start + max, segment.length)
    let low = 0
    let high = 0
    for (let at = start + min; at < end; at++) {
      const entry = segment[at]! << 1
      const shifted = low << 1
      const added = gear[entry]!
      const sum = (shifted + added) | 0
      const carry = ((shifted & added) | ((shifted | added) & ~sum)) >>> 31
      high = (((high << 1) | (low >>> 31)) + gear[entry + 1]! + carry) | 0
      low = sum
      if ((high & (at < normal ? maskShort : maskLong)) === 0) return at + 1 - start
    }
    return end - start
  }

  return (segment) => {
    const lengths: number[] = []
    for (let start = 0; start < segment.length; ) {
      const length = chunkBytes(segment, start)
      lengths.push(length)
      start += length
    }
    return lengths
  }
}
