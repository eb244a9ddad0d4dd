/**
 * Chains of random volumes through the engine: every algorithm, store and number of workers. What is stored is held against
 * `support/naive.ts`; what is restored against the volumes themselves.
 */
import { afterAll, describe, expect, it } from 'vitest'
import { createDirectoryObjects } from '../../adapters/node/object-store.ts'
import type { ChainMember } from '../../src/cinder/chain.ts'
import { chainVolume } from '../../src/cinder/chain-volume.ts'
import type { CompressionName } from '../../src/cinder/compression.ts'
import { dataObjectName } from '../../src/cinder/names.ts'
import { planRestore } from '../../src/cinder/restore-plan.ts'
import { verifyBackup } from '../../src/cinder/verify-backup.ts'
import type { ObjectStore } from '../../src/contract/object-store.ts'
import type { Port } from '../../src/contract/port.ts'
import { createMemoryObjects } from '../../src/storage/memory-objects.ts'
import { noise, numbers, SEED } from '../repository/support/random.ts'
import { temporaryDirectory } from '../repository/support/volumes.ts'
import { backUp, changedVolume, COMPRESSIONS, CONTAINER, now, portsOf, randomVolume, restoredOver, same } from './support/engine.ts'
import { backupIdOf, prefixOf } from './support/manifests.ts'
import { HAS_BZIP2, type NaiveBackup, naiveExtents, naiveHashes, naiveRead, naiveRestore } from './support/naive.ts'

const crews: Record<string, readonly Port[]> = { 'the calling thread': await portsOf(0), 'two workers': await portsOf(2), 'three workers': await portsOf(3) }
afterAll(() => Promise.all(Object.values(crews).flatMap((ports) => ports.map((port) => port.close()))))
const stores: Record<string, () => ObjectStore> = { memory: () => createMemoryObjects(), 'a directory': () => createDirectoryObjects(temporaryDirectory()) }

interface Sizes {
  volumeBytes: number
  objectBytes: number
  blockBytes: number
}

/** Backs four days of a volume up, and checks everything that can be said of each. */
async function checkChain(store: ObjectStore, ports: readonly Port[], seed: number, { volumeBytes, ...sizes }: Sizes, compression: CompressionName) {
  const chain: ChainMember[] = []
  const naive: NaiveBackup[] = []
  let volume = randomVolume(seed, volumeBytes)
  let expected = Buffer.alloc(0)
  for (let number = 1; number <= 4; number++) {
    if (number > 1) volume = changedVolume(volume, seed + number)
    chain.push(await backUp(volume, { store, ports, number, compression, ...sizes }))
    const read = await naiveRead(store, CONTAINER, prefixOf(number))

    const extents = naiveExtents(volume, sizes.objectBytes, sizes.blockBytes, naive.at(-1)?.sha256s)
    expect(read.objects.map(({ offset, length }) => [offset, length])).toEqual(extents)
    expect(read.objects.map(({ name }) => name)).toEqual(extents.map((_, index) => dataObjectName(prefixOf(number), index + 1)))
    expect(read.sha256s).toEqual(naiveHashes(volume, sizes.blockBytes))
    expect(read.parentId).toBe(number === 1 ? null : backupIdOf(number - 1))
    for (const { compression: recorded, storedBytes, length } of read.objects) {
      expect([compression, 'none']).toContain(recorded)
      if (recorded === 'none') expect(storedBytes).toBe(length)
      else expect(storedBytes).toBeLessThan(length)
    }
    naive.push(read)

    // What a smaller volume no longer has stays as the parent had it, as in Cinder.
    expected = Buffer.concat([volume, expected.subarray(volume.length)])
    expect(same(naiveRestore(naive, new Uint8Array(expected.length)), expected)).toBe(true)
    const parent = chain.at(-2)
    expect((await verifyBackup(chain.at(-1)!, { store, ports, now, parent })).findings).toEqual([])
  }
  expect(same(await restoredOver(chain, { store, ports }), expected), 'to a new volume').toBe(true)
  expect(same(await restoredOver(chain, { store, ports, checkFirst: false }), expected), 'to a new volume in one pass').toBe(true)
  const before = noise(seed, expected.length + 10_000)
  const over = Buffer.concat([expected, before.subarray(expected.length)])
  expect(same(await restoredOver(chain, { store, ports, before }), over), 'over another volume').toBe(true)
  expect(same(await readWhole(chain, store, ports, seed), expected), 'read in order').toBe(true)
}

