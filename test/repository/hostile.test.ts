/**
 * What a client with the keys may plant, by malice or by a defect: it is refused with a code, soon and in little memory, no wrong
 * byte is restored, and whoever did not ask for it goes on undisturbed.
 */
import { beforeEach, describe, expect, it } from 'vitest'
import { concatBytes, toHex } from '../../src/core/bytes.ts'
import { encodePackRecord, joinBlock } from '../../src/repository/index-block.ts'
import { encodeNode, type MapEntry } from '../../src/repository/map-node.ts'
import { readDirectory } from '../../src/repository/pack.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { codeOf, coded, copyOf, namesUnder, newRepository, opened, sealerOf, type TestRepository } from './support/repositories.ts'
import { fingerprintOf, manifestFields, plantChunks, plantIndex, plantManifest } from './support/hostile.ts'
import { noise } from './support/random.ts'
import { freshPath, handleOf, restored, spread, volumeOf } from './support/volumes.ts'

const MIB = 1024 * 1024
const SEGMENT = 4 * MIB
const same = (left: Uint8Array, right: Uint8Array) => Buffer.compare(left, right) === 0
const honestVolume = volumeOf(5 * MIB, spread(1, 5 * MIB, 20))
const start = await newRepository()
const { id: honest } = await opened(start, (open) => open.backup(handleOf(honestVolume), { volume: 'honest' }))

let repository: TestRepository
beforeEach(() => {
  repository = copyOf(start)
})

/** The honest backup is listed, whole and verified, and a new one can be made. */
async function undisturbed(): Promise<void> {
  await opened(repository, async (open) => {
    expect((await open.list({ volume: 'honest' })).map(({ id }) => id)).toEqual([honest])
    expect(same(await restored(open, honest), honestVolume)).toBe(true)
    expect((await open.verify({ readData: true, backups: [honest] })).errors.filter(({ backups }) => backups.includes(honest))).toEqual([])
    const { id } = await open.backup(handleOf(noise(5, 20_000)))
    expect(same(await restored(open, id), noise(5, 20_000))).toBe(true)
  })
}

/** Restore rejects with a code for damage, verify names the manifest or what it needs; both within the time and memory. */
async function isTold(id: string, { seconds = 20, mebibytes = 400 } = {}): Promise<void> {
  const from = performance.now()
  const before = process.memoryUsage.rss()
  await opened(repository, async (open) => {
    await expect(restored(open, id)).rejects.toEqual(coded('OBJECT_DAMAGED', 'OBJECT_MISSING', 'REPOSITORY_UNSUPPORTED'))
    const { errors } = await open.verify({ readData: true })
    expect(errors.flatMap(({ backups }) => backups)).toContain(id)
    expect(errors.flatMap(({ backups }) => backups)).not.toContain(honest)
  })
  expect((performance.now() - from) / 1000).toBeLessThan(seconds)
  expect((process.memoryUsage.rss() - before) / MIB).toBeLessThan(mebibytes)
}

