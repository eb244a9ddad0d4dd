/** The tree over a volume's segments, against a plain list of what was put in. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Scan } from '../../src/contract/core.ts'
import { toHex } from '../../src/core/bytes.ts'
import { decodeNode, encodeNode, type MapEntry } from '../../src/repository/map-node.ts'
import { createMapBuilder, type MapPiece, type MapRoot, rootLevel, walkMap } from '../../src/repository/volume-map.ts'
import { coded } from './support/repositories.ts'
import { numbers, SEED } from './support/random.ts'

const SEGMENT = 4 * 1024 * 1024
const TIB = 1024 ** 4

interface Chunk {
  length: number
  /** 0 for zeros. */
  content: number
}

function scanOf(chunks: readonly Chunk[]): Scan {
  const fingerprints = new Uint8Array(chunks.length * 32)
  for (const [chunk, { content }] of chunks.entries()) if (content > 0) fingerprints.set(fingerprintOf(content), chunk * 32)
  const scan: Partial<Scan> = {
    count: chunks.length,
    lengths: Uint32Array.from(chunks, ({ length }) => length),
    zero: Uint8Array.from(chunks, ({ content }) => (content === 0 ? 1 : 0)),
    fingerprints,
    changeTags: new Uint8Array(chunks.length * 16),
  }
  return scan as Scan
}

function fingerprintOf(content: number): Uint8Array {
  return new Uint8Array(createHash('sha256').update(String(content)).digest())
}

/** Keeps nodes by their hash. */
function nodeStore() {
  const nodes = new Map<string, Uint8Array>()
  let reads = 0
  return {
    nodes,
    store(node: Uint8Array) {
      const fingerprint = new Uint8Array(createHash('sha256').update(node).digest())
      nodes.set(toHex(fingerprint), node)
      return fingerprint
    },
    async read(fingerprint: Uint8Array) {
      reads++
      const node = nodes.get(toHex(fingerprint))
      if (!node) throw new Error('no such node')
      return node
    },
    get reads() {
      return reads
    },
  }
}

async function piecesOf(
  root: MapRoot,
  store: ReturnType<typeof nodeStore>,
  volumeBytes: number,
  range?: { offset: number; length: number },
): Promise<MapPiece[]> {
  const pieces: MapPiece[] = []
  for await (const piece of walkMap(root, store.read, { volumeBytes, segmentBytes: SEGMENT, ...(range ? { range } : {}) })) pieces.push(piece)
  return pieces
}

/** Neighbouring zeros joined, so that two walks can be compared however they were cut. */
function joined(pieces: readonly MapPiece[]): string[] {
  const runs: { offset: number; length: number; content: string }[] = []
  for (const { offset, length, fingerprint } of pieces) {
    const content = fingerprint ? toHex(fingerprint).slice(0, 8) : '0'
    const last = runs.at(-1)
    if (last && content === '0' && last.content === '0' && last.offset + last.length === offset) last.length += length
    else runs.push({ offset, length, content })
  }
  return runs.map(({ offset, length, content }) => `${offset}+${length}=${content}`)
}

