/** Cinder's NFS driver: the posix layout on a share that is mounted already (cinder/backup/drivers/nfs.py). */
import type { BackupContext } from '../contract/backup-context.ts'
import { BlockvaultError } from '../contract/errors.ts'
import type { ChunkedDriverOptions } from './chunked.ts'
import { PosixBackupDriver } from './posix.ts'

export interface NfsDriverOptions extends ChunkedDriverOptions {
  /** The share, `host:/path`. Cinder's `backup_share`. */
  share: string
  /** Whether the share is mounted at the store's root now. The adapter asks the system. */
  isMounted: () => Promise<boolean>
}

/** Mounting stays the system's: the driver only makes sure that it does not fill the empty directory below. */
export class NfsBackupDriver extends PosixBackupDriver {
  readonly share: string
  readonly #isMounted: () => Promise<boolean>

  constructor(context: BackupContext, options: NfsDriverOptions) {
    super(context, options)
    this.share = options.share
    this.#isMounted = options.isMounted
  }

  /** @throws InvalidConfigurationValue without a share, or while it is not mounted */
  override async checkForSetupError(): Promise<void> {
    const { description } = this.store
    if (!/^[^:\s]+:\/\S*$/.test(this.share)) throw refused(`The share '${this.share}' is not of the form host:/path.`, this.share)
    if (!(await this.#isMounted())) throw refused(`The share ${this.share} is not mounted at ${description}: mount it first.`, this.share)
  }
}

function refused(message: string, share: string): BlockvaultError {
  return new BlockvaultError('InvalidConfigurationValue', message, { details: { share } })
}
