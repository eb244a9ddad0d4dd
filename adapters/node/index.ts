/**
 * blockvault on Node: `import { openRepository } from 'blockvault'`.
 */
import { resolve } from 'node:path'
import type { InitOptions, Repository } from '../../src/contract/backup.ts'
import { BlockvaultError, isBlockvaultError } from '../../src/contract/errors.ts'
import type { StorageBackend } from '../../src/contract/storage.ts'
import { type CredentialsSource, initRepository as init, openRepository as open } from '../../src/repository/open.ts'
import { createPlatform } from './platform.ts'
import { createDirectoryStorage } from './storage.ts'

export type * from '../../src/contract/backup.ts'
export { BlockvaultError, ERROR_CODES, type ErrorCode, type ErrorDetails, isBlockvaultError } from '../../src/contract/errors.ts'
export type { ChunkerOptions } from '../../src/contract/core.ts'
export type { ObjectOptions, ObjectReader, ObjectStore, ObjectWriter, StoredFile } from '../../src/contract/object-store.ts'
export { OBJECT_NAME, type StorageBackend, type StorageOptions, type StoredObject } from '../../src/contract/storage.ts'
export type { VolumeFile, VolumeKind } from '../../src/contract/volume.ts'
export type { CredentialsSource } from '../../src/repository/open.ts'
export { createMemoryStorage } from '../../src/storage/memory.ts'
export { createMemoryObjects } from '../../src/storage/memory-objects.ts'
export { createDirectoryObjects } from './object-store.ts'
export { createDirectoryStorage } from './storage.ts'
export { openVolume } from './volume-file.ts'

export interface RepositoryOptions {
  /** A directory, or a storage backend of your own. */
  repository: string | StorageBackend
  /** Passphrase or key; or a function that is asked for them once the repository's id is known. */
  credentials?: CredentialsSource | undefined
  /** Make the repository when there is none. False by default. */
  create?: boolean | undefined
  /** What a new repository is like. */
  init?: InitOptions | undefined
  /** Worker threads; 0 runs everything on the calling thread. The processors available by default. */
  workers?: number | undefined
  signal?: AbortSignal | undefined
}

/**
 * Opens a repository; with `create`, makes it first when there is none.
 * @throws BlockvaultError REPOSITORY_MISSING, REPOSITORY_INVALID, REPOSITORY_UNSUPPORTED, KEY_REQUIRED, KEY_WRONG, KEY_REFUSED
 */
export async function openRepository(options: RepositoryOptions): Promise<Repository> {
  const platform = await createPlatform()
  const storage = storageOf(options)
  try {
    return await open(platform, storage, options)
  } catch (error) {
    if (!options.create || !isBlockvaultError(error, 'REPOSITORY_MISSING')) throw error
  }
  await init(platform, storage, options).catch((error: unknown) => {
    // Made by somebody else in between: then it is opened like any other.
    if (!isBlockvaultError(error, 'REPOSITORY_EXISTS')) throw error
  })
  return open(platform, storage, options)
}

/**
 * Makes a repository.
 * @throws BlockvaultError REPOSITORY_EXISTS, REPOSITORY_INVALID, KEY_REQUIRED
 */
export async function initRepository(options: RepositoryOptions): Promise<{ id: string; encrypted: boolean }> {
  return init(await createPlatform(), storageOf(options), options)
}

function storageOf({ repository }: RepositoryOptions): StorageBackend {
  if (typeof repository !== 'string') return repository
  if (repository === '') throw new BlockvaultError('USAGE', 'The repository is an empty path.')
  return createDirectoryStorage(resolve(repository))
}
