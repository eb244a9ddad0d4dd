/** A platform with little memory plans fewer chunks and reads shorter pieces, and gives the same. */
import { expect, it } from 'vitest'
import type { Platform } from '../../src/contract/platform.ts'
import type { StorageBackend } from '../../src/contract/storage.ts'
import { type DecodeArgument, decodeFrames } from '../../src/pipeline/decode-operations.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { noise } from './support/random.ts'
import { newRepository, opened, platform } from './support/repositories.ts'
import { fileOf, restored } from './support/volumes.ts'

const KIB = 1024
const MIB = 1024 * KIB
const FRAME_BYTES = MIB

it('in a restore, a check and an open backup', async () => {
  const repository = await newRepository({ chunker: { kind: 'fixed', size: 64 * KIB } })
  const volume = noise(1, 20 * MIB + 5)
  const { id } = await opened(repository, (open) => open.backup(fileOf(volume)))
  const run = async (on: Platform) => {
    const seen = { longest: 0, ranges: 0, chunksMost: 0 }
    const inner = createMemoryStorage(repository.objects)
    const storage: StorageBackend = {
      ...inner,
      getRange(name, offset, length, options) {
        seen.ranges++
        seen.longest = Math.max(seen.longest, length)
        return inner.getRange(name, offset, length, options)
      },
    }
    const spying: Platform = {
      ...on,
      async spawn(options) {
        const port = await on.spawn(options)
        return {
          ...port,
          call(operation, argument, transfer) {
            if (operation === decodeFrames.name) {
              const chunks = (argument as DecodeArgument).frames.reduce((sum, { writes }) => sum + writes.length / 4, 0)
              seen.chunksMost = Math.max(seen.chunksMost, chunks)
            }
            return port.call(operation, argument, transfer)
          },
        }
      },
    }
    await opened(
      repository,
      async (open) => {
        expect(Buffer.compare(await restored(open, id), volume)).toBe(0)
        expect(await open.verify({ readData: true })).toMatchObject({ errors: [], chunks: 321 })
        const file = await open.openBackup(id)
        expect(Buffer.compare(await file.readAt(3, 18 * MIB), volume.subarray(3, 3 + 18 * MIB))).toBe(0)
        await file.close()
      },
      { storage, on: spying },
    )
    return seen
  }
  const much = await run(platform)
  expect(much.longest).toBeGreaterThan(3 * FRAME_BYTES)
  expect(much.chunksMost).toBeGreaterThan(32)
  const little = await run({ ...platform, batchBytes: 2 * FRAME_BYTES, planChunks: 10 })
  expect(little.longest).toBeLessThanOrEqual(2 * FRAME_BYTES)
  expect(little.chunksMost).toBe(10)
  expect(little.ranges).toBeGreaterThan(much.ranges)
})
