/** The chunk index: places as written, first one stays, nothing from a damaged block. */
import { expect, it } from 'vitest'
import type { ChunkIndex, ChunkPlace, Core } from '../../../src/contract/core.ts'
import { randomBytes } from './bytes.ts'
import { indexBlock, packSample, withU32 } from './index-blocks.ts'
import type { FrameSample } from './index-blocks.ts'

const fingerprint = (number: number) => randomBytes(number, 32)
const frame = (storedBytes: number, codec: number, ...chunks: [number, Uint8Array][]): FrameSample => ({
  storedBytes,
  codec,
  chunks: chunks.map(([bytes, fingerprint]) => ({ bytes, fingerprint })),
})

/** Two packs: of two frames with three chunks, and of one frame with one. */
const BLOCK = indexBlock([
  packSample(1, [frame(500, 1, [1000, fingerprint(1)], [24, fingerprint(2)]), frame(70, 0, [54, fingerprint(3)])], 100),
  packSample(2, [frame(16, 3, [16_777_216, fingerprint(4)])]),
])
const PLACES: Record<number, ChunkPlace> = {
  1: { pack: 0, frame: 0, frameOffset: 24, frameStoredBytes: 500, framePlainBytes: 1024, codec: 1, chunkOffset: 0, chunkBytes: 1000 },
  2: { pack: 0, frame: 0, frameOffset: 24, frameStoredBytes: 500, framePlainBytes: 1024, codec: 1, chunkOffset: 1000, chunkBytes: 24 },
  3: { pack: 0, frame: 1, frameOffset: 524, frameStoredBytes: 70, framePlainBytes: 54, codec: 0, chunkOffset: 0, chunkBytes: 54 },
  4: { pack: 1, frame: 0, frameOffset: 24, frameStoredBytes: 16, framePlainBytes: 16_777_216, codec: 3, chunkOffset: 0, chunkBytes: 16_777_216 },
}

/** At most so many bytes a chunk; the fallback makes no such promise. */
const INDEX_BYTES_PER_CHUNK = { wasm: 40, fallback: 100 }

