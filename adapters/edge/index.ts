/**
 * blockvault where there are no files and no threads, in browsers and edge workers: `import { openRepository } from 'blockvault/edge'`.
 *
 * Everything runs on the calling thread, one frame at a time with turns of the event loop between; sources are Blobs, streams and
 * addresses, targets are streams and range writers, and a repository is behind HTTP, in memory, or behind a storage of your own.
 */
import type { InitOptions } from '../../src/contract/backup.ts'
import { isBlockvaultError } from '../../src/contract/errors.ts'
import type { StorageBackend } from '../../src/contract/storage.ts'
import { type CredentialsSource, initRepository as init, openRepository as open } from '../../src/repository/open.ts'
import { type CoreSource, loadCore } from './core.ts'
import { createPlatform } from './platform.ts'
import { type EdgeRepository, edgeRepository } from './repository.ts'
import { createTargets } from './targets.ts'

export type * from '../../src/contract/backup.ts'
export type { ChunkerOptions } from '../../src/contract/core.ts'
export { BlockvaultError, ERROR_CODES, type ErrorCode, type ErrorDetails, isBlockvaultError } from '../../src/contract/errors.ts'
export { OBJECT_NAME, type StorageBackend, type StorageOptions, type StoredObject } from '../../src/contract/storage.ts'
export type { MaybePromise, VolumeFile, VolumeKind } from '../../src/contract/volume.ts'
export type { CredentialsSource } from '../../src/repository/open.ts'
export { createHttpStorage, type HttpStorageOptions } from '../../src/storage/http.ts'
export type { HttpOptions } from '../../src/storage/http-client.ts'
export { createListing } from '../../src/storage/listing.ts'
export { createMemoryStorage } from '../../src/storage/memory.ts'
export { createStorage, type OwnStorageOptions, type StorageFunctions } from '../../src/storage/own-storage.ts'
export type { CoreSource } from './core.ts'
export type { EdgeRepository, RestoreToOptions, RestoreToResult } from './repository.ts'
export { blobVolume, fetchVolume, streamVolume } from './sources.ts'
export type { RangeWriter } from './targets.ts'

/** Which repository, and how it is unlocked. */
export interface RepositoryOptions {
  /** Where the objects are, for instance `createHttpStorage({ url })`. */
  storage: StorageBackend
  /** The WebAssembly core: a compiled module, or in a browser the address of `blockvault/core.wasm`. */
  core: CoreSource
  /**
   * Passphrase or key; or a function that is asked for them once the repository's id is known. A passphrase costs a quarter of a
   * second of computing and 64 MiB: edge workers with less take a key.
   */
  credentials?: CredentialsSource | undefined
  /** Make the repository when there is none. False by default. */
  create?: boolean | undefined
  /** What a new repository is like. */
  init?: InitOptions | undefined
  /** Ends the opening: it rejects with CANCELLED. */
  signal?: AbortSignal | undefined
}

/**
 * Opens a repository; with `create`, makes it first when there is none.
 * @throws BlockvaultError CORE_UNAVAILABLE, REPOSITORY_MISSING, REPOSITORY_INVALID, REPOSITORY_UNSUPPORTED, KEY_REQUIRED, KEY_WRONG,
 * KEY_REFUSED, the storage's
 */
export async function openRepository(options: RepositoryOptions): Promise<EdgeRepository> {
  const targets = createTargets()
  const platform = createPlatform(await loadCore(options.core), targets)
  const { storage, credentials, signal } = options
  const opened = () => open(platform, storage, { credentials, signal })
  const repository = await opened().catch(async (error: unknown) => {
    if (!options.create || !isBlockvaultError(error, 'REPOSITORY_MISSING')) throw error
    await init(platform, storage, { credentials, signal, init: options.init }).catch((error: unknown) => {
      // Made by somebody else in between: then it is opened like any other.
      if (!isBlockvaultError(error, 'REPOSITORY_EXISTS')) throw error
    })
    return opened()
  })
  return edgeRepository(repository, targets)
}
