/** Both cores stretch alike, whatever the costs. fast-check prints its seed. */
import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Core } from '../../src/contract/core.ts'
import { toHex, utf8 } from '../../src/core/bytes.ts'
import { createFallbackCore } from '../../src/core/fallback.ts'
import { createWasmCore } from '../../src/core/wasm.ts'

let wasm: Core
let fallback: Core
beforeAll(async () => {
  wasm = createWasmCore(await WebAssembly.compile(await readFile(new URL('../../wasm/pkg/blockvault_core_bg.wasm', import.meta.url))))
  fallback = await createFallbackCore()
})

describe('Argon2id in both cores', () => {
  it('gives the same key', async () => {
    const costs = fc
      .record({ lanes: fc.integer({ min: 1, max: 16 }), passes: fc.integer({ min: 1, max: 4 }), more: fc.nat({ max: 3000 }) })
      .map(({ lanes, passes, more }) => ({ lanes, passes, memoryKiB: 8 * lanes + more }))
    const passphrase = fc.uint8Array({ minLength: 1, maxLength: 300 })
    const salt = fc.uint8Array({ minLength: 8, maxLength: 64 })
    await fc.assert(
      fc.asyncProperty(passphrase, salt, costs, async (passphrase, salt, costs) => {
        const [left, right] = await Promise.all([wasm, fallback].map((core) => core.argon2id(passphrase, salt, costs)))
        expect(toHex(left!)).toBe(toHex(right!))
      }),
      { numRuns: 100 },
    )
  })

  it('gives the event loop its turns in the WASM core, and several can be under way', async () => {
    let turns = 0
    const turn = async () => {
      turns++
    }
    const costs = { memoryKiB: 16_384, passes: 2, lanes: 2 }
    const keys = await Promise.all(['one', 'two', 'one'].map((text) => wasm.argon2id(utf8(text), utf8('somesalt'), costs, turn)))
    expect(turns).toBeGreaterThan(30)
    expect(toHex(keys[0]!)).toBe(toHex(keys[2]!))
    expect(toHex(keys[0]!)).not.toBe(toHex(keys[1]!))
  })
})