export function chunkIndexClaims(core: () => Core): void {
  function loaded(...blocks: Uint8Array[]): ChunkIndex {
    const index = core().chunkIndex()
    for (const block of blocks) index.load(block)
    return index
  }

  it('holds nothing at first', () => {
    const index = loaded()
    expect([index.size, index.packs]).toEqual([0, 0])
    expect(index.find(fingerprint(1))).toBeUndefined()
    expect([...index.has(fingerprint(1), 1)]).toEqual([0])
    expect(index.has(new Uint8Array(0), 0)).toHaveLength(0)
  })

  it('finds each chunk where its block says', () => {
    const index = core().chunkIndex()
    expect(index.load(BLOCK)).toBe(2)
    expect([index.size, index.packs]).toEqual([4, 2])
    for (const [number, place] of Object.entries(PLACES)) expect(index.find(fingerprint(Number(number)))).toEqual(place)
    expect(index.find(fingerprint(5))).toBeUndefined()
  })

  it('looks up a batch from any place in memory', () => {
    const batch = new Uint8Array(3 + 32 * 4)
    for (const [position, number] of [2, 9, 4, 1].entries()) batch.set(fingerprint(number), 3 + position * 32)
    expect([...loaded(BLOCK).has(batch.subarray(3), 4)]).toEqual([1, 0, 1, 1])
    expect([...loaded(BLOCK).has(batch.subarray(3), 2)]).toEqual([1, 0])
  })

  it('reads a block from any place in memory', () => {
    const shifted = new Uint8Array(BLOCK.length + 9)
    shifted.set(BLOCK, 5)
    expect(loaded(shifted.subarray(5, 5 + BLOCK.length)).find(fingerprint(2))).toEqual(PLACES[2])
  })

  it('knows id and length of each pack, as copies', () => {
    const index = loaded(BLOCK)
    expect(index.packId(0)).toEqual(new Uint8Array(16).fill(1))
    expect(index.packId(1)).toEqual(new Uint8Array(16).fill(2))
    index.packId(0).fill(9)
    expect(index.packId(0)).toEqual(new Uint8Array(16).fill(1))
    expect([index.packBytes(0), index.packBytes(1)]).toEqual([694, 40])
    for (const pack of [-1, 2]) {
      expect(() => index.packId(pack)).toThrow(expect.objectContaining({ code: 'INTERNAL' }))
      expect(() => index.packBytes(pack)).toThrow(expect.objectContaining({ code: 'INTERNAL' }))
    }
  })

  it('counts packs and frames on over several blocks', () => {
    const index = loaded(BLOCK, indexBlock([packSample(3, [frame(10, 2, [8, fingerprint(6)]), frame(11, 1, [9, fingerprint(7)])])]))
    expect(index.packs).toBe(3)
    expect(index.find(fingerprint(7))).toMatchObject({ pack: 2, frame: 1, frameOffset: 34, codec: 1 })
    expect(index.packId(2)).toEqual(new Uint8Array(16).fill(3))
  })

  it('keeps the first place of a chunk that comes twice, in one block or in two', () => {
    const twice = indexBlock([packSample(1, [frame(10, 0, [8, fingerprint(1)], [9, fingerprint(1)])])])
    const index = loaded(twice, BLOCK, BLOCK)
    expect(index.find(fingerprint(1))).toMatchObject({ pack: 0, chunkOffset: 0, chunkBytes: 8 })
    expect(index.find(fingerprint(2))).toMatchObject({ pack: 1 })
    expect([index.size, index.packs]).toEqual([4, 5])
  })

  it('takes the all-zero fingerprint for one like any other', () => {
    const zero = new Uint8Array(32)
    expect([...loaded(BLOCK).has(zero, 1)]).toEqual([0])
    const index = loaded(indexBlock([packSample(1, [frame(10, 0, [8, zero])])]))
    expect(index.find(zero)).toMatchObject({ chunkBytes: 8 })
  })

  it('compares the first 24 bytes and no more', () => {
    const index = loaded(BLOCK)
    const near = fingerprint(1)
    near[24]! ^= 1
    expect(index.find(near)).toEqual(PLACES[1])
    near[23]! ^= 1
    expect(index.find(near)).toBeUndefined()
  })

  it('refuses a block cut off at any byte or with one behind it, and adds nothing of it', () => {
    const index = loaded()
    for (let length = 0; length < BLOCK.length; length++) {
      expect(() => index.load(BLOCK.subarray(0, length)), `${length} bytes`).toThrow(expect.objectContaining({ code: 'OBJECT_DAMAGED' }))
    }
    expect(() => index.load(Uint8Array.of(...BLOCK, 0))).toThrow(expect.objectContaining({ code: 'OBJECT_DAMAGED' }))
    expect([index.size, index.packs]).toEqual([0, 0])
    expect(index.load(BLOCK)).toBe(2)
  })

  it.each(damagedBlocks())('refuses $name, names the place, and adds nothing of it', ({ block, offset }) => {
    const index = loaded(BLOCK)
    expect(() => index.load(block)).toThrow(expect.objectContaining({ code: 'OBJECT_DAMAGED', details: { offset } }))
    expect([index.size, index.packs]).toEqual([4, 2])
    expect(index.find(fingerprint(20))).toBeUndefined()
  })

  it('accepts values at their bounds', () => {
    const chunks: [number, Uint8Array][] = Array.from({ length: 65_535 }, (_, number) => [1, fingerprint(number)])
    const index = loaded(indexBlock([{ id: new Uint8Array(16), bytes: 2 ** 31 - 1, frames: [frame(2 ** 26, 2, ...chunks)] }]))
    expect(index.packBytes(0)).toBe(2 ** 31 - 1)
    expect(index.find(fingerprint(65_534))).toMatchObject({ frameStoredBytes: 2 ** 26, chunkOffset: 65_534 })
  })

  it('holds many chunks within its memory, block after block', () => {
    const index = core().chunkIndex()
    const chunksPerBlock = 2048
    for (let block = 0; block < 64; block++) {
      const chunks = Array.from({ length: chunksPerBlock }, (_, chunk): [number, Uint8Array] => [65_536, fingerprint(block * chunksPerBlock + chunk + 100)])
      const frames = Array.from({ length: 128 }, (_, number) => frame(900_000, 1, ...chunks.slice(number * 16, number * 16 + 16)))
      index.load(indexBlock([packSample(block, frames)]))
    }
    const count = 64 * chunksPerBlock
    expect(index.size).toBe(count)
    const probe = new Uint8Array(32 * 2 * 1000)
    for (let at = 0; at < 1000; at++) {
      probe.set(fingerprint(100 + at * 131), at * 64)
      probe.set(fingerprint(100 + count + at), at * 64 + 32)
    }
    expect([...index.has(probe, 2000)]).toEqual(Array.from({ length: 2000 }, (_, at) => (at + 1) % 2))
    expect(index.find(fingerprint(100 + 2048 * 63 + 16 * 5 + 3))).toMatchObject({ pack: 63, frame: 5, chunkOffset: 3 * 65_536 })
    expect(index.memoryBytes / count).toBeLessThanOrEqual(INDEX_BYTES_PER_CHUNK[core().kind])
    index.free()
  })
}

