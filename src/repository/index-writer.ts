/**
 * Index objects of one backup. Invariant: a pack is handed in only once it is durable, so an index never names what a crash
 * could take away.
 */
import { FINGERPRINT_BYTES } from '../contract/core.ts'
import { INDEX_CHUNKS } from './format.ts'
import type { BlockPart } from './index-block.ts'
import type { StoredIndex } from './stored-index.ts'

export interface IndexWriter {
  /** Names a durable pack; writes an index object when enough of them wait. */
  add(part: BlockPart): Promise<void>
  /** Writes what waits. Resolves when every index object of this backup is durable. */
  flush(): Promise<void>
  /** Hex names of the index objects written. */
  readonly names: readonly string[]
}

/** Packs that no index names yet, from a backup that was cut off, are named by this one's first index. */
export function createIndexWriter(index: StoredIndex): IndexWriter {
  const names: string[] = []
  let waiting = index.unindexed()
  let waitingBytes = 0
  let writing: Promise<void> = Promise.resolve()
  const flush = () => {
    const parts = waiting
    waiting = []
    waitingBytes = 0
    if (parts.length > 0) writing = writing.then(async () => void names.push(await index.add(parts)))
    return writing
  }
  return {
    names,
    async add(part) {
      waiting.push(part)
      waitingBytes += part.record.length
      if (waitingBytes >= INDEX_CHUNKS * FINGERPRINT_BYTES) await flush()
    },
    flush,
  }
}
