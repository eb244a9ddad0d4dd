/**
 * Finds what an incremental backup stores: all blocks of the volume are hashed over the workers and compared with the parent's.
 *
 * Invariant: batches come in volume order, and a bounded number of them is under way.
 */
import { throwIfCancelled } from '../contract/errors.ts'
import { invoke } from '../io/operation.ts'
import { hashBlocks } from '../pipeline/object-encode-operations.ts'
import { transferOf } from '../pipeline/segment-input.ts'
import { createExtentFinder, type Extent } from './extents.ts'
import type { HashStream } from './hash-stream.ts'
import { type PartsContext, partBytes } from './write-parts.ts'

export interface ScannedPart extends Extent {
  /** Of its blocks, 32 bytes each. */
  hashes: Uint8Array<ArrayBuffer>
  /** Bytes of the part that are the parent's, a short last block for a whole one. */
  unchangedBytes: number
  /** Extents that differ from the parent and are known since this part; they may have begun before it. */
  changed: Extent[]
}

/** Parts under way a worker: one is hashed, one waits, and some wait for their turn. */
const PARTS_A_WORKER = 4

export async function* scanChanges(context: PartsContext, parent: HashStream, objectBytes: number): AsyncGenerator<ScannedPart> {
  const { source, blockBytes } = context
  const finder = createExtentFinder({ volumeBytes: source.size, objectBytes, blockBytes })
  for await (const { offset, length, hashes } of hashedParts(context)) {
    const unchanged = finder.compare(hashes, await parent.take(Math.ceil(length / blockBytes)))
    const last = offset + length === source.size
    yield { offset, length, hashes, unchangedBytes: Math.min(length, unchanged * blockBytes), changed: last ? finder.finish() : finder.take() }
  }
}

async function* hashedParts(context: PartsContext): AsyncGenerator<Omit<ScannedPart, 'changed' | 'unchangedBytes'>> {
  const { seats, source, blockBytes, signal } = context
  const step = partBytes(blockBytes)
  const hash = async (offset: number, length: number) => {
    const seat = await seats.take()
    try {
      throwIfCancelled(signal)
      const input = await source.input(offset, length)
      return { offset, length, hashes: await invoke(seat.port, hashBlocks, { blockBytes, input }, transferOf(input)) }
    } finally {
      seat.free()
    }
  }
  const running: ReturnType<typeof hash>[] = []
  try {
    for (let offset = 0; offset < source.size || running.length > 0; ) {
      while (offset < source.size && running.length < seats.ports.length * PARTS_A_WORKER) {
        const length = Math.min(step, source.size - offset)
        const part = hash(offset, length)
        // Awaited in its turn.
        part.catch(() => {})
        running.push(part)
        offset += length
      }
      yield await running.shift()!
    }
  } finally {
    await Promise.allSettled(running)
  }
}
