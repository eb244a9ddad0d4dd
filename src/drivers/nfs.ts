/**
 * Backups as files on a mounted NFS share (cinder/backup/drivers/nfs.py). Mounting is the system's: Cinder's driver mounts by itself.
 *
 * Invariant: an unmounted share is an error of every call. Its empty mount point must not pass for a store without backups: a delete would
 * succeed, and the objects stay for ever.
 */
import type { JobOptions } from '../contract/backup.ts'
import type { BackupContext } from '../contract/backup-context.ts'
import type { BackupDriverOptions } from '../contract/backup-driver.ts'
import { BlockvaultError } from '../contract/errors.ts'
import type { BackupRecord, BackupUpdates } from '../contract/records.ts'
import type { VolumeFile } from '../contract/volume.ts'
import { PosixBackupDriver, type PosixDriverOptions } from './posix.ts'

/** Which share, and how it is seen that it is there. */
export interface NfsDriverOptions extends PosixDriverOptions {
  /** `host:/path`, as the share was mounted. Cinder's `backup_share`. */
  share: string
  /** What is mounted where the store is: the share, or `undefined` for nothing. On Node: `() => mountedAt(path)`. */
  mounted: () => Promise<string | undefined>
}

/** A name, an IPv4 address or an IPv6 address in brackets, then the exported path. */
const SHARE = /^(\[[0-9a-fA-F:.]+(%[\w.-]+)?\]|[^\s:/[\]]+):\/\S*$/

/** The posix driver on a mounted NFS share. `checkForSetupError` and every call see that it is mounted. */
export class NfsBackupDriver extends PosixBackupDriver {
  readonly share: string
  readonly #mounted: () => Promise<string | undefined>

  constructor(context: BackupContext, { share, mounted, ...options }: NfsDriverOptions) {
    super(context, options)
    this.share = share
    this.#mounted = mounted
  }

  /** @throws InvalidConfigurationValue without a share, BackupDriverException when it is not mounted */
  override async checkForSetupError(): Promise<void> {
    await super.checkForSetupError()
    if (!SHARE.test(this.share))
      throw new BlockvaultError('InvalidConfigurationValue', `${JSON.stringify(this.share)} is not an NFS share: give one as host:/path (backup_share).`, {
        details: { share: this.share },
      })
    await this.#checkMounted()
  }

  override async backup(backup: BackupRecord, volumeFile: VolumeFile, options?: BackupDriverOptions): Promise<BackupUpdates | undefined> {
    await this.#checkMounted()
    return super.backup(backup, volumeFile, options)
  }

  override async restore(backup: BackupRecord, volumeId: string, volumeFile: VolumeFile, volumeIsNew: boolean, options?: JobOptions): Promise<void> {
    await this.#checkMounted()
    return super.restore(backup, volumeId, volumeFile, volumeIsNew, options)
  }

  override async deleteBackup(backup: BackupRecord): Promise<void> {
    await this.#checkMounted()
    return super.deleteBackup(backup)
  }

  async #checkMounted(): Promise<void> {
    const mounted = await this.#mounted()
    const bare = (share: string) => share.replace(/(?<=:\/.*)\/+$/, '')
    if (mounted !== undefined && bare(mounted) === bare(this.share)) return
    throw new BlockvaultError(
      'BackupDriverException',
      `The share ${this.share} is not mounted at ${this.store.description}: ${mounted === undefined ? 'nothing is' : `${mounted} is`}. Mount it there.`,
      { details: { share: this.share, mounted: mounted ?? null } },
    )
  }
}
