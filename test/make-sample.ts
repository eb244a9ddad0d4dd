/**
 * `npm run sample`: makes test/vectors/repository-v1 anew, the same bytes each time as long as the format and the codecs stay.
 * Run it only when the format changes before its first release; after that a stored sample is never edited.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { nodeHashes } from '../adapters/node/hashes.ts'
import { createPlatform } from '../adapters/node/platform.ts'
import { createDirectoryStorage } from '../adapters/node/storage.ts'
import type { ChunkerOptions } from '../src/contract/core.ts'
import type { Platform } from '../src/contract/platform.ts'
import type { VolumeFile } from '../src/contract/volume.ts'
import { createFallbackCore } from '../src/core/fallback.ts'
import { encodeKeyFile } from '../src/cli/key-file.ts'
import { createInlinePort } from '../src/io/inline.ts'
import { workerHandlers } from '../src/pipeline/worker.ts'
import { addKeySlot, openKeySlots } from '../src/repository/key-slot.ts'
import { initRepository, openRepository, type OpenOptions } from '../src/repository/open.ts'

const ROOT = 'test/vectors/repository-v1'
const KIB = 1024
const SEGMENT = 4096 * KIB
const PASSPHRASE = 'correct horse battery staple'

/** xorshift32: the sample must not depend on a machine's randomness. */
function generator(seed: number): (length: number) => Uint8Array<ArrayBuffer> {
  let state = seed
  return (length) =>
    Uint8Array.from({ length }, () => {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      return state & 0xff
    })
}

/** Lines that compress, different for each seed. */
function text(seed: number, length: number): Uint8Array {
  const words = generator(seed)(256).map((word) => word % 32)
  const lines = Array.from({ length: Math.ceil(length / 16) }, (_, line) => `line ${line} is ${words[(line * 7) % 256]} of ${words[line % 251]}\n`)
  return new TextEncoder().encode(lines.join('')).subarray(0, length)
}

/** Five segments: data and repeats, all zero, two that are equal, and a tail of no round length. */
function firstVolume(): Uint8Array<ArrayBuffer> {
  const volume = new Uint8Array(4 * SEGMENT + 300 * KIB + 123)
  volume.set(text(1, 150 * KIB), 0)
  volume.set(generator(2)(4 * KIB), 256 * KIB)
  volume.set(volume.subarray(0, 64 * KIB), 1024 * KIB)
  for (const segment of [2, 3]) {
    volume.set(volume.subarray(64 * KIB, 128 * KIB), segment * SEGMENT)
    volume.set(text(3, 1000), segment * SEGMENT + 640 * KIB)
  }
  volume.set(text(4, 123), volume.length - 123)
  return volume
}

function secondVolume(): Uint8Array<ArrayBuffer> {
  const volume = firstVolume()
  volume.set(text(5, 5000), 100 * KIB)
  volume.fill(0, 3 * SEGMENT, 4 * SEGMENT)
  return volume
}

/** A text with a piece moved in: content-defined cuts meet again behind it. */
function movedVolume(): Uint8Array<ArrayBuffer> {
  const first = text(6, 90 * KIB)
  const volume = new Uint8Array(200 * KIB + 1)
  volume.set(first, 0)
  volume.set(generator(7)(777), 90 * KIB)
  volume.set(first, 90 * KIB + 777)
  return volume
}

function handle(volume: Uint8Array<ArrayBuffer>): VolumeFile {
  const { length: size } = volume
  return { kind: 'file', size, readAt: async (offset: number, length: number) => volume.slice(offset, offset + length) } as Partial<VolumeFile> as VolumeFile
}

interface SampleBackup {
  id: string
  bytes: number
  sha256: string
}

async function makeRepository(
  platform: Platform,
  name: string,
  options: { credentials?: { key: Uint8Array }; chunker?: ChunkerOptions },
  volumes: readonly Uint8Array<ArrayBuffer>[],
): Promise<SampleBackup[]> {
  const storage = createDirectoryStorage(`${ROOT}/${name}`)
  const open: OpenOptions = { credentials: options.credentials, workers: 0 }
  await initRepository(platform, storage, { ...open, init: { encryption: options.credentials !== undefined, chunker: options.chunker } })
  const repository = await openRepository(platform, storage, open)
  if (options.credentials) {
    const slots = { storage, repositoryId: repository.id, aead: platform.aead, port: () => port(platform) }
    await addKeySlot(slots, { passphrase: PASSPHRASE }, await openKeySlots(slots, options.credentials), platform.random)
  }
  const backups: SampleBackup[] = []
  for (const volume of volumes) {
    const { id } = await repository.backup(handle(volume), { volume: 'sample', tags: { sample: name } })
    backups.push({ id, bytes: volume.length, sha256: createHash('sha256').update(volume).digest('hex') })
  }
  await repository.close()
  rmSync(`${ROOT}/${name}/tmp`, { recursive: true, force: true })
  return backups
}

function port({ core, aead }: Platform) {
  const none = { open: () => Promise.reject(new Error('The sample has no volumes to open.')) }
  return createInlinePort(workerHandlers({ core, aead, hashes: nodeHashes, volumes: none }))
}

/** Time stands at a day of its own for each repository, and goes on by a second each look. */
function fixed(platform: Platform, seed: number): Platform {
  let now = Date.UTC(2026, 0, seed, 12)
  const still = { ...platform, random: generator(seed), hostName: 'sample-host', now: () => (now += 1000) }
  return { ...still, spawn: () => port(still) }
}

for (const name of ['encrypted', 'open']) rmSync(`${ROOT}/${name}`, { recursive: true, force: true })
mkdirSync(ROOT, { recursive: true })
const platform = await createPlatform()
const key = generator(11)(32)
const encrypted = await makeRepository(fixed(platform, 12), 'encrypted', { credentials: { key } }, [firstVolume(), secondVolume()])
const fallback = fixed({ ...platform, core: await createFallbackCore() }, 13)
const open = await makeRepository(fallback, 'open', { chunker: { kind: 'fastcdc', min: KIB, average: 4 * KIB, max: 16 * KIB } }, [movedVolume()])
writeFileSync(`${ROOT}/encrypted.key`, encodeKeyFile(key))
writeFileSync(`${ROOT}/sample.json`, `${JSON.stringify({ passphrase: PASSPHRASE, encrypted, open }, null, 2)}\n`)
