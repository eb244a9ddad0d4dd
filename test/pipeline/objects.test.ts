/** The worker operations of Cinder's objects, one worker alone: every way to cut an object gives the same. */
import { createHash } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { nodeHashes } from '../../adapters/node/hashes.ts'
import { loadCore, compileCore } from '../../adapters/node/core.ts'
import { workerPlatform } from '../../adapters/node/worker-platform.ts'
import type { Core } from '../../src/contract/core.ts'
import type { Port } from '../../src/contract/port.ts'
import { createInlinePort } from '../../src/io/inline.ts'
import { invoke } from '../../src/io/operation.ts'
import { openVolume } from '../../src/io/volume-operations.ts'
import { createBlockHasher } from '../../src/pipeline/block-hashes.ts'
import { closeDecoder, decodePart } from '../../src/pipeline/object-decode-operations.ts'
import type { DecoderOptions } from '../../src/pipeline/object-decoder.ts'
import { closeObject, digestPart, encodePart, hashBlocks } from '../../src/pipeline/object-encode-operations.ts'
import { workerHandlers } from '../../src/pipeline/worker.ts'
import { isZeros, zeroRuns } from '../../src/pipeline/zeros.ts'
import { coded } from '../repository/support/repositories.ts'
import { noise, numbers, SEED } from '../repository/support/random.ts'
import { fileOf } from '../repository/support/volumes.ts'
import { naiveHashes } from '../cinder/support/naive.ts'
import { randomVolume } from '../cinder/support/engine.ts'
import { readFileSync } from 'node:fs'

const cores: Record<string, Core> = { wasm: await loadCore(compileCore()), fallback: await loadCore(undefined) }
const ports: Record<string, Port> = Object.fromEntries(
  Object.entries(cores).map(([name, core]) => [name, createInlinePort(workerHandlers(workerPlatform(core)))]),
)
afterAll(() => Promise.all(Object.values(ports).map((port) => port.close())))
const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex')
let objects = 1_000_000

describe('zeros', () => {
  it('are told from bytes with one bit set, wherever it is, at any alignment', () => {
    const memory = new Uint8Array(400)
    for (let start = 0; start < 9; start++) {
      for (let length = 0; length < 100; length++) {
        const range = memory.subarray(start, start + length)
        expect(isZeros(range)).toBe(true)
        for (let at = 0; at < length; at++) {
          range[at] = 0x80
          expect(isZeros(range), `${start} ${length} ${at}`).toBe(false)
          range[at] = 0
        }
        memory[start + length] = 1
        if (start > 0) memory[start - 1] = 1
        expect(isZeros(range), 'neighbours do not count').toBe(true)
        memory.fill(0)
      }
    }
  })

  it(`are cut into runs that cover everything, at multiples of 64 KiB of the volume (seed ${SEED})`, () => {
    const below = numbers(SEED)
    for (let round = 0; round < 30; round++) {
      const bytes = randomVolume(SEED + round, below(800_000))
      const offset = below(3) === 0 ? below(1e6) : below(20) * 65_536
      let at = 0
      let last: boolean | undefined
      for (const { start, length, zero } of zeroRuns(bytes, offset)) {
        expect(start).toBe(at)
        expect(zero).not.toBe(last)
        if (zero) expect(bytes.subarray(start, start + length).every((byte) => byte === 0)).toBe(true)
        at += length
        last = zero
        if (at < bytes.length) expect((offset + at) % 65_536).toBe(0)
      }
      expect(at).toBe(bytes.length)
    }
  })
})

describe('block hashes', () => {
  it(`are SHA-256 of every block, zeros or not (seed ${SEED})`, () => {
    const hasher = createBlockHasher(nodeHashes)
    for (const blockBytes of [1, 7, 512, 4096, 100_000]) {
      const bytes = randomVolume(SEED, blockBytes < 10 ? 2000 : 300_001)
      const hashes = Buffer.from(hasher.hash(bytes, blockBytes))
      expect(hashes.toString('hex')).toBe(naiveHashes(bytes, blockBytes).join(''))
    }
  })

  it('are computed once for zeros of one length', () => {
    let hashed = 0
    const hasher = createBlockHasher({
      sha256Blocks(bytes, blockBytes) {
        hashed += bytes.length
        return nodeHashes.sha256Blocks(bytes, blockBytes)
      },
    })
    for (let round = 0; round < 3; round++) hasher.hash(new Uint8Array(1_000_001), 1000)
    expect(hashed).toBe(1000 + 1)
  })
})

interface Encoded {
  stored: Uint8Array
  /** The object is one part and did not get smaller. */
  incompressible: boolean
  md5: string
  sha256s: string
}

