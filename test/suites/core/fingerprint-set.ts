/** The set of claimed fingerprints, against a Set of strings. */
import { expect, it } from 'vitest'
import type { Core, FingerprintSet } from '../../../src/contract/core.ts'
import { randomBytes, randomNumbers } from './bytes.ts'

export function fingerprintSetClaims(core: () => Core): void {
  it('gives a fingerprint to the first who claims it', () => {
    const set = core().fingerprintSet()
    expect([...set.claim(batch(1, 2, 1, 3), 4)]).toEqual([1, 1, 0, 1])
    expect([...set.claim(batch(3, 4), 2)]).toEqual([0, 1])
    expect(set.size).toBe(4)
  })

  it('claims only the first `count` of a batch', () => {
    const set = core().fingerprintSet()
    expect(set.claim(batch(1, 2), 1)).toHaveLength(1)
    expect(set.size).toBe(1)
    expect(set.claim(new Uint8Array(0), 0)).toHaveLength(0)
    expect(() => set.claim(batch(1, 2), 3)).toThrow(expect.objectContaining({ code: 'INTERNAL' }))
  })

  it('compares all 32 bytes, and takes the all-zero one like any other', () => {
    const set = core().fingerprintSet()
    const near = new Uint8Array(64)
    near[63] = 1
    expect([...set.claim(near, 2)]).toEqual([1, 1])
    expect([...set.claim(near, 2)]).toEqual([0, 0])
  })

  it('does as a Set does over many batches', () => {
    const set = core().fingerprintSet()
    const other = core().fingerprintSet()
    const below = randomNumbers(5)
    const model = new Set<number>()
    for (let round = 0; round < 60; round++) {
      const numbers = Array.from({ length: below(2000) }, () => below(50_000))
      const expected = numbers.map((number) => Number(model.size < model.add(number).size))
      expect([...set.claim(batch(...numbers), numbers.length)]).toEqual(expected)
      expect(set.size).toBe(model.size)
    }
    expect(other.size).toBe(0)
    free(set, other)
  })
}

function batch(...numbers: number[]): Uint8Array {
  const fingerprints = new Uint8Array(numbers.length * 32)
  numbers.forEach((number, index) => fingerprints.set(randomBytes(number, 32), index * 32))
  return fingerprints
}

function free(...sets: FingerprintSet[]): void {
  for (const set of sets) set.free()
}