/** Reads a chain as a backup does: several reads at once, almost in order. */
async function readWhole(chain: readonly ChainMember[], store: ObjectStore, ports: readonly Port[], seed: number): Promise<Buffer> {
  const below = numbers(seed)
  const file = chainVolume(planRestore(chain), { store, ports })
  const whole = Buffer.alloc(file.size)
  const reads: { offset: number; length: number }[] = []
  for (let offset = 0; offset < file.size; ) {
    const length = Math.min(file.size - offset, 1 + below(200_000))
    reads.splice(reads.length - Math.min(reads.length, below(4)), 0, { offset, length })
    offset += length
  }
  await Promise.all(reads.map(async ({ offset, length }) => whole.set(await file.readAt(offset, length), offset)))
  await file.close()
  return whole
}

for (const [crew, ports] of Object.entries(crews)) {
  for (const [place, makeStore] of Object.entries(stores)) {
    describe(`by ${crew}, in ${place}`, () => {
      for (const compression of COMPRESSIONS) {
        it.skipIf(compression === 'bz2' && !HAS_BZIP2)(
          `a chain with ${compression} is what the format says, and restores (seed ${SEED})`,
          { timeout: 120_000 },
          async () => {
            const below = numbers(SEED)
            for (const blockBytes of [512, 1000, 4096]) {
              const objectBytes = blockBytes * (1 + below(40))
              const volumeBytes = [0, 1, blockBytes - 1, objectBytes * 3, below(500_000), 200_000 + below(400_000)][below(6)]!
              await checkChain(makeStore(), ports, SEED + blockBytes, { volumeBytes, objectBytes, blockBytes }, compression)
            }
          },
        )
      }
    })
  }
}

describe('objects of several parts', () => {
  const cases = Object.entries(crews).flatMap(([crew, ports]) => COMPRESSIONS.map((compression) => ({ crew, ports, compression })))
  for (const { crew, ports, compression } of cases) {
    // bzip2 takes its time: one crew, that shares its objects, is enough.
    const skipped = compression === 'bz2' && (!HAS_BZIP2 || crew !== 'two workers')
    it.skipIf(skipped)(`with ${compression}, by ${crew} (seed ${SEED})`, { timeout: 120_000 }, async () => {
      // 4 MiB is no multiple of the block size, nor the object of the part, nor the volume of anything.
      const blockBytes = 30_000
      const volumeBytes = (compression === 'bz2' ? 5_000_000 : 10_000_000) + numbers(SEED)(1_000_000)
      await checkChain(createMemoryObjects(), ports, SEED, { volumeBytes, objectBytes: blockBytes * 217, blockBytes }, compression)
    })
  }

  it.each(['none', 'zlib', 'zstd'] as const)('one object with %s that three workers share', { timeout: 60_000 }, async (compression) => {
    const volume = randomVolume(SEED, 40_000_000)
    const store = createMemoryObjects()
    await backUp(volume, { store, ports: crews['three workers']!, number: 1, compression, objectBytes: 32_768 * 2000, blockBytes: 32_768 })
    // Its MD5 and hashes are checked while it is read.
    const { objects, sha256s } = await naiveRead(store, CONTAINER, prefixOf(1))
    expect(objects.map(({ offset, plain }) => [offset, same(plain, volume)])).toEqual([[0, true]])
    expect(sha256s).toEqual(naiveHashes(volume, 32_768))
  })
})
