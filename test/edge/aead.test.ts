/** WebCrypto's cipher is Node's: each opens what the other sealed, and what was altered opens in neither. */
import { describe, expect, it } from 'vitest'
import { edgeAead } from '../../adapters/edge/aead.ts'
import { nodeAead } from '../../adapters/node/aead.ts'
import { concatBytes } from '../../src/core/bytes.ts'
import { randomBytes } from '../suites/core/bytes.ts'

const key = randomBytes(1, 32)
const nonce = randomBytes(2, 12)
const additional = randomBytes(3, 77)

describe.each([
  ['edge', edgeAead, 'node', nodeAead],
  ['node', nodeAead, 'edge', edgeAead],
] as const)('what %s sealed', (_, sealer, opener, other) => {
  it(`is opened by ${opener}`, async () => {
    for (const length of [0, 1, 1000, 100_000]) {
      const plaintext = randomBytes(4, length)
      const sealed = concatBytes(await sealer.seal(key, nonce, additional, plaintext))
      expect(sealed).toHaveLength(length + 16)
      expect(Buffer.compare((await other.open(key, nonce, additional, sealed)) as Uint8Array, plaintext)).toBe(0)
    }
  })

  it(`is not opened by ${opener} once anything of it was altered`, async () => {
    const sealed = concatBytes(await sealer.seal(key, nonce, additional, randomBytes(5, 100)))
    const altered = (bytes: Uint8Array, at: number) => bytes.map((byte, index) => (index === at ? byte ^ 1 : byte))
    expect(await other.open(key, nonce, additional, altered(sealed, 0))).toBeUndefined()
    expect(await other.open(key, nonce, additional, altered(sealed, 115))).toBeUndefined()
    expect(await other.open(key, nonce, altered(additional, 76), sealed)).toBeUndefined()
    expect(await other.open(key, altered(nonce, 0), additional, sealed)).toBeUndefined()
    expect(await other.open(altered(key, 31), nonce, additional, sealed)).toBeUndefined()
    expect(await other.open(key, nonce, additional, sealed.subarray(0, 15))).toBeUndefined()
  })
})

it("the edge's cipher takes the plaintext as it is when it is called: the core's memory is used again at once", async () => {
  const plaintext = randomBytes(6, 1000)
  const wanted = plaintext.slice()
  const sealing = edgeAead.seal(randomBytes(7, 32), nonce, additional, plaintext)
  plaintext.fill(0)
  expect(await nodeAead.open(randomBytes(7, 32), nonce, additional, concatBytes(await sealing))).toEqual(Buffer.from(wanted))
})
