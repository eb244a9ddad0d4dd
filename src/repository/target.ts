/**
 * Where a restore writes. Everything that speaks against the target is found out before a byte is written.
 *
 * A file is written under a temporary name and gets its own when it is whole; a block device is written in place.
 */
import type { RestoreOptions } from '../contract/backup.ts'
import { BlockvaultError } from '../contract/errors.ts'
import type { Platform } from '../contract/platform.ts'
import type { PooledVolume } from '../io/pool.ts'
import type { RepositoryContext } from './context.ts'
import type { Manifest } from './manifest.ts'

export interface RestoreTarget extends Omit<PreparedTarget, 'path'> {
  readonly volume: PooledVolume
}

export async function openTarget(
  { platform, pool }: RepositoryContext,
  path: string,
  bytes: number,
  { sourcePath, hostName }: Manifest,
  options: RestoreOptions,
): Promise<RestoreTarget> {
  const target = await prepareTarget(platform, path, bytes, { ...options, source: { path: sourcePath, hostName } })
  let volume: PooledVolume
  try {
    volume = await pool.openVolume(target.path, { mode: 'write' })
  } catch (error) {
    await target.discard()
    throw error
  }
  return {
    volume,
    startsZero: target.startsZero,
    async commit() {
      await volume.flush()
      await volume.close()
      await target.commit()
    },
    async discard() {
      await volume.close()
      await target.discard()
    },
  }
}

export interface PreparedTarget {
  /** What is opened and written. */
  readonly path: string
  /** True when what is not written reads as zeros: a new file. */
  readonly startsZero: boolean
  /** Makes the restore visible, once everything is written and durable. */
  commit(): Promise<void>
  /** Leaves no half-written file behind; a device keeps what was written. */
  discard(): Promise<void>
}

export interface PrepareTargetOptions extends Pick<RestoreOptions, 'force' | 'overwriteSource'> {
  /** The volume that the backup was made from, where that is known. */
  source?: { path: string; hostName: string } | undefined
}

/** Checks what is at `path`, and makes the file that is written where it is no device. @throws TARGET_* */
export async function prepareTarget(platform: Platform, path: string, bytes: number, options: PrepareTargetOptions): Promise<PreparedTarget> {
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
    // A machine that could not tell its name (Deno without permission) may be this one.
    const hostNames = new Set([options.source?.hostName, platform.hostName].filter((name) => name !== ''))
    const isSource = options.source?.path === facts.path && hostNames.size < 2
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
      return { path, startsZero: false, commit: async () => {}, discard: async () => {} }
    }
  }
  const file = await platform.createTarget(path, { size: bytes, replace: facts !== undefined })
  return { path: file.path, startsZero: true, commit: () => file.commit(), discard: () => file.discard() }
}
