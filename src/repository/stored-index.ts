/**
 * What the repository holds: every index object, minus packs that are gone, plus packs that no index names yet.
 *
 * Invariants:
 * - a chunk counts as held only when its pack is listed with the length the index says: what is lost is stored again by the
 *   next backup instead of being referred to;
 * - an index object that is damaged or missing stops nobody: its packs are read from their own directories.
 */
import type { ChunkIndex, Core } from '../contract/core.ts'
import { BlockvaultError } from '../contract/errors.ts'
import type { StorageBackend } from '../contract/storage.ts'
import { toHex } from '../core/bytes.ts'
import { INDEX_BYTES_MAX } from './format.ts'
import { type BlockPart, joinBlock, splitBlock } from './index-block.ts'
import { INDEX_PREFIX, indexName, PACKS_PREFIX, packIdOf, packName } from './names.ts'
import { readDirectory } from './pack.ts'
import { damaged, openObject, type Sealer, sealObject } from './seal.ts'

/** Objects read at once: enough to hide a disk's or network's latency. */
const READS_AT_ONCE = 8

export interface StoredIndex {
  /** Chunks of packs that are there. */
  readonly chunks: ChunkIndex
  /** Chunks of packs that an index names but that are missing or have another length. */
  readonly lost: ChunkIndex
  /** Index objects and packs that could not be read, by name. */
  readonly problems: ReadonlyMap<string, BlockvaultError>
  /** Index objects that were read, by name. */
  readonly names: ReadonlySet<string>
  /** Packs that are listed, and their lengths. */
  readonly packs: ReadonlyMap<string, number>
  /** Packs no index object names: left by a backup that was cut off, or their index was lost. */
  unindexed(): BlockPart[]
  /** Reads what was added since the last time. Jobs call it first. */
  refresh(signal?: AbortSignal): Promise<void>
  /** Stores one index object for packs that are durable; resolves with its hex name once it is durable itself. */
  add(parts: readonly BlockPart[], signal?: AbortSignal): Promise<string>
  free(): void
}

export function createStoredIndex(core: Core, storage: StorageBackend, sealer: Sealer, random: (length: number) => Uint8Array<ArrayBuffer>): StoredIndex {
  const chunks = core.chunkIndex()
  const lost = core.chunkIndex()
  const problems = new Map<string, BlockvaultError>()
  const names = new Set<string>()
  const packs = new Map<string, number>()
  const covered = new Set<string>()
  const orphans = new Map<string, BlockPart>()
  let refreshing: Promise<void> | undefined

  /** Loads the packs of a block that are not held yet: present ones as chunks, the others as lost. */
  const take = (parts: readonly BlockPart[], object: string) => {
    const fresh = parts.filter(({ id }) => !covered.has(id))
    const held = fresh.filter(({ id, packBytes }) => packs.get(id) === packBytes)
    const gone = fresh.filter((part) => !held.includes(part))
    try {
      if (held.length > 0) chunks.load(joinBlock(held.map(({ record }) => record)))
      if (gone.length > 0) lost.load(joinBlock(gone.map(({ record }) => record)))
    } catch (error) {
      throw damaged(object, 'its list of chunks is not valid', error)
    }
    for (const { id } of fresh) covered.add(id)
    for (const { id } of parts) orphans.delete(id)
  }

  const remember = async (name: string, work: () => Promise<void>) => {
    try {
      await work()
      problems.delete(name)
    } catch (error) {
      if (!(error instanceof BlockvaultError) || (error.code !== 'OBJECT_DAMAGED' && error.code !== 'OBJECT_MISSING')) throw error
      problems.set(name, error)
    }
  }

  const readAll = async (signal: AbortSignal | undefined) => {
    // Index objects are listed before packs: a pack is durable before its index, so none can look missing by a race.
    const listed = await namesUnder(storage, INDEX_PREFIX, signal)
    for await (const { name, size } of storage.list(PACKS_PREFIX, { signal })) {
      const id = packIdOf(name)
      if (id !== undefined) packs.set(id, size)
    }
    const fresh = listed.filter((name) => !names.has(name))
    const blocks = new Map<string, BlockPart[]>()
    await eachOf(fresh, (name) =>
      remember(name, async () => {
        const block = await openObject(sealer, 'index', name, await storage.get(name, { bytesMax: INDEX_BYTES_MAX, signal }))
        blocks.set(name, splitBlock(block, name))
      }),
    )
    for (const name of fresh) {
      const parts = blocks.get(name)
      if (parts) await remember(name, async () => (take(parts, name), void names.add(name)))
    }
    const unnamed = [...packs].filter(([id]) => !covered.has(id))
    await eachOf(unnamed, ([id, size]) =>
      remember(packName(id), async () => {
        const part = await readDirectory(storage, sealer, id, size, signal)
        if (covered.has(id)) return
        take([part], packName(id))
        orphans.set(id, part)
      }),
    )
  }

  return {
    chunks,
    lost,
    problems,
    names,
    packs,
    unindexed: () => [...orphans.values()],
    refresh(signal) {
      refreshing ??= readAll(signal).finally(() => (refreshing = undefined))
      return refreshing
    },
    async add(parts, signal) {
      const id = toHex(random(16))
      const name = indexName(id)
      const sealed = await sealObject(sealer, 'index', name, random(16), joinBlock(parts.map(({ record }) => record)))
      await storage.put(name, sealed, { signal })
      for (const part of parts) packs.set(part.id, part.packBytes)
      take(parts, name)
      names.add(name)
      return id
    },
    free() {
      chunks.free()
      lost.free()
    },
  }
}

async function namesUnder(storage: StorageBackend, prefix: string, signal: AbortSignal | undefined): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of storage.list(prefix, { signal })) names.push(name)
  return names.sort()
}

/** Runs `work` over all items, a few at once. The first failure rejects, after those under way have ended. */
export async function eachOf<Item>(items: readonly Item[], work: (item: Item) => Promise<void>, atOnce = READS_AT_ONCE): Promise<void> {
  let next = 0
  let failure: { error: unknown } | undefined
  const lane = async () => {
    while (next < items.length && !failure) {
      try {
        await work(items[next++] as Item)
      } catch (error) {
        failure ??= { error }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane))
  if (failure) throw failure.error
}
