import { describe, expect, it } from 'vitest'
import type { ChainMember } from '../../src/cinder/chain.ts'
import { planRestore, type RestorePlan } from '../../src/cinder/restore-plan.ts'
import { dataObjectName } from '../../src/cinder/names.ts'
import { createObjectList } from '../../src/cinder/object-list.ts'
import { numbers, SEED } from '../repository/support/random.ts'
import { memberOf } from './support/manifests.ts'

/** For each byte of the volume, which object of which member a restore in Cinder's way would leave there. */
function overwriting(chain: readonly ChainMember[]): string[] {
  const bytes: string[] = []
  for (const [member, { manifest, prefix }] of chain.entries())
    for (const { number, offset, length } of manifest.objects)
      for (let at = offset; at < offset + length!; at++) bytes[at] = `${member}:${dataObjectName(prefix, number)}`
  return bytes
}

function planned(plan: RestorePlan): string[] {
  const bytes: string[] = []
  for (let index = 0; index < plan.objects; index++) {
    const { member, name, entry, ranges } = plan.object(index)
    expect(ranges.length).toBeGreaterThan(0)
    for (const { offset, length } of ranges) {
      expect(length).toBeGreaterThan(0)
      expect(offset).toBeGreaterThanOrEqual(entry.offset)
      expect(offset + length).toBeLessThanOrEqual(entry.offset + entry.length)
      for (let at = offset; at < offset + length; at++) {
        expect(bytes[at], `byte ${at} is written twice`).toBeUndefined()
        bytes[at] = `${member}:${name}`
      }
    }
  }
  return bytes
}

describe('a plan', () => {
  it(`writes each byte once, from the newest backup that has it (seed ${SEED})`, () => {
    const below = numbers(SEED)
    for (let round = 0; round < 400; round++) {
      const volumeBytes = below(60)
      const chain: ChainMember[] = []
      for (let number = 1; number <= 1 + below(6); number++) {
        const extents: [number, number][] = []
        for (let at = number === 1 ? 0 : below(10); at < volumeBytes; ) {
          const length = Math.min(1 + below(12), volumeBytes - at)
          extents.push([at, length])
          at += length + (number === 1 ? 0 : below(10))
        }
        const member = memberOf(number, extents)
        // Any order of the list is as good.
        if (below(3) === 0) member.manifest.objects = createObjectList([...member.manifest.objects].sort(() => below(3) - 1))
        chain.push(member)
      }
      const plan = planRestore(chain)
      expect(plan.bytes).toBe(volumeBytes)
      expect(planned(plan)).toEqual(overwriting(chain))
      const lengths = Array.from({ length: plan.objects }, (_, index) => plan.object(index).entry.length)
      expect(plan.plainBytes).toBe(lengths.reduce((sum, length) => sum + length, 0))
    }
  })

  it('does not read an object that is newer everywhere', () => {
    const plan = planRestore([
      memberOf(1, [
        [0, 10],
        [10, 10],
      ]),
      memberOf(2, [[8, 12]]),
      memberOf(3, [[9, 1]]),
    ])
    const read = Array.from({ length: plan.objects }, (_, index) => plan.object(index))
    expect(read.map(({ member, entry, ranges }) => [member, entry.number, ranges])).toEqual([
      [0, 1, [{ offset: 0, length: 8 }]],
      [
        1,
        1,
        [
          { offset: 8, length: 1 },
          { offset: 10, length: 10 },
        ],
      ],
      [2, 1, [{ offset: 9, length: 1 }]],
    ])
  })

  it('of an empty volume, and of one that did not change, is as short as it is', () => {
    expect(planRestore([memberOf(1, [])])).toMatchObject({ bytes: 0, objects: 0, plainBytes: 0 })
    expect(planRestore([memberOf(1, [[0, 5]]), memberOf(2, []), memberOf(3, [])])).toMatchObject({ bytes: 5, objects: 1 })
  })

  it('keeps the tail of the parent of a volume that shrank, as Cinder does', () => {
    expect(planRestore([memberOf(1, [[0, 20]]), memberOf(2, [[0, 9]])])).toMatchObject({ bytes: 20, objects: 2 })
  })

  it.each([
    [
      'overlap',
      [
        memberOf(1, [
          [0, 10],
          [9, 5],
        ]),
      ],
      /overlaps/,
    ],
    [
      'overlap in an order that hides it',
      [
        memberOf(1, [
          [10, 10],
          [0, 11],
        ]),
      ],
      /overlaps/,
    ],
    [
      'are the same twice',
      [
        memberOf(1, [
          [0, 10],
          [0, 10],
        ]),
      ],
      /overlaps/,
    ],
    ['begin after the start', [memberOf(1, [[5, 10]])], /bytes 0 to 5/],
    [
      'leave a gap',
      [
        memberOf(1, [
          [0, 10],
          [11, 4],
        ]),
      ],
      /bytes 10 to 11/,
    ],
    ['lie beyond the volume', [memberOf(1, [[0, 10]]), memberOf(2, [[2 ** 50, 4]])], /bytes 10 to 1125899906842624/],
  ] as const)('refuses extents that %s', (_what, chain, message) => {
    expect(() => planRestore(chain)).toThrowError(expect.objectContaining({ code: 'InvalidBackup', message: expect.stringMatching(message) }))
  })

  it('refuses an extent of unknown length', () => {
    const member = memberOf(1, [])
    member.manifest.objects.append({ number: 1, offset: 0, length: undefined, compression: 'zlib', md5: undefined })
    expect(() => planRestore([member])).toThrowError(expect.objectContaining({ code: 'InvalidBackup' }))
    member.manifest.objects.setLength(0, 7)
    expect(planRestore([member]).bytes).toBe(7)
  })

  it('copes with a million entries, and with a chain of ten thousand', { timeout: 60_000 }, () => {
    const blocks = 1_000_000
    const full = memberOf(1, [])
    full.manifest.objects.append({ number: 1, offset: 0, length: blocks * 8, compression: 'none', md5: undefined })
    const scattered = memberOf(2, [])
    for (let index = 0; index < blocks; index++)
      scattered.manifest.objects.append({ number: index + 1, offset: index * 8, length: 4, compression: 'none', md5: undefined })
    const plan = planRestore([full, scattered])
    expect(plan).toMatchObject({ objects: blocks + 1, bytes: blocks * 8 })
    expect(plan.object(1).ranges).toHaveLength(blocks)

    const chain = Array.from({ length: 10_000 }, (_, index) => memberOf(index + 1, index === 0 ? [[0, 20_000]] : [[index, 10_000]]))
    expect(planRestore(chain)).toMatchObject({ bytes: 20_000, objects: 10_000 })
  })
})
