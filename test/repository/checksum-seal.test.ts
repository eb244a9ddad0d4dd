/** The seal of repositories without encryption keeps the face of an AEAD, and survives the core's memory growing under it. */
import { describe, expect, it } from 'vitest'
import { createChecksumSeal } from '../../src/pipeline/checksum-seal.ts'
import { concatBytes } from '../../src/core/bytes.ts'
import { platform } from './support/repositories.ts'
import { noise } from './support/random.ts'

const { core } = platform
const KEY = noise(1, 32)
const NONCE = noise(2, 12)
const ADDITIONAL = noise(3, 50)
const seal = createChecksumSeal(core)
const sealed = async (plaintext: Uint8Array) => concatBytes(await seal.seal(KEY, NONCE, ADDITIONAL, plaintext))

describe('the checksum seal', () => {
  it('gives back what was sealed, whatever its length', async () => {
    for (const length of [0, 1, 15, 16, 17, 1000, 70_000]) {
      const plaintext = noise(length, length)
      const bytes = await sealed(plaintext)
      expect(bytes.length).toBe(length + 16)
      expect(Buffer.compare((await seal.open(KEY, NONCE, ADDITIONAL, bytes))!, plaintext)).toBe(0)
    }
  })

  it('does not open when any bit of key, nonce, additional data, text or tag is another', async () => {
    const bytes = await sealed(noise(4, 40))
    const flipped = (of: Uint8Array, bit: number) => of.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
    for (let bit = 0; bit < bytes.length * 8; bit += 3) expect(await seal.open(KEY, NONCE, ADDITIONAL, flipped(bytes, bit)), `bit ${bit}`).toBeUndefined()
    for (let bit = 0; bit < 12 * 8; bit += 7) {
      expect(await seal.open(flipped(KEY, bit), NONCE, ADDITIONAL, bytes)).toBeUndefined()
      expect(await seal.open(KEY, flipped(NONCE, bit), ADDITIONAL, bytes)).toBeUndefined()
      expect(await seal.open(KEY, NONCE, flipped(ADDITIONAL, bit), bytes)).toBeUndefined()
    }
    for (let length = 0; length < bytes.length; length++)
      expect(await seal.open(KEY, NONCE, ADDITIONAL, bytes.subarray(0, length)), `cut at ${length}`).toBeUndefined()
    expect(await seal.open(KEY, NONCE, ADDITIONAL, concatBytes([bytes, Uint8Array.of(0)]))).toBeUndefined()
    // The parts can not be shifted against each other.
    expect(await seal.open(KEY, concatBytes([NONCE, ADDITIONAL.subarray(0, 1)]), ADDITIONAL.subarray(1), bytes)).toBeUndefined()
  })

  it('seals a view of the core’s memory, also when that memory has to grow meanwhile', async () => {
    const content = noise(5, 1 << 20)
    const held = []
    try {
      for (let round = 0; round < 40; round++) {
        const buffer = core.buffer(content.length)
        held.push(buffer)
        buffer.bytes().set(content)
        const opened = await seal.open(KEY, NONCE, ADDITIONAL, await sealed(buffer.bytes()))
        expect(opened && Buffer.compare(opened, content), `round ${round}`).toBe(0)
      }
    } finally {
      for (const buffer of held) buffer.free()
    }
  })
})