describe('a manifest', () => {
  const hex = 'ab'.repeat(32)
  const bad: Record<string, Record<string, unknown>> = {
    'of another version': { version: 2 },
    'of another id': { id: '00000000-0000-4000-8000-000000000000' },
    'with an id that is a path': { id: '../../etc/passwd' },
    'of a negative size': { volumeBytes: -1 },
    'of a fractional size': { volumeBytes: 1.5 },
    'of a size beyond what numbers hold': { volumeBytes: 2 ** 53 },
    'of a size that is text': { volumeBytes: '1000' },
    'of no size': { volumeBytes: null },
    'with a root of level -1': { root: { level: -1, fingerprint: hex } },
    'with a root of level 8': { root: { level: 8, fingerprint: hex } },
    'with a root of level 2^31': { root: { level: 2 ** 31, fingerprint: hex } },
    'with a root fingerprint that is short': { root: { level: 0, fingerprint: 'ab' } },
    'with a root fingerprint that is no hex': { root: { level: 0, fingerprint: 'zz'.repeat(32) } },
    'without a root': { root: undefined },
    'with a list as its root': { root: [] },
    'with a name that is empty': { volume: '' },
    'with a name that is long': { volume: 'x'.repeat(100_000) },
    'with too many tags': { tags: Object.fromEntries(Array.from({ length: 300 }, (_, tag) => [`tag${tag}`, 'x'])) },
    'with tags that are no texts': { tags: { a: { b: 1 } } },
    'with tags that are a list': { tags: ['a'] },
    'with index names that are paths': { indexes: ['../../config'] },
    'with a hundred thousand indexes': { indexes: Array.from({ length: 17_000 }, () => 'ab'.repeat(16)) },
    'with a date that is none': { createdAt: 'the day after tomorrow' },
    'with negative seconds': { seconds: -1 },
    'with a field more': { extra: true },
  }
  for (const [what, fields] of Object.entries(bad)) {
    it(`${what} is told as damaged, and hides no other`, async () => {
      const id = await plantManifest(repository, fields)
      await isTold(id)
      await opened(repository, async (open) => {
        const damaged: string[] = []
        expect((await open.list({ onDamaged: (name) => damaged.push(name) })).map((backup) => backup.id)).toEqual([honest])
        expect(damaged).toEqual([id])
        await expect(open.show(id)).rejects.toEqual(coded('OBJECT_DAMAGED'))
        expect(await open.delete([id])).toEqual([id])
      })
      await undisturbed()
    })
  }

  it.each([
    ['no JSON', '{'],
    ['empty', ''],
    ['null', 'null'],
    ['a list', '[]'],
    ['deeply nested', '['.repeat(900_000)],
    ['deeply nested and closed', `${'['.repeat(400_000)}${']'.repeat(400_000)}`],
    ['a number that is none', `{"version":1e999}`],
  ])('that is %s is told as damaged', async (_, text) => {
    await isTold(await plantManifest(repository, () => text))
    await undisturbed()
  })

  it('longer than a manifest can be is told as damaged without being opened', async () => {
    await isTold(await plantManifest(repository, () => ' '.repeat(MIB + 1)))
    await undisturbed()
  })

  it('with keys that every object has changes no object', async () => {
    const tags = '"tags":{"__proto__":"polluted","constructor":"x","toString":"y","plain":"z"}'
    const again = await plantManifest(repository, (id) => JSON.stringify(manifestFields(id)).replace('"tags":{}', tags))
    await opened(repository, async (open) => {
      const info = await open.show(again)
      expect(info.tags).toMatchObject({ constructor: 'x', toString: 'y', plain: 'z' })
      expect(Object.getPrototypeOf(info.tags) === Object.prototype || Object.getPrototypeOf(info.tags) === null).toBe(true)
      expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
      expect(JSON.parse(JSON.stringify(info))).toMatchObject({ id: again })
    })
    await undisturbed()
  })

  it('from the future is the latest, and the honest one is still had by its id and volume', async () => {
    await plantManifest(repository, { createdAt: '9999-12-31T23:59:59.000Z', volumeBytes: 0 })
    await opened(repository, async (open) => {
      expect((await open.list()).length).toBe(2)
      expect((await open.show('latest:honest')).id).toBe(honest)
    })
    await undisturbed()
  })

  it('whose volume is larger than any disk is refused soon when it is not zeros, and takes no room when it is', async () => {
    const largest = Number.MAX_SAFE_INTEGER
    for (const level of [0, 1, 4, 6, 7]) await isTold(await plantManifest(repository, { volumeBytes: largest, root: { level, fingerprint: hex } }))
    await isTold(await plantManifest(repository, { volumeBytes: largest, root: { level: 5, fingerprint: hex } }))
    const zeros = await plantManifest(repository, { volumeBytes: largest, root: { level: 5, fingerprint: null } })
    await opened(repository, async (open) => {
      expect((await open.verify({ backups: [zeros], readData: true })).errors).toEqual([])
      const code = await codeOf(open.restore(zeros, freshPath(), { range: { offset: largest - 5000, length: 5000 } }))
      expect(code).toBeUndefined()
      const target = freshPath()
      expect([undefined, 'TARGET_FULL', 'TARGET_WRITE_FAILED', 'TARGET_DENIED']).toContain(await codeOf(open.restore(zeros, target)))
    })
    await undisturbed()
  })

  it('in thousands makes the list longer, not wrong', async () => {
    for (let number = 0; number < 300; number++) await plantManifest(repository, number % 2 ? { volumeBytes: -1 } : { volumeBytes: 0 })
    await opened(repository, async (open) => {
      let damaged = 0
      expect((await open.list({ onDamaged: () => damaged++ })).length).toBe(151)
      expect(damaged).toBe(150)
    })
    await undisturbed()
  })
})

