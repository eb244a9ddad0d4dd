/** Passphrases are stretched as the reference program of Argon2 does it (its src/test.c), and a worker's memory is what it was before. */
import { expect, it } from 'vitest'
import type { Core } from '../../../src/contract/core.ts'
import { toHex, utf8 } from '../../../src/core/bytes.ts'

const REFERENCE = [
  { memoryKiB: 65_536, passes: 2, lanes: 1, password: 'password', key: '09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7' },
  { memoryKiB: 256, passes: 2, lanes: 1, password: 'password', key: '9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe' },
  { memoryKiB: 256, passes: 2, lanes: 2, password: 'password', key: '6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037' },
  { memoryKiB: 65_536, passes: 1, lanes: 1, password: 'password', key: 'f6a5adc1ba723dddef9b5ac1d464e180fcd9dffc9d1cbf76cca2fed795d9ca98' },
  { memoryKiB: 65_536, passes: 2, lanes: 1, password: 'differentpassword', key: '0b84d652cf6b0c4beaef0dfe278ba6a80df6696281d7e0d2891b817d8c458fde' },
]

export function argon2idClaims(core: () => Core): void {
  it.each(REFERENCE)('gives the reference key for $password, $memoryKiB KiB, $passes passes, $lanes lanes', async ({ password, key, ...costs }) => {
    expect(toHex(await core().argon2id(utf8(password), utf8('somesalt'), costs))).toBe(key)
  })

  it('takes passphrases of any length', async () => {
    const costs = { memoryKiB: 64, passes: 1, lanes: 1 }
    const keys = await Promise.all([1, 127, 128, 129, 5000].map((length) => core().argon2id(new Uint8Array(length), utf8('somesalt'), costs)))
    expect(new Set(keys.map(toHex)).size).toBe(5)
  })

  it('leaves the passphrase and the memory of the core as they were', async () => {
    const passphrase = utf8('a passphrase')
    const before = core().buffer(1).bytes().buffer.byteLength
    await core().argon2id(passphrase, utf8('somesalt'), { memoryKiB: 65_536, passes: 1, lanes: 4 })
    expect(passphrase).toEqual(utf8('a passphrase'))
    expect(core().buffer(1).bytes().buffer.byteLength).toBe(before)
  })
}
