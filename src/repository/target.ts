/**
 * Where a restore writes. Everything that speaks against the target is found out before a byte is written.
 *
 * A file is written under a temporary name and gets its own when it is whole; a block device is written in place.
 */
import type { RestoreOptions } from '../contract/backup.ts'
import { BlockvaultError } from '../contract/errors.ts'
import type { PooledVolume } from '../io/pool.ts'
import type { RepositoryContext } from './context.ts'
import type { Manifest } from './manifest.ts'

export interface RestoreTarget {
  readonly volume: PooledVolume
  /** True when what is not written reads as zeros: a new file. */
  readonly startsZero: boolean
  /** Makes the restore durable and visible. */
  commit(): Promise<void>
  /** Leaves no half-written file behind; a device keeps what was written. */
  discard(): Promise<void>
}

export async function openTarget(
  { platform, pool }: RepositoryContext,
  path: string,
  bytes: number,
  manifest: Manifest,
  options: RestoreOptions,
): Promise<RestoreTarget> {
  const facts = await platform.volumeFacts(path).catch((error: unknown) => {
    if (error instanceof BlockvaultError && error.code === 'SOURCE_DENIED')
      throw new BlockvaultError('TARGET_DENIED', error.message, { cause: error, details: error.details })
    if (error instanceof BlockvaultError && error.code === 'SOURCE_UNSUPPORTED')
      throw new BlockvaultError(
        'TARGET_UNSUPPORTED',
        `${path} is neither a regular file nor a block device: name a file that does not exist yet, or a device.`,
        { cause: error, details: { path } },
      )
    throw error
  })
  if (facts) {
    const details = { path, size: facts.size, needed: bytes }
    const isSource = manifest.sourcePath === facts.path && manifest.hostName === platform.hostName
    if (facts.inUse !== undefined)
      throw new BlockvaultError('TARGET_IN_USE', `${path} is in use (${facts.inUse}). Unmount it or stop what uses it first.`, { details })
    if (isSource && !options.overwriteSource)
      throw new BlockvaultError(
        'TARGET_IS_SOURCE',
        `${path} is the volume this backup was made from. To overwrite it, say so: --overwrite-source (overwriteSource).`,
        { details },
      )
    if (!options.force && !(isSource && options.overwriteSource))
      throw new BlockvaultError('TARGET_EXISTS', `${path} exists. To overwrite it, say so: --force (force).`, { details })
    if (facts.kind === 'block-device') {
      if (facts.size < bytes) throw new BlockvaultError('TARGET_TOO_SMALL', `${path} has ${facts.size} bytes, ${bytes} are needed.`, { details })
      const volume = await pool.openVolume(path, { mode: 'write' })
      return {
        volume,
        startsZero: false,
        async commit() {
          await volume.flush()
          await volume.close()
        },
        discard: () => volume.close(),
      }
    }
  }
  const file = await platform.createTarget(path, { size: bytes, replace: facts !== undefined })
  let volume: PooledVolume
  try {
    volume = await pool.openVolume(file.path, { mode: 'write' })
  } catch (error) {
    await file.discard()
    throw error
  }
  return {
    volume,
    startsZero: true,
    async commit() {
      await volume.flush()
      await volume.close()
      await file.commit()
    },
    async discard() {
      await volume.close()
      await file.discard()
    },
  }
}
