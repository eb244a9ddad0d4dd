/** What speaks against a backup before it begins (cinder/backup/chunkeddriver.py, `_prepare_backup` and `backup`). */
import { BlockvaultError } from '../contract/errors.ts'
import type { ObjectStore } from '../contract/object-store.ts'
import { BLOCK_BYTES_MAX } from '../pipeline/object-decoder.ts'
import type { BackupPlace } from './chain.ts'
import { describeHashes } from './hash-stream.ts'
import { checkContainer, checkPrefix, parseObjectName } from './names.ts'

/** zstd's encoder takes no longer frame; 34 times Cinder's default. */
export const OBJECT_BYTES_MAX = 64 * 1024 ** 3

/** @throws InvalidBackup, InvalidConfigurationValue, InvalidInput */
export function checkSizes({ objectBytes, blockBytes, container, prefix }: BackupPlace & { objectBytes: number; blockBytes: number }): void {
  checkContainer(container)
  checkPrefix(prefix)
  const check = (what: string, bytes: number, most: number) => {
    if (Number.isSafeInteger(bytes) && bytes >= 1 && bytes <= most) return
    throw new BlockvaultError('InvalidConfigurationValue', `The ${what} size must be 1 to ${most} bytes, not ${bytes}.`, {
      details: { [`${what}Bytes`]: bytes },
    })
  }
  check('block', blockBytes, BLOCK_BYTES_MAX)
  check('object', objectBytes, OBJECT_BYTES_MAX)
  if (objectBytes % blockBytes !== 0)
    throw new BlockvaultError(
      'InvalidBackup',
      `Chunk size is not multiple of block size for creating hash: choose an object size that is a multiple of ${blockBytes} bytes, not ${objectBytes}.`,
      { details: { objectBytes, blockBytes } },
    )
}

export interface ParentCheck {
  store: ObjectStore
  parent?: (BackupPlace & { id: string; store?: ObjectStore | undefined }) | undefined
  blockBytes: number
  signal?: AbortSignal | undefined
}

/** @throws InvalidBackup when an incremental can not be made on the parent, OBJECT_MISSING when it has no hashes */
export async function checkParent({ store, parent, blockBytes, signal }: ParentCheck, volumeBytes: number): Promise<void> {
  if (!parent) return
  const hashes = await describeHashes(parent.store ?? store, parent, signal)
  const refuse = (reason: string, details: Record<string, number | string>) => {
    throw new BlockvaultError('InvalidBackup', `${reason} Do a full backup.`, { details: { parentId: parent.id, ...details } })
  }
  if (hashes.backupId !== parent.id) refuse(`The hashes at the parent's place are of another backup, ${hashes.backupId}.`, { backupId: hashes.backupId })
  if (hashes.blockBytes !== blockBytes)
    refuse(`Hash block size has changed since the last backup: it was ${hashes.blockBytes} bytes and is ${blockBytes} now.`, { blockBytes: hashes.blockBytes })
  // Cinder compares sizes in GiB only, and fails with an IndexError after it stored some objects.
  const blocks = Math.ceil(volumeBytes / blockBytes)
  if (blocks > hashes.blocks)
    refuse(`Volume size increased since the last backup: it has ${blocks} blocks of ${blockBytes} bytes now, ${hashes.blocks} then.`, { blocks: hashes.blocks })
}

/** Objects under these names are another backup's, or another try's: overwriting them would destroy it. @throws InvalidBackup */
export async function checkUnused(store: ObjectStore, { container, prefix }: BackupPlace, signal: AbortSignal | undefined): Promise<void> {
  for await (const { name } of store.list(container, prefix, { signal })) {
    if (parseObjectName(name)?.prefix !== prefix) continue
    throw new BlockvaultError('InvalidBackup', `${container} already has ${name}: delete what is left of that backup first, or choose another prefix.`, {
      details: { container, object: name },
    })
  }
}