describe('a volume map', () => {
  it(`walks back to the chunks it was made of, in order and without gaps (seed ${SEED})`, async () => {
    const below = numbers(SEED)
    for (const segments of [0, 1, 2, 127, 128, 129, 300, 128 * 128, 128 * 128 + 1]) {
      const store = nodeStore()
      const map = createMapBuilder(store.store)
      const expected: MapPiece[] = []
      let volumeBytes = 0
      for (let segment = 0; segment < segments; segment++) {
        const length = segment === segments - 1 ? 1 + below(SEGMENT) : SEGMENT
        const cut = 1 + below(length)
        const chunks =
          below(3) === 0
            ? [{ length, content: 0 }]
            : [
                { length: cut, content: below(4) },
                { length: length - cut, content: below(4) },
              ].filter((chunk) => chunk.length > 0)
        map.add(scanOf(chunks))
        for (const { length: bytes, content } of chunks) {
          expected.push({ offset: volumeBytes, length: bytes, fingerprint: content === 0 ? undefined : fingerprintOf(content) })
          volumeBytes += bytes
        }
      }
      const root = map.finish()
      expect(root.level, `${segments} segments`).toBe(rootLevel(volumeBytes, SEGMENT))
      expect(joined(await piecesOf(root, store, volumeBytes))).toEqual(joined(expected))
      for (let number = 0; number < 5 && volumeBytes > 0; number++) {
        const offset = below(volumeBytes)
        const range = { offset, length: 1 + below(volumeBytes - offset) }
        const touching = expected.filter((piece) => piece.offset < range.offset + range.length && piece.offset + piece.length > range.offset)
        const walked = await piecesOf(root, store, volumeBytes, range)
        expect(walked.filter(({ fingerprint }) => fingerprint).map(({ offset: at }) => at)).toEqual(
          touching.filter(({ fingerprint }) => fingerprint).map(({ offset: at }) => at),
        )
      }
    }
  })

  it('of 1 TiB with three written places is a handful of nodes, and a range of it reads only its path', async () => {
    const store = nodeStore()
    const map = createMapBuilder(store.store)
    const zeros = scanOf([{ length: SEGMENT, content: 0 }])
    const written = [0, 77_777, TIB / SEGMENT - 1]
    for (let segment = 0; segment < TIB / SEGMENT; segment++)
      map.add(
        written.includes(segment)
          ? scanOf([
              { length: 4096, content: segment + 1 },
              { length: SEGMENT - 4096, content: 0 },
            ])
          : zeros,
      )
    const root = map.finish()
    expect(root.level).toBe(3)
    expect(store.nodes.size).toBeLessThanOrEqual(3 * 4)
    const found = (await piecesOf(root, store, TIB)).filter(({ fingerprint }) => fingerprint)
    expect(found.map(({ offset, length }) => [offset, length])).toEqual(written.map((segment) => [segment * SEGMENT, 4096]))
    const before = store.reads
    await piecesOf(root, store, TIB, { offset: 77_777 * SEGMENT + 100, length: 10 })
    expect(store.reads - before).toBe(4)
  })

  it('of nothing but zeros has no node at all, whatever its size', async () => {
    for (const segments of [0, 1, 128, 129, 20_000]) {
      const store = nodeStore()
      const map = createMapBuilder(store.store)
      for (let segment = 0; segment < segments; segment++) map.add(scanOf([{ length: SEGMENT, content: 0 }]))
      const root = map.finish()
      expect([root.reference, store.nodes.size]).toEqual([undefined, 0])
      expect((await piecesOf(root, store, segments * SEGMENT)).reduce((sum, { length }) => sum + length, 0)).toBe(segments * SEGMENT)
    }
  })

  it('holds a run of equal segments once', () => {
    const store = nodeStore()
    const map = createMapBuilder(store.store)
    for (let segment = 0; segment < 128 * 128; segment++) map.add(scanOf([{ length: SEGMENT, content: 5 }]))
    map.finish()
    expect([...store.nodes.values()].map(({ length }) => length)).toEqual([54, 38, 38])
  })

  it('of another depth than its volume needs is refused before a node is read', async () => {
    const store = nodeStore()
    for (const [volumeBytes, level] of [
      [0, 1],
      [SEGMENT, 1],
      [SEGMENT + 1, 0],
      [SEGMENT * 128, 2],
      [SEGMENT * 129, 1],
      [2 ** 53 - 1, 4],
    ] as const) {
      await expect(piecesOf({ level, reference: fingerprintOf(1) }, store, volumeBytes), `${volumeBytes} at ${level}`).rejects.toEqual(coded('OBJECT_DAMAGED'))
    }
    expect(store.reads).toBe(0)
  })
})

describe('a map node', () => {
  it(`decodes to the entries it was encoded from (seed ${SEED})`, () => {
    const below = numbers(SEED)
    for (let round = 0; round < 200; round++) {
      const level = below(7)
      const entries = Array.from({ length: 1 + below(20) }, (): MapEntry => {
        const count = 1 + below(level === 0 ? SEGMENT : 128)
        if (below(2) === 0) return { count, reference: undefined }
        const reference = fingerprintOf(below(100))
        return level === 0 ? { count, reference, changeTag: reference.slice(0, 16) } : { count, reference }
      })
      const total = entries.reduce((sum, { count }) => sum + count, 0)
      const bytes = encodeNode(level, entries)
      expect(decodeNode(bytes, level, total)).toEqual(entries)
      for (const [otherLevel, otherTotal] of [
        [level + 1, total],
        [level, total + 1],
        [level, total - 1],
      ] as const)
        expect(decodeNode(bytes, otherLevel, otherTotal)).toEqual(expect.any(String))
    }
  })

  it('that is cut off, padded or made of other bytes is refused', () => {
    const entries: MapEntry[] = [
      { count: 10, reference: undefined },
      { count: 20, reference: fingerprintOf(1), changeTag: fingerprintOf(1).slice(0, 16) },
      { count: 30, reference: undefined },
    ]
    const bytes = encodeNode(0, entries)
    for (let length = 0; length < bytes.length; length++) expect(decodeNode(bytes.subarray(0, length), 0, 60), `cut at ${length}`).toEqual(expect.any(String))
    expect(decodeNode(Uint8Array.of(...bytes, 0), 0, 60)).toEqual(expect.any(String))
    for (const kind of [2, 127, 255])
      expect(
        decodeNode(
          bytes.map((byte, at) => (at === 1 ? kind : byte)),
          0,
          60,
        ),
      ).toEqual(expect.any(String))
    expect(
      decodeNode(
        encodeNode(0, [
          { count: 0, reference: undefined },
          { count: 60, reference: undefined },
        ]),
        0,
        60,
      ),
    ).toEqual(expect.any(String))
    expect(
      decodeNode(
        encodeNode(0, [
          { count: 0xffffffff, reference: undefined },
          { count: 61, reference: undefined },
        ]),
        0,
        60,
      ),
    ).toEqual(expect.any(String))
  })
})
