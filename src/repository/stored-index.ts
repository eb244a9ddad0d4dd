/**
 * What the repository holds: every index object, minus packs that are gone, plus packs that no index names yet.
 *
 * Invariants:
 * - a chunk counts as held only when its pack is listed with the length the index says: what is lost is stored again by the
 *   next backup instead of being referred to;
 * - an index object that is damaged or missing stops nobody: its packs are read from their own directories;
 * - a pack that goes or comes back between two refreshes is noticed by the second.
 */
import type { ChunkIndex, Core } from '../contract/core.ts'
import { BlockvaultError, type ErrorCode, throwIfCancelled } from '../contract/errors.ts'
import type { StorageBackend } from '../contract/storage.ts'
import { toHex } from '../core/bytes.ts'
import { INDEX_BYTES_MAX } from './format.ts'
import { type BlockPart, joinBlock, splitBlock } from './index-block.ts'
import { INDEX_PREFIX, indexName, PACKS_PREFIX, packIdOf, packName } from './names.ts'
import { readDirectory } from './pack.ts'
import { damaged, openObject, type Sealer, sealObject } from './seal.ts'

/** Objects read at once: enough to hide a disk's or network's latency. */
const READS_AT_ONCE = 8
/** What is wrong with one object and stops nobody; a newer version's objects are passed over like damaged ones. */
const DAMAGE: readonly ErrorCode[] = ['OBJECT_DAMAGED', 'OBJECT_MISSING', 'REPOSITORY_UNSUPPORTED']
const INDEX_NAME = new RegExp(`^${INDEX_PREFIX}[0-9a-f]{32}$`)

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
  let chunks = core.chunkIndex()
  let lost = core.chunkIndex()
  const problems = new Map<string, BlockvaultError>()
  const names = new Set<string>()
  const packs = new Map<string, number>()
  /** Packs whose chunks are loaded: as held when it was there with this length, as lost otherwise. */
  const loaded = new Map<string, { packBytes: number; held: boolean }>()
  const orphans = new Map<string, BlockPart>()
  let refreshing: Promise<void> = Promise.resolve()

  /** Loads the packs of a block that are not held yet: present ones as chunks, the others as lost. */
  const take = (parts: readonly BlockPart[], object: string) => {
    const fresh = parts.filter(({ id }) => !loaded.has(id))
    const held = fresh.filter(({ id, packBytes }) => packs.get(id) === packBytes)
    const gone = fresh.filter((part) => !held.includes(part))
    try {
      if (held.length > 0) chunks.load(joinBlock(held.map(({ record }) => record)))
      if (gone.length > 0) lost.load(joinBlock(gone.map(({ record }) => record)))
    } catch (error) {
      throw damaged(object, 'its list of chunks is not valid', error)
    }
    for (const part of fresh) loaded.set(part.id, { packBytes: part.packBytes, held: held.includes(part) })
    for (const { id } of parts) orphans.delete(id)
  }

  const remember = async (name: string, work: () => Promise<void>) => {
    try {
      await work()
      problems.delete(name)
    } catch (error) {
      if (!(error instanceof BlockvaultError) || !DAMAGE.includes(error.code)) throw error
      problems.set(name, error)
    }
  }

  const readAll = async (signal: AbortSignal | undefined) => {
    throwIfCancelled(signal)
    const known = { names: [...names], loaded: [...loaded] }
    // Index objects are listed before packs: a pack is durable before its index, so none can look missing by a race.
    const listed = await indexNames(storage, signal)
    const there = await packSizes(storage, signal)
    forget(known, new Set(listed), there)
    for (const [id, size] of there) packs.set(id, size)
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
    const unnamed = [...packs].filter(([id]) => !loaded.has(id))
    await eachOf(unnamed, ([id, size]) =>
      remember(packName(id), async () => {
        const part = await readDirectory(storage, sealer, id, size, signal)
        if (loaded.has(id)) return
        take([part], packName(id))
        orphans.set(id, part)
      }),
    )
  }

  /**
   * Drops what the listings no longer show of what was known before they began. The core's index can not take a pack out:
   * when one is not as it was, both are made anew from the index objects.
   */
  const forget = (
    known: { names: string[]; loaded: [string, { packBytes: number; held: boolean }][] },
    listed: ReadonlySet<string>,
    there: ReadonlyMap<string, number>,
  ) => {
    for (const name of known.names) if (!listed.has(name)) names.delete(name)
    for (const name of problems.keys()) if (!listed.has(name) && !there.has(packIdOf(name) ?? '')) problems.delete(name)
    for (const id of packs.keys()) if (!there.has(id) && known.loaded.some(([other]) => other === id)) packs.delete(id)
    if (known.loaded.every(([id, { packBytes, held }]) => (there.get(id) === packBytes) === held)) return
    chunks.free()
    lost.free()
    chunks = core.chunkIndex()
    lost = core.chunkIndex()
    names.clear()
    loaded.clear()
    orphans.clear()
  }

  return {
    get chunks() {
      return chunks
    },
    get lost() {
      return lost
    },
    problems,
    names,
    packs,
    unindexed: () => [...orphans.values()],
    refresh(signal) {
      // Each job has its own: joining one under way would miss what was stored since it began, and be cancelled with its job.
      const mine = refreshing.then(() => readAll(signal))
      refreshing = mine.catch(() => {})
      return mine
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

/** Sorted; what others put beside them is not ours to read. */
async function indexNames(storage: StorageBackend, signal: AbortSignal | undefined): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of storage.list(INDEX_PREFIX, { signal })) if (INDEX_NAME.test(name)) names.push(name)
  return names.sort()
}

/** Length of every pack by its id. */
async function packSizes(storage: StorageBackend, signal: AbortSignal | undefined): Promise<Map<string, number>> {
  const sizes = new Map<string, number>()
  for await (const { name, size } of storage.list(PACKS_PREFIX, { signal })) {
    const id = packIdOf(name)
    if (id !== undefined) sizes.set(id, size)
  }
  return sizes
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
