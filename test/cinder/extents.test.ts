import { describe, expect, it } from 'vitest'
import { createExtentFinder, type Extent, fullExtents, HASH_BYTES } from '../../src/cinder/extents.ts'
import { numbers, SEED } from '../repository/support/random.ts'

/** FORMAT.md, section 5, as the document says it. */
function expected(changed: readonly boolean[], volumeBytes: number, objectBytes: number, blockBytes: number): Extent[] {
  const extents: Extent[] = []
  for (let unit = 0; unit < volumeBytes; unit += objectBytes) {
    const unitEnd = Math.min(unit + objectBytes, volumeBytes)
    let run: number | undefined
    for (let at = unit; at < unitEnd; at += blockBytes) {
      if (changed[at / blockBytes]) run ??= at
      else if (run !== undefined) {
        extents.push({ offset: run, length: at - run })
        run = undefined
      }
    }
    if (run !== undefined) extents.push({ offset: run, length: unitEnd - run })
  }
  return extents
}

describe('extents', () => {
  it('of a full backup are the read units', () => {
    expect([...fullExtents(10, 4)]).toEqual([
      { offset: 0, length: 4 },
      { offset: 4, length: 4 },
      { offset: 8, length: 2 },
    ])
    expect([...fullExtents(8, 4)]).toHaveLength(2)
    expect([...fullExtents(0, 4)]).toEqual([])
  })

  it(`of an incremental are the runs of changed blocks in each read unit (seed ${SEED})`, () => {
    const below = numbers(SEED)
    for (let round = 0; round < 300; round++) {
      const blockBytes = 1 + below(8)
      const objectBytes = blockBytes * (1 + below(5))
      const volumeBytes = below(objectBytes * 6)
      const blocks = Math.ceil(volumeBytes / blockBytes)
      const density = below(5)
      const changed = Array.from({ length: blocks }, () => below(4) < density)
      const parent = Uint8Array.from({ length: (blocks + below(3)) * HASH_BYTES }, () => below(256))
      const hashes = parent.slice(0, blocks * HASH_BYTES)
      // One bit, anywhere in the hash.
      for (const [block, isChanged] of changed.entries()) if (isChanged) hashes[block * HASH_BYTES + below(HASH_BYTES)]! ^= 1 << below(8)
      const finder = createExtentFinder({ volumeBytes, objectBytes, blockBytes })
      const found: Extent[] = []
      for (let at = 0; at < blocks; ) {
        const count = Math.min(1 + below(7), blocks - at)
        finder.compare(hashes.subarray(at * HASH_BYTES, (at + count) * HASH_BYTES), parent.subarray(at * HASH_BYTES, (at + count + below(2)) * HASH_BYTES))
        at += count
        if (below(2) === 0) found.push(...finder.take())
      }
      found.push(...finder.finish())
      expect(found).toEqual(expected(changed, volumeBytes, objectBytes, blockBytes))
    }
  })

  it('are not looked for beyond the hashes of the parent', () => {
    const finder = createExtentFinder({ volumeBytes: 8, objectBytes: 8, blockBytes: 4 })
    expect(() => finder.compare(new Uint8Array(64), new Uint8Array(32))).toThrowError(expect.objectContaining({ code: 'INTERNAL' }))
  })
})
