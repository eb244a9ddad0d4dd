/** The JSON objects of a backup on their way to the store, and the way back when a backup fails. */
import { BlockvaultError, isBlockvaultError } from '../contract/errors.ts'
import type { ObjectStore } from '../contract/object-store.ts'
import type { BackupPlace } from './chain.ts'
import { HASH_BYTES } from './extents.ts'
import { type BackupDescription, encodeManifest } from './metadata.ts'
import { dataObjectName, metadataName, sha256FileName } from './names.ts'
import { createSha256FileWriter } from './sha256file.ts'

export interface StorePlace extends BackupPlace {
  store: ObjectStore
  signal: AbortSignal
}

/** Hashes that become text at once: 300 KiB of it. */
const HASHES_A_PART = 4096
/** Deletions at once: stores over a network take their time for each. */
const DELETIONS_AT_ONCE = 16

/** `_sha256file`, written while the backup goes on, in volume order. It has its name once `finish` resolves. */
export async function writeHashes({
  store,
  container,
  prefix,
  signal,
  description,
  blockBytes,
}: StorePlace & { description: BackupDescription; blockBytes: number }) {
  const writer = await store.create(container, sha256FileName(prefix), { signal })
  const file = createSha256FileWriter({ ...description, blockBytes })
  return {
    async add(hashes: Uint8Array): Promise<void> {
      const step = HASHES_A_PART * HASH_BYTES
      for (let at = 0; at < hashes.length; at += step) await writer.write(file.append(hashes.subarray(at, at + step)))
    },
    async finish(): Promise<void> {
      await writer.write(file.end())
      await writer.finish()
    },
    /** Nothing is left of it. After `finish` it stays: see `removeObjects`. */
    discard: () => writer.discard().catch(() => {}),
  }
}

export async function writeManifest({ store, container, prefix, signal }: StorePlace, manifest: Parameters<typeof encodeManifest>[0]): Promise<void> {
  const writer = await store.create(container, metadataName(prefix), { signal })
  try {
    for (const part of encodeManifest(manifest, prefix)) await writer.write(part)
    await writer.finish()
  } catch (error) {
    await writer.discard().catch(() => {})
    throw error
  }
}

/**
 * Removes what a backup wrote that failed with `cause`: its JSON objects and its data objects 1 to `count`; the manifest first, so that
 * what is left of an interrupted removal is no backup. When something can not be removed, the rest is, and the cause is thrown
 * with a word about it.
 */
export async function removeObjects(store: ObjectStore, { container, prefix }: BackupPlace, count: number, cause?: unknown): Promise<void> {
  const left: string[] = []
  const remove = (name: string) => store.delete(container, name).catch(() => void left.push(name))
  await remove(metadataName(prefix))
  await remove(sha256FileName(prefix))
  let next = 1
  const lane = async () => {
    while (next <= count) await remove(dataObjectName(prefix, next++))
  }
  await Promise.all(Array.from({ length: DELETIONS_AT_ONCE }, lane))
  if (left.length === 0) return
  const [first = ''] = left
  const code = isBlockvaultError(cause) ? cause.code : 'STORAGE_FAILED'
  const reason = cause instanceof Error ? cause.message : 'The backup was stopped.'
  throw new BlockvaultError(
    code,
    `${reason} ${left.length} objects that it had stored could not be removed from ${container}, ${first} among them: delete the backup.`,
    {
      details: { ...(isBlockvaultError(cause) ? cause.details : {}), container, left: left.length },
      cause,
    },
  )
}
