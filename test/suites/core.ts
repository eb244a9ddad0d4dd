/** What every core keeps (src/contract/core.ts). A core passes with `coreSuite(name, make, streams)`. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { Core, StreamCodec } from '../../src/contract/core.ts'
import { argon2idClaims } from './core/argon2id.ts'
import { randomBytes } from './core/bytes.ts'
import { chunkIndexClaims } from './core/chunk-index.ts'
import { codecClaims } from './core/codecs.ts'
import { fingerprintSetClaims } from './core/fingerprint-set.ts'
import { scanningClaims } from './core/scanning.ts'
import { streamClaims } from './core/streams.ts'
import { vectorClaims } from './core/vectors.ts'

/** The streams that a core has. */
interface Streams {
  written: readonly StreamCodec[]
  read: readonly StreamCodec[]
}

export function coreSuite(name: string, make: () => Promise<Core>, streams: Streams): void {
  describe(`the ${name} core`, () => {
    let made: Core | undefined
    beforeAll(async () => {
      made = await make()
    })
    const core = (): Core => {
      if (made === undefined) throw new Error('the core was not made')
      return made
    }
    describe('its buffers', () => bufferClaims(core))
    describe('its scanner', () => scanningClaims(core))
    describe('its codecs', () => codecClaims(core))
    describe('its streams', () => streamClaims(core, streams.written, streams.read))
    describe('its Argon2id', () => argon2idClaims(core))
    describe('its chunk index', () => chunkIndexClaims(core))
    describe('its fingerprint set', () => fingerprintSetClaims(core))
    describe('the golden vectors', () => vectorClaims(core))
  })
}

function bufferClaims(core: () => Core): void {
  it('keep what was written, whole or in part', () => {
    const bytes = randomBytes(1, 5000)
    const buffer = core().buffer(5000)
    buffer.bytes().set(bytes)
    expect(buffer.length).toBe(5000)
    expect(buffer.bytes()).toEqual(bytes)
    expect(buffer.bytes(4990)).toEqual(bytes.subarray(4990))
    expect(buffer.bytes(100, 20)).toEqual(bytes.subarray(100, 120))
    buffer.bytes(100, 20).fill(1)
    expect(buffer.bytes()[119]).toBe(1)
    expect(buffer.bytes()[120]).toBe(bytes[120])
    expect(buffer.bytes(5000)).toHaveLength(0)
  })

  it('start at a multiple of 4096', () => {
    for (const length of [1, 100, 4096, 100_000]) expect(core().buffer(length).bytes().byteOffset % 4096).toBe(0)
  })

  it('do not share memory, and stay when memory grows', () => {
    const first = core().buffer(1000)
    first.bytes().fill(1)
    const second = core().buffer(32 << 20)
    second.bytes().fill(2)
    expect(first.bytes().every((byte) => byte === 1)).toBe(true)
    second.free()
    const third = core().buffer(1000)
    third.bytes().fill(3)
    expect(first.bytes().every((byte) => byte === 1)).toBe(true)
  })

  it('may be empty', () => {
    expect(core().buffer(0).bytes()).toHaveLength(0)
  })

  it('refuse ranges outside and lengths that are none', () => {
    const internal = expect.objectContaining({ code: 'INTERNAL' })
    const buffer = core().buffer(100)
    for (const [offset, length] of [
      [-1, 1],
      [0, 101],
      [100, 1],
      [101, 0],
      [50, -1],
      [0.5, 1],
      [0, Number.NaN],
    ] as const) {
      expect(() => buffer.bytes(offset, length), `${offset}+${length}`).toThrow(internal)
    }
    for (const length of [-1, 0.5, Number.NaN]) expect(() => core().buffer(length)).toThrow(internal)
    expect(() => core().compress('deflate', 1, buffer, 50, 51, core().buffer(100))).toThrow(internal)
    expect(() => core().decompress('none', buffer, 50, 51, core().buffer(100), 51)).toThrow(internal)
  })

  it('can not be used after they were freed', () => {
    const buffer = core().buffer(100)
    buffer.free()
    buffer.free()
    expect(() => buffer.bytes()).toThrow(expect.objectContaining({ code: 'CLOSED' }))
    expect(() => core().scanner({ kind: 'fixed', size: 512 }, new Uint8Array(32)).scan(buffer, 10)).toThrow(expect.objectContaining({ code: 'CLOSED' }))
  })
}