describe('a volume map', () => {
  const fingerprint = (byte: number) => new Uint8Array(32).fill(byte)
  /** Plants nodes and a manifest whose root is the first one. */
  async function plantMap(volumeBytes: number, level: number, root: Uint8Array, others: readonly Uint8Array[] = []): Promise<string> {
    const [first] = await plantChunks(repository, [root, ...others])
    return plantManifest(repository, { volumeBytes, root: { level, fingerprint: toHex(first!) } })
  }
  const leaf = (...entries: MapEntry[]) => encodeNode(0, entries)
  const zeros = (count: number): MapEntry => ({ count, reference: undefined })

  const chunk = noise(7, 1000)
  const maps: Record<string, () => Promise<string>> = {
    'whose leaf adds up to less than its volume': () => plantMap(1000, 0, leaf(zeros(500), { count: 499, reference: fingerprint(1) })),
    'whose leaf adds up to more than its volume': () => plantMap(1000, 0, leaf(zeros(500), { count: 501, reference: fingerprint(1) })),
    'whose leaf wraps around 32 bits': () => plantMap(1000, 0, leaf(zeros(0xffffffff), zeros(1001))),
    'whose leaf has an empty entry': () => plantMap(1000, 0, concatBytes([leaf(zeros(1000)), Uint8Array.of(0, 0, 0, 0, 0)])),
    'whose leaf is cut off': () => plantMap(1000, 0, leaf({ count: 1000, reference: fingerprint(1) }).subarray(0, 30)),
    'whose leaf has an entry of an unknown kind': () => plantMap(1000, 0, Uint8Array.of(0, 7, 232, 3, 0, 0)),
    'whose leaf is empty': () => plantMap(1000, 0, Uint8Array.of(0)),
    'whose root is another level than it says': () => plantMap(1000, 0, encodeNode(1, [zeros(1)])),
    'whose child is its own level': () => plantMap(SEGMENT * 2, 1, encodeNode(1, [{ count: 2, reference: fingerprint(2) }])),
    'whose chunk is in no pack': () => plantMap(1000, 0, leaf({ count: 1000, reference: fingerprint(3) })),
    'that asks for another length than its chunk has': async () => {
      const [held] = await plantChunks(repository, [chunk])
      return plantMap(2000, 0, leaf({ count: 2000, reference: held }))
    },
    'with four million entries for a chunk that is not there': async () => {
      const entries = Array.from({ length: 100_000 }, () => ({ count: 1, reference: fingerprint(4) }))
      return plantMap(100_000, 0, leaf(...entries))
    },
    'with more children than its volume has segments': () => plantMap(SEGMENT * 2, 1, encodeNode(1, [{ count: 3, reference: fingerprint(5) }])),
    'with fewer children than its volume has segments': () => plantMap(SEGMENT * 3, 1, encodeNode(1, [{ count: 2, reference: fingerprint(5) }])),
    'that leads to a node that is not there, 2^31 times': () =>
      plantMap(Number.MAX_SAFE_INTEGER, 5, encodeNode(5, [{ count: Math.ceil((2 ** 53 - 1) / (SEGMENT * 128 ** 4)), reference: fingerprint(6) }])),
  }
  for (const [what, plant] of Object.entries(maps)) {
    it(`${what} is told as damaged`, async () => {
      const id = await plant()
      await isTold(id)
      await undisturbed()
    })
  }

  it('that repeats one leaf through every level is verified by reading each node once, and restores a range of it', async () => {
    // As deep as maps go: 2^31 segments that are all the same leaf. Legal, if absurd.
    const [held] = await plantChunks(repository, [noise(8, 4096)])
    let node = leaf(...Array.from({ length: SEGMENT / 4096 }, () => ({ count: 4096, reference: held })))
    let [reference] = await plantChunks(repository, [node])
    const volumeBytes = SEGMENT * 128 ** 4
    for (let level = 1; level <= 4; level++) {
      node = encodeNode(level, [{ count: 128, reference }])
      ;[reference] = await plantChunks(repository, [node])
    }
    const id = await plantManifest(repository, { volumeBytes, root: { level: 4, fingerprint: toHex(reference!) } })
    const from = performance.now()
    await opened(repository, async (open) => {
      expect((await open.verify({ readData: true, backups: [id] })).errors).toEqual([])
      const offset = volumeBytes / 2 + 4096 * 3 + 5
      const bytes = await restored(open, id, { range: { offset, length: 5000 } })
      expect(same(bytes, Buffer.concat([noise(8, 4096), noise(8, 4096)]).subarray(5, 5005))).toBe(true)
      // The whole of it fills any disk: it can be cancelled at once.
      const stop = new AbortController()
      setTimeout(() => stop.abort(), 50)
      expect(['CANCELLED', 'TARGET_FULL', 'TARGET_WRITE_FAILED']).toContain(await codeOf(restored(open, id, { signal: stop.signal })))
    })
    expect(performance.now() - from).toBeLessThan(10_000)
    await undisturbed()
  })

  it('whose first node is lost is checked behind it too', async () => {
    const before = new Set(repository.objects.keys())
    const [held] = await plantChunks(repository, [chunk])
    const pack = namesUnder(repository.objects, 'packs/').find((name) => !before.has(name))!
    const tail = leaf({ count: 1000, reference: held })
    const root = encodeNode(1, [
      { count: 1, reference: fingerprint(9) },
      { count: 1, reference: await fingerprintOf(repository, tail) },
    ])
    const id = await plantMap(SEGMENT + 1000, 1, root, [tail])
    repository.objects.delete(pack)
    await opened(repository, async (open) => {
      const { errors } = await open.verify({ readData: true })
      expect(errors.map(({ object, backups }) => [object, backups])).toEqual(
        expect.arrayContaining([
          ['index/', [id]],
          [pack, [id]],
        ]),
      )
    })
  })

  it('is checked also when another volume holds the bytes of one of its nodes', async () => {
    const before = new Set(repository.objects.keys())
    const [held] = await plantChunks(repository, [chunk])
    const pack = namesUnder(repository.objects, 'packs/').find((name) => !before.has(name))!
    const node = leaf({ count: 1000, reference: held })
    const id = await plantMap(1000, 0, node)
    // A volume whose only chunk is that node; it is verified first by its id.
    await opened(repository, (open) => open.backup(handleOf(node), { id: '00000000-0000-4000-8000-000000000001' }))
    repository.objects.set(
      pack,
      repository.objects.get(pack)!.map((byte, at) => (at === 100 ? byte ^ 1 : byte)),
    )
    await opened(repository, async (open) => {
      expect(await codeOf(restored(open, id))).toBe('OBJECT_DAMAGED')
      expect((await open.verify({ readData: true })).errors.flatMap(({ backups }) => backups)).toContain(id)
    })
  })
})

