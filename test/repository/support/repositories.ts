/** Repositories to test with: on objects in memory that a test may look into and alter. */
import { createPlatform } from '../../../adapters/node/platform.ts'
import type { InitOptions, Repository } from '../../../src/contract/backup.ts'
import type { Platform } from '../../../src/contract/platform.ts'
import type { StorageBackend } from '../../../src/contract/storage.ts'
import { readConfig } from '../../../src/repository/config.ts'
import { openKeySlots } from '../../../src/repository/key-slot.ts'
import { openKeyring } from '../../../src/repository/keyring.ts'
import { initRepository, openRepository, type OpenOptions } from '../../../src/repository/open.ts'
import type { Sealer } from '../../../src/repository/seal.ts'
import { createMemoryStorage } from '../../../src/storage/memory.ts'
import { aeadOf } from '../../../src/pipeline/checksum-seal.ts'
import { noise } from './random.ts'

export type Objects = Map<string, Uint8Array<ArrayBuffer>>

export const platform: Platform = await createPlatform()

export const KEY: Uint8Array<ArrayBuffer> = noise(7, 32)

export interface TestRepository {
  id: string
  objects: Objects
  encrypted: boolean
  /** What opens it: the credentials, and the calling thread instead of workers. */
  options: OpenOptions
}

/** An empty repository in memory. 4 KiB chunks by default, so that small volumes have many. */
export async function newRepository(init: InitOptions = {}): Promise<TestRepository> {
  const encrypted = init.encryption ?? true
  const objects: Objects = new Map()
  const options: OpenOptions = { workers: 0, ...(encrypted ? { credentials: { key: KEY } } : {}) }
  const { id } = await initRepository(platform, createMemoryStorage(objects), {
    ...options,
    init: { chunker: { kind: 'fixed', size: 4096 }, ...init, encryption: encrypted },
  })
  return { id, objects, encrypted, options }
}

/** The same repository on a copy of its objects: what is done to one is not seen in the other. */
export function copyOf(repository: TestRepository): TestRepository {
  return { ...repository, objects: new Map(repository.objects) }
}

/** Opens it, runs `work`, closes it. */
export async function opened<Result>(
  { objects, options }: TestRepository,
  work: (repository: Repository) => Promise<Result>,
  { storage = createMemoryStorage(objects), on = platform, ...more }: OpenOptions & { storage?: StorageBackend; on?: Platform } = {},
): Promise<Result> {
  const repository = await openRepository(on, storage, { ...options, ...more })
  try {
    return await work(repository)
  } finally {
    await repository.close()
  }
}

/** What seals and opens the repository's objects: for tests that craft them. */
export async function sealerOf({ objects, encrypted }: TestRepository): Promise<Sealer> {
  const storage = createMemoryStorage(objects)
  const { config } = await readConfig(storage)
  const port = () => {
    throw new Error('a key needs no stretching')
  }
  const keyring = encrypted ? await openKeySlots({ storage, repositoryId: config.id, aead: platform.aead, port }, { key: KEY }) : await openKeyring(config.id)
  return { repositoryId: config.id, keyring, aead: aeadOf(encrypted, platform.aead, platform.core) }
}

/** Names of the objects under a prefix, sorted. */
export function namesUnder(objects: Objects, prefix: string): string[] {
  return [...objects.keys()].filter((name) => name.startsWith(prefix)).sort()
}

/** For `toThrow` and `rejects`: a BlockvaultError of this code. */
export function coded(...codes: string[]): object {
  return {
    asymmetricMatch: (error: unknown) =>
      error instanceof Error && error.name === 'BlockvaultError' && 'code' in error && (codes.length === 0 || codes.includes(String(error.code))),
    toString: () => 'coded',
    toAsymmetricMatcher: () => `BlockvaultError ${codes.join(' or ') || 'of any code'}`,
  }
}

/** The code a promise rejects with, or `undefined` when it resolves. Anything that is no BlockvaultError is thrown on. */
export async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise
    return undefined
  } catch (error) {
    if (error instanceof Error && error.name === 'BlockvaultError' && 'code' in error) return String(error.code)
    throw error
  }
}