/** Encodes `plain` as one object in parts, each digested here or later. */
async function encoded(
  port: Port,
  plain: Uint8Array,
  codec: DecoderOptions['codec'],
  partBytes: number,
  digestHere: (part: number) => boolean,
): Promise<Encoded> {
  const object = ++objects
  const stored: Uint8Array[] = []
  const hashes: Uint8Array[] = []
  let digest = ''
  let incompressible = false
  for (let at = 0; at < plain.length; at += partBytes) {
    const here = digestHere(at / partBytes)
    const last = at + partBytes >= plain.length
    const part = await invoke(port, encodePart, {
      object,
      compression: { codec, level: 6 },
      place: { objectBytes: plain.length, first: at === 0, last },
      blockBytes: 1000,
      input: { bytes: new Uint8Array(plain.subarray(at, at + partBytes)) },
      digest: here,
      spares: [],
    })
    // Copies: with a port on this thread, buffers are lent.
    stored.push(part.bytes.slice())
    const { md5 } = here ? part : await invoke(port, digestPart, { object, bytes: part.plain!.slice(), last })
    hashes.push(part.sha256s)
    expect(md5 === undefined).toBe(!last)
    digest = md5 ?? ''
    incompressible = part.incompressible ?? false
  }
  await invoke(port, closeObject, { object })
  return { stored: Buffer.concat(stored), incompressible, md5: digest, sha256s: Buffer.concat(hashes).toString('hex') }
}

/** Decodes in pieces, and goes on after each stop. */
async function decoded(port: Port, stored: Uint8Array, open: DecoderOptions, pieceBytes: number, stopBytes: number) {
  const object = ++objects
  const collected: Uint8Array[] = []
  const hashes: Uint8Array[] = []
  const tags: Uint8Array[] = []
  for (let at = 0; ; at += pieceBytes) {
    const last = at + pieceBytes >= stored.length
    let bytes = new Uint8Array(stored.subarray(at, at + pieceBytes))
    for (let first = at === 0; ; first = false) {
      const part = await invoke(port, decodePart, { object, ...(first ? { open } : {}), bytes, last, stopBytes })
      collected.push(part.collected)
      hashes.push(part.sha256s)
      if (bytes.length > 0) tags.push(part.tag)
      if (part.drained && last) return { ...part, plain: Buffer.concat(collected), hashes: Buffer.concat(hashes).toString('hex'), tags }
      if (part.drained) break
      bytes = new Uint8Array(0)
    }
  }
}

for (const [name, port] of Object.entries(ports)) {
  describe(`an object through the ${name} core`, () => {
    const codecs = name === 'wasm' ? ([undefined, 'zlib', 'bz2', 'zstd'] as const) : ([undefined, 'zlib'] as const)
    for (const codec of codecs) {
      it(`${codec ?? 'as it is'}: parts, pieces and stops change nothing (seed ${SEED})`, { timeout: 60_000 }, async () => {
        const below = numbers(SEED)
        for (let round = 0; round < 12; round++) {
          const plain = randomVolume(SEED + round, 1 + below(name === 'wasm' ? 300_000 : 60_000))
          // zlib's header and trailer are put on elsewhere: here all of it is one part.
          const partBytes = codec === 'zlib' ? plain.length : 1000 * (1 + below(80))
          const object = await encoded(port, plain, codec, partBytes, (part) => part === 0 || below(2) === 0)
          expect(object.md5).toBe(md5(plain))
          expect(object.sha256s).toBe(naiveHashes(plain, 1000).join(''))
          const stored = codec === 'zlib' ? deflateSync(plain) : object.stored
          const whole = { codec: object.incompressible && codec !== 'zlib' ? undefined : codec, bytesMax: plain.length, digest: true }
          const open = { ...whole, blockBytes: 1000, sink: { ranges: Float64Array.of(0, plain.length) } }
          const back = await decoded(port, stored, open, 1 + below(stored.length * 2), 1 + below(100_000))
          expect(Buffer.compare(back.plain, plain)).toBe(0)
          expect([back.md5, back.hashes, back.plainBytes]).toEqual([md5(plain), object.sha256s, plain.length])
        }
      })
    }
  })
}