describe('an index', () => {
  const record = {
    id: new Uint8Array(16).fill(1),
    packBytes: 1000,
    frames: [{ storedBytes: 100, plainBytes: 100, codec: 0, lengths: Uint32Array.of(100), fingerprints: new Uint8Array(32).fill(1) }],
  }
  const block = joinBlock([encodePackRecord(record)])
  const at = (offset: number, ...bytes: number[]) => block.map((byte, index) => bytes[index - offset] ?? byte)
  const blocks: Record<string, Uint8Array> = {
    empty: new Uint8Array(0),
    'cut off': block.subarray(0, -1),
    'with a byte more': concatBytes([block, Uint8Array.of(0)]),
    'with four billion packs': at(0, 0xff, 0xff, 0xff, 0xff),
    'with four billion frames': at(24, 0xff, 0xff, 0xff, 0xff),
    'with 65535 chunks in 100 bytes': at(38, 0xff, 0xff),
    'with a chunk of four billion bytes': at(40, 0xff, 0xff, 0xff, 0xff),
    'with no packs': new Uint8Array(4),
    'with a frame of no bytes': at(28, 0, 0, 0, 0),
    'with a frame beyond its pack': at(28, 0, 0, 0, 1),
    'with a frame of 4 GiB of plaintext': at(32, 0xff, 0xff, 0xff, 0xff),
    'with an unknown codec': at(36, 99),
  }
  for (const [what, content] of Object.entries(blocks)) {
    it(`${what} is told as damaged and stops nobody`, async () => {
      const name = await plantIndex(repository, content)
      await opened(repository, async (open) => {
        expect((await open.verify({ readData: true })).errors).toMatchObject([{ object: name, code: 'OBJECT_DAMAGED', backups: [] }])
      })
      await undisturbed()
    })
  }

  it('that names packs which are not there takes nothing from the backups', async () => {
    await plantIndex(repository, block)
    await undisturbed()
  })

  it('that says what a frame does not hold leads to no wrong byte', async () => {
    const right = noise(901, 4096)
    const wrong = noise(902, 4096)
    const claim = await fingerprintOf(repository, right)
    await plantChunks(repository, [wrong], (frame) => ({ ...frame, fingerprints: claim.slice() }))
    await opened(repository, async (open) => {
      const { id, newBytes } = await open.backup(handleOf(right))
      expect(newBytes).toBe(0)
      // Deduplicated against a promise: nobody can know before it is read, but then it is told.
      expect(await codeOf(restored(open, id))).toBe('OBJECT_DAMAGED')
      expect((await open.verify({ readData: true })).errors.flatMap(({ backups }) => backups)).toContain(id)
    })
    await undisturbed()
  })

  // The core keeps the first place of a fingerprint only, so one that a client with the keys planted shadows a good copy. It costs
  // the restore, which docs/format.md says; it never costs a wrong byte.
  it('that promises a chunk of an honest backup is found out by its restore and by verify', async () => {
    const names = new Set(repository.objects.keys())
    const claim = await fingerprintOf(repository, honestVolume.slice(0, 4096))
    await plantChunks(repository, [noise(902, 4096)], (frame) => ({ ...frame, fingerprints: claim.slice() }))
    // Read before all others.
    for (const name of namesUnder(repository.objects, 'index/')) if (!names.has(name)) repository.objects.delete(name)
    const pack = namesUnder(repository.objects, 'packs/').find((name) => !names.has(name))!
    const { record } = await readDirectory(
      createMemoryStorage(repository.objects),
      await sealerOf(repository),
      pack.slice('packs/xx/'.length),
      repository.objects.get(pack)!.length,
    )
    await plantIndex(repository, joinBlock([record]), `index/${'0'.repeat(32)}`)
    await opened(repository, async (open) => {
      expect(await codeOf(restored(open, honest))).toBe('OBJECT_DAMAGED')
      expect((await open.verify({ readData: true })).errors).toContainEqual(expect.objectContaining({ object: pack, backups: [honest] }))
    })
  })

  it.each([
    ['another codec', { codec: 1 }],
    ['more plaintext', { plainBytes: 1_000_000, lengths: Uint32Array.of(1_000_000) }],
    ['less plaintext', { plainBytes: 500, lengths: Uint32Array.of(500) }],
    ['the most plaintext there can be', { codec: 1, plainBytes: 2 ** 24, lengths: Uint32Array.of(2 ** 24) }],
  ])('that says %s than a frame has leads to an error', async (_, change) => {
    const content = noise(11, 1000)
    const [held] = await plantChunks(repository, [content], (frame) => ({ ...frame, ...change }))
    const length = 'lengths' in change ? (change.lengths as Uint32Array)[0]! : 1000
    const [node] = await plantChunks(repository, [
      encodeNode(0, length <= SEGMENT ? [{ count: length, reference: held }] : [{ count: SEGMENT, reference: held }]),
    ])
    await isTold(await plantManifest(repository, { volumeBytes: Math.min(length, SEGMENT), root: { level: 0, fingerprint: toHex(node!) } }))
    await undisturbed()
  })
})
