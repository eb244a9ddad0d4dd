/**
 * blockvault on Bun: `import { openRepository } from 'blockvault'`.
 */
import type { Repository } from '../../src/contract/backup.ts'
import type { VolumeFile } from '../../src/contract/volume.ts'
import { initRepositoryOn, type OpenVolumeOptions, openRepositoryOn, openVolumeOn, type RepositoryOptions } from '../shared/library.ts'
import { createPlatform } from './platform.ts'

export * from '../shared/exports.ts'

/**
 * Opens a repository; with `create`, makes it first when there is none.
 * @throws BlockvaultError REPOSITORY_MISSING, REPOSITORY_INVALID, REPOSITORY_UNSUPPORTED, KEY_REQUIRED, KEY_WRONG, KEY_REFUSED
 */
export async function openRepository(options: RepositoryOptions): Promise<Repository> {
  return openRepositoryOn(await createPlatform(), options)
}

/**
 * Makes a repository.
 * @throws BlockvaultError REPOSITORY_EXISTS, REPOSITORY_INVALID, KEY_REQUIRED
 */
export async function initRepository(options: RepositoryOptions): Promise<{ id: string; encrypted: boolean }> {
  return initRepositoryOn(await createPlatform(), options)
}

/**
 * Opens a file or block device as a handle whose methods all run in worker threads.
 * @throws BlockvaultError SOURCE_* when it can not be read, TARGET_* when it can not be written
 */
export async function openVolume(path: string, options: OpenVolumeOptions = {}): Promise<VolumeFile> {
  return openVolumeOn(await createPlatform(), path, options)
}
