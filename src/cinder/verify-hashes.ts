/**
 * The hashes of one backup against what it stores and what its parent says.
 *
 * Invariant: hash lists pass by from their start to their end; of a volume of any size only the hashes of a few objects are in memory.
 */
import type { ObjectStore } from '../contract/object-store.ts'
import { BLOCK_BYTES_MAX } from '../pipeline/object-decoder.ts'
import type { ChainMember } from './chain.ts'
import { type Extent, HASH_BYTES } from './extents.ts'
import { openHashStream } from './hash-stream.ts'
import type { ObjectList } from './object-list.ts'
import type { Sha256File } from './sha256file.ts'

/** Why these can not be the hashes of this backup; `undefined` when they can. */
export function hashesFault({ backupId, volumeId, blockBytes, blocks }: Sha256File, { manifest }: ChainMember): string | undefined {
  if (backupId !== manifest.backupId) return `it is of backup ${backupId}`
  if (volumeId !== manifest.volumeId) return `it is of volume ${volumeId}`
  if (blockBytes > BLOCK_BYTES_MAX) return `its blocks of ${blockBytes} bytes are longer than this program hashes`
  const { objects } = manifest
  for (let index = 0; index < objects.count; index++) {
    const end = objects.offset(index) + (objects.length(index) ?? 0)
    if (objects.offset(index) % blockBytes !== 0) return `the extent at offset ${objects.offset(index)} does not begin with a block`
    if (Math.ceil(end / blockBytes) > blocks) return `it has ${blocks} blocks, and an extent ends at ${end}`
    if (end % blockBytes !== 0 && Math.ceil(end / blockBytes) < blocks) return `the extent that ends at ${end} does not end with a block`
  }
  return undefined
}

/** Indexes of the objects by ascending offset. */
export function byOffset(objects: ObjectList): Uint32Array {
  const order = Uint32Array.from({ length: objects.count }, (_, index) => index)
  return order.sort((left, right) => objects.offset(left) - objects.offset(right))
}

export interface OwnHashes {
  /**
   * The hashes of the extent's blocks. To be asked for in ascending order; `undefined` for an extent that begins before the last one ended.
   */
  take(extent: Extent): Promise<Uint8Array<ArrayBuffer>> | undefined
  close(): Promise<void>
}

export function openOwnHashes(store: ObjectStore, member: ChainMember, blockBytes: number, signal?: AbortSignal): OwnHashes {
  const stream = openHashStream(store, member, signal)
  let block = 0
  let turn: Promise<unknown> = Promise.resolve()
  return {
    take({ offset, length }) {
      const skipped = offset / blockBytes - block
      const count = Math.ceil(length / blockBytes)
      if (skipped < 0) return undefined
      block += skipped + count
      const hashes = turn.then(async () => {
        await skip(stream, skipped)
        return stream.take(count)
      })
      // Whoever asked is told; the next ones fail on their own.
      turn = hashes.catch(() => {})
      hashes.catch(() => {})
      return hashes
    },
    close: () => stream.close(),
  }
}

/** Hashes taken at once where many pass by. */
const HASHES_AT_ONCE = 16_384

async function skip(stream: ReturnType<typeof openHashStream>, count: number): Promise<void> {
  for (let left = count; left > 0; left -= HASHES_AT_ONCE) await stream.take(Math.min(left, HASHES_AT_ONCE))
}

/** Index of the first hash in which two lists differ; `undefined` when they are equal. */
export function firstDifference(found: Uint8Array, wanted: Uint8Array): number | undefined {
  const length = Math.min(found.length, wanted.length)
  for (let at = 0; at < length; at++) if (found[at] !== wanted[at]) return Math.floor(at / HASH_BYTES)
  return found.length === wanted.length ? undefined : Math.floor(length / HASH_BYTES)
}

/**
 * A block that an incremental does not store has the hash it had in the parent. Returns the first block where this does not hold: the parent is
 * then not the one that the backup was made on.
 * @throws InvalidBackup, OBJECT_MISSING for hash lists that can not be read
 */
export async function strayBlock(
  store: ObjectStore,
  { member, parent, blocks, blockBytes }: { member: ChainMember; parent: ChainMember; blocks: number; blockBytes: number },
  signal?: AbortSignal,
): Promise<number | undefined> {
  const { objects } = member.manifest
  const order = byOffset(objects)
  let next = 0
  const isStored = (block: number) => {
    const offset = block * blockBytes
    const end = () => objects.offset(order[next]!) + (objects.length(order[next]!) ?? Infinity)
    while (next < order.length && end() <= offset) next++
    return next < order.length && objects.offset(order[next]!) <= offset
  }
  const own = openHashStream(store, member, signal)
  const before = openHashStream(store, parent, signal)
  try {
    for (let block = 0; block < blocks; ) {
      const [ours, theirs] = await Promise.all([own.take(HASHES_AT_ONCE), before.take(HASHES_AT_ONCE)])
      if (ours.length === 0) return block
      for (let at = 0; at < ours.length; at += HASH_BYTES, block++) {
        const same = firstDifference(ours.subarray(at, at + HASH_BYTES), theirs.subarray(at, at + HASH_BYTES)) === undefined
        if (!same && !isStored(block)) return block
      }
    }
    return undefined
  } finally {
    await Promise.all([own.close(), before.close()])
  }
}