describe('decoding', () => {
  const port = ports['wasm']!
  const plain = randomVolume(SEED, 9_000_000)
  const stored = deflateSync(plain, { level: 1 })

  it(`writes the wanted ranges to a volume, and zeros, and nothing else (seed ${SEED})`, async () => {
    const below = numbers(SEED)
    for (const startsZero of [false, true]) {
      const ranges: number[] = []
      for (let at = below(100_000); at < plain.length; ) {
        const length = Math.min(plain.length - at, 1 + below(3_000_000))
        ranges.push(at, length)
        at += length + below(2) * below(500_000)
      }
      const before = startsZero ? new Uint8Array(9_100_000) : noise(SEED, 9_100_000)
      const path = fileOf(before)
      await invoke(port, openVolume, { volume: 77, path, options: { mode: 'write' } })
      const sink = { ranges: Float64Array.from(ranges), volume: { volume: 77, offset: 50_000, startsZero } }
      await decoded(port, stored, { codec: 'zlib', bytesMax: plain.length, digest: false, sink }, 1 + below(2_000_000), 3_000_000)
      const expected = before.slice()
      for (let at = 0; at < ranges.length; at += 2) expected.set(plain.subarray(ranges[at]!, ranges[at]! + ranges[at + 1]!), 50_000 + ranges[at]!)
      expect(Buffer.compare(readFileSync(path), expected)).toBe(0)
    }
  })

  it('stops after what it was told, or a segment more, and goes on', async () => {
    const bomb = deflateSync(new Uint8Array(64 << 20))
    const object = ++objects
    const open = { codec: 'zlib', bytesMax: 64 << 20, digest: true } as const
    let plainBytes = 0
    for (let first = true; ; first = false) {
      const part = await invoke(port, decodePart, {
        object,
        ...(first ? { open } : {}),
        bytes: first ? bomb : new Uint8Array(0),
        last: true,
        stopBytes: 1 << 20,
      })
      expect(part.plainBytes - plainBytes).toBeLessThanOrEqual(8 << 20)
      plainBytes = part.plainBytes
      if (part.drained) break
    }
    expect(plainBytes).toBe(64 << 20)
  })

  it('gives its memory back, whether it came to an end or not', async () => {
    const core = cores['wasm']!
    const memory = () => core.buffer(0).bytes().buffer.byteLength
    const once = async () => {
      await decoded(port, stored, { codec: 'zlib', bytesMax: plain.length, digest: true, blockBytes: 4096, tagKey: noise(1, 32) }, 1 << 20, 1e9)
      const object = ++objects
      const open = { codec: 'zlib', bytesMax: plain.length, digest: true, tagKey: noise(1, 32) } as const
      await invoke(port, decodePart, { object, open, bytes: new Uint8Array(stored.subarray(0, 100_000)), last: false, stopBytes: 1e9 })
      await invoke(port, closeDecoder, { object })
    }
    await once()
    const before = memory()
    for (let round = 0; round < 8; round++) await once()
    expect(memory()).toBe(before)
  })

  it('refuses a stream that is none, is cut off, or gives too much, and a part for an object that is not open', async () => {
    const refused = (bytes: Uint8Array, bytesMax = plain.length) =>
      expect(decoded(port, bytes, { codec: 'zlib', bytesMax, digest: false }, 1 << 20, 1e9)).rejects.toEqual(coded('OBJECT_DAMAGED'))
    await refused(noise(1, 1000))
    await refused(stored.subarray(0, -1))
    await refused(new Uint8Array(0))
    await refused(stored, plain.length - 1)
    await expect(invoke(port, decodePart, { object: ++objects, bytes: stored, last: true, stopBytes: 1 })).rejects.toEqual(coded('INTERNAL'))
  })
})

describe('encoding', () => {
  it('gives a part that is the whole object back as it is when it does not get smaller', async () => {
    for (const codec of ['zlib', 'bz2', 'zstd'] as const) {
      for (const [plain, smaller] of [
        [noise(1, 5000), false],
        [new Uint8Array(5000), true],
        [new Uint8Array(1), false],
      ] as const) {
        const request = {
          object: ++objects,
          compression: { codec, level: 3 },
          place: { objectBytes: plain.length, first: true, last: true },
          blockBytes: 512,
          digest: true,
          spares: [],
        }
        const part = await invoke(ports['wasm']!, encodePart, { ...request, input: { bytes: new Uint8Array(plain) } })
        expect(part.incompressible ?? false).toBe(!smaller)
        if (!smaller) expect(Buffer.compare(part.bytes, plain)).toBe(0)
        await invoke(ports['wasm']!, closeObject, { object: request.object })
      }
    }
  })

  it('is for codecs that the core writes', async () => {
    for (const codec of ['bz2', 'zstd'] as const) {
      const place = { objectBytes: 9, first: true, last: true }
      const request = { object: ++objects, compression: { codec, level: 3 }, place, blockBytes: 512, digest: true, spares: [] }
      await expect(invoke(ports['fallback']!, encodePart, { ...request, input: { bytes: new Uint8Array(9) } })).rejects.toEqual(coded('CORE_UNAVAILABLE'))
    }
  })

  it('hashes without encoding, whatever the block size', async () => {
    const bytes = randomVolume(SEED, 2_000_001)
    for (const blockBytes of [512, 30_000, 700_000, 3_000_000]) {
      const hashes = await invoke(ports['wasm']!, hashBlocks, { blockBytes, input: { bytes: new Uint8Array(bytes) } })
      expect(Buffer.from(hashes).toString('hex')).toBe(naiveHashes(bytes, blockBytes).join(''))
    }
  })
})