/** One pack with a frame of two chunks and one of one; each field of it made wrong. */
function damagedBlocks(): { name: string; block: Uint8Array; offset: number }[] {
  const frames = [frame(100, 1, [1000, fingerprint(20)], [24, fingerprint(21)]), frame(50, 0, [9, fingerprint(22)])]
  const sound = indexBlock([packSample(7, frames)])
  const [packCount, packBytes, frameCount, storedBytes, plainBytes, codec, padding, chunkCount, first, second] = [0, 20, 24, 28, 32, 36, 37, 38, 40, 76]
  const set = (name: string, at: number, value: number, offset = at) => ({ name, block: withU32(sound, at, value), offset })
  const secondFrame = second + 36
  return [
    set('no pack', packCount, 0),
    set('a pack more than it has', packCount, 2, sound.length),
    set('65,537 packs', packCount, 65_537),
    set('4,294,967,295 packs', packCount, 0xffffffff),
    set('a pack shorter than its header', packBytes, 23, packBytes),
    set('a pack as short as its header', packBytes, 24, storedBytes),
    set('a pack of 2 GiB', packBytes, 2 ** 31),
    set('a pack one byte shorter than its frames', packBytes, 173, secondFrame),
    set('no frame', frameCount, 0),
    set('65,537 frames', frameCount, 65_537),
    set('a frame more than it has', frameCount, 3, sound.length),
    set('a frame less than it has', frameCount, 1, secondFrame),
    set('a frame stored in no bytes', storedBytes, 0),
    set('a frame beyond its pack', storedBytes, 151, storedBytes),
    { name: 'a frame stored in 64 MiB and one', block: indexBlock([packSample(7, [frame(2 ** 26 + 1, 1, [5, fingerprint(20)])])]), offset: 28 },
    set('a frame of no plaintext', plainBytes, 0),
    set('a frame of 16 MiB and one', plainBytes, 2 ** 24 + 1),
    set('a frame one byte longer than its chunks', plainBytes, 1025, second),
    set('a frame one byte shorter than its chunks', plainBytes, 1023, second),
    set('a frame shorter than its first chunk', plainBytes, 999, first),
    { name: 'codec 4', block: indexBlock([packSample(7, [{ ...frames[0]!, codec: 4 }])]), offset: codec },
    { name: 'a byte after the codec', block: indexBlock([packSample(7, [{ ...frames[0]!, padding: 1 }])]), offset: padding },
    { name: 'a frame without chunks', block: indexBlock([packSample(7, [{ storedBytes: 5, plainBytes: 5, codec: 0, chunks: [] }])]), offset: chunkCount },
    set('an empty first chunk', first, 0),
    set('an empty last chunk', second, 0),
    set('a first chunk that leaves nothing to the last', first, 1024),
    set('a chunk of 4,294,967,295 bytes', first, 0xffffffff),
  ]
}
