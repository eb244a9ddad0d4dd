/**
 * The hashes of a `_sha256file` as they are asked for, from its start to its end.
 *
 * Invariant: the file is read only as far as somebody asks: 32 bytes for each 32 KiB of a volume are not held in memory.
 */
import type { ObjectStore } from '../contract/object-store.ts'
import { concatBytes } from '../core/bytes.ts'
import type { BackupPlace } from './chain.ts'
import { HASH_BYTES } from './extents.ts'
import { sha256FileName } from './names.ts'
import { objectPieces } from './object-pieces.ts'
import { readSha256File, type Sha256File } from './sha256file.ts'

export interface HashStream {
  /** The next `count` hashes, 32 bytes each; fewer at the end of the file. @throws InvalidBackup, OBJECT_MISSING */
  take(count: number): Promise<Uint8Array<ArrayBuffer>>
  /** Ends the reading. */
  close(): Promise<void>
}

/** Reads the whole file for what it says beside its hashes. @throws InvalidBackup, OBJECT_MISSING */
export function describeHashes(store: ObjectStore, { container, prefix }: BackupPlace, signal?: AbortSignal): Promise<Sha256File> {
  return readSha256File(objectPieces(store, container, sha256FileName(prefix), { signal }), { prefix })
}

export function openHashStream(store: ObjectStore, { container, prefix }: BackupPlace, signal?: AbortSignal): HashStream {
  let batches: Uint8Array<ArrayBuffer>[] = []
  let held = 0
  let wanted = 0
  let state: 'reading' | 'ended' | 'closed' = 'reading'
  let failure: { error: unknown } | undefined
  let wakeReader = () => {}
  let wakeTaker = () => {}

  async function* asWanted(pieces: AsyncIterable<Uint8Array>) {
    for await (const piece of pieces) {
      while (held >= wanted && state === 'reading') {
        wakeTaker()
        await new Promise<void>((resolve) => (wakeReader = resolve))
      }
      if (state === 'closed') return
      yield piece
    }
  }
  const onHashes = (hashes: Uint8Array<ArrayBuffer>) => {
    batches.push(hashes)
    held += hashes.length
  }
  const reading = readSha256File(asWanted(objectPieces(store, container, sha256FileName(prefix), { signal })), { prefix, onHashes })
    .catch((error: unknown) => {
      // Closed before its end, the file is no whole JSON.
      if (state !== 'closed') failure = { error }
    })
    .then(() => {
      if (state === 'reading') state = 'ended'
      wakeTaker()
    })
  return {
    async take(count) {
      wanted = count * HASH_BYTES
      while (held < wanted && state === 'reading') {
        wakeReader()
        await new Promise<void>((resolve) => (wakeTaker = resolve))
      }
      if (failure) throw failure.error
      const all = concatBytes(batches)
      const taken = all.slice(0, wanted)
      const rest = all.slice(taken.length)
      batches = rest.length > 0 ? [rest] : []
      held = rest.length
      wanted = 0
      return taken
    },
    async close() {
      if (state === 'reading') state = 'closed'
      wakeReader()
      await reading
    },
  }
}
