/** Opening repositories and volumes on a runtime that has files: what the adapters' `index.ts` export, each with its own platform. */
import { resolve } from 'node:path'
import type { InitOptions, Repository } from '../../src/contract/backup.ts'
import { BlockvaultError, isBlockvaultError } from '../../src/contract/errors.ts'
import type { Platform } from '../../src/contract/platform.ts'
import type { StorageBackend } from '../../src/contract/storage.ts'
import type { VolumeFile } from '../../src/contract/volume.ts'
import { createPool } from '../../src/io/pool.ts'
import { openVolumeFile } from '../../src/io/volume-file.ts'
import { type CredentialsSource, initRepository, openRepository } from '../../src/repository/open.ts'
import { createDirectoryStorage } from '../node/storage.ts'

/** Which repository, and how it is unlocked. */
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
  /** Ends the opening: it rejects with CANCELLED. */
  signal?: AbortSignal | undefined
}

/** How a file or device is opened. */
export interface OpenVolumeOptions {
  /** Open for writing in place too. False by default. */
  writable?: boolean | undefined
  /** Worker threads; 0 runs on the calling thread. 1 by default. */
  workers?: number | undefined
}

/** Opens a repository; with `create`, makes it first when there is none. */
export async function openRepositoryOn(platform: Platform, options: RepositoryOptions): Promise<Repository> {
  const storage = storageOf(options)
  try {
    return await openRepository(platform, storage, options)
  } catch (error) {
    if (!options.create || !isBlockvaultError(error, 'REPOSITORY_MISSING')) throw error
  }
  await initRepository(platform, storage, options).catch((error: unknown) => {
    // Made by somebody else in between: then it is opened like any other.
    if (!isBlockvaultError(error, 'REPOSITORY_EXISTS')) throw error
  })
  return openRepository(platform, storage, options)
}

export async function initRepositoryOn(platform: Platform, options: RepositoryOptions): Promise<{ id: string; encrypted: boolean }> {
  return initRepository(platform, storageOf(options), options)
}

/** Opens a file or block device as a handle whose methods all run in worker threads. */
export async function openVolumeOn(platform: Platform, path: string, { writable = false, workers = 1 }: OpenVolumeOptions = {}): Promise<VolumeFile> {
  const ports = await Promise.all(Array.from({ length: Math.max(1, workers) }, () => platform.spawn({ inline: workers === 0 })))
  const pool = createPool(ports)
  try {
    const file = await openVolumeFile(pool, path, { mode: writable ? 'write' : 'read' })
    const close = async () => {
      await file.close()
      await pool.close()
    }
    return { ...file, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await pool.close()
    throw error
  }
}

function storageOf({ repository }: RepositoryOptions): StorageBackend {
  if (typeof repository !== 'string') return repository
  if (repository === '') throw new BlockvaultError('USAGE', 'The repository is an empty path.')
  return createDirectoryStorage(resolve(repository))
}
