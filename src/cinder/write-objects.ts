/**
 * Writes the data objects of a backup: which extents they are of, under which numbers, and how many at once.
 *
 * Invariant: numbers go up with the offsets from 1 without a gap, as Cinder's do, whatever order the objects are finished in.
 */
import { createObjectList, type ObjectList } from './object-list.ts'
import { type Extent, fullExtents } from './extents.ts'
import type { HashStream } from './hash-stream.ts'
import { dataObjectName } from './names.ts'
import { createHashOrder } from './write-hashes.ts'
import { type ObjectContext, type WrittenObject, writeObject } from './write-object.ts'
import { PARTS_A_QUESTION, partBytes } from './write-parts.ts'
import { scanChanges } from './write-scan.ts'

export interface ObjectsContext extends ObjectContext {
  prefix: string
  objectBytes: number
  /** Of the parent, from its first block on; `undefined` for a full backup. */
  parentHashes: HashStream | undefined
  /** Gets the hashes of all blocks in volume order. */
  onHashes(hashes: Uint8Array<ArrayBuffer>): Promise<void>
  /** The next object is being written from now on. */
  onStart(): void
  /** So many bytes of the volume are the parent's. */
  onUnchanged(bytes: number): void
  /** Told of the first failure; `signal` must fire then. */
  onFailure(error: unknown): void
}

/** Objects under way, those included that wait for the disk: small ones spend most of their time there. */
const OBJECTS_AT_ONCE = 8

export async function writeObjects(context: ObjectsContext): Promise<ObjectList> {
  const { prefix, seats, objectBytes, source, onHashes } = context
  const hashes = createHashOrder({
    ...context,
    volumeBytes: source.size,
    async onHashes(found) {
      // A store that takes no hashes would be noticed only when all data is there.
      await onHashes(found).catch((error: unknown) => {
        context.onFailure(error)
        throw error
      })
    },
  })
  const entries = createEntries()
  const atOnce = createGate(OBJECTS_AT_ONCE)
  // More large objects than workers would only compete for them.
  const largeAtOnce = createGate(seats.ports.length)
  const running = new Set<Promise<void>>()
  let number = 0

  const start = async (extent: Extent) => {
    const own = ++number
    hashes.expect(extent)
    const done = await atOnce.enter()
    const isLarge = extent.length > partBytes(context.blockBytes)
    const encoded = isLarge ? await largeAtOnce.enter() : () => {}
    const write = async () => {
      try {
        context.signal.throwIfAborted()
        context.onStart()
        const written = await writeObject(context, dataObjectName(prefix, own), extent, encoded)
        entries.add(own, extent, written)
        hashes.stored(extent, written.sha256s)
      } catch (error) {
        context.onFailure(error)
        throw error
      } finally {
        encoded()
        done()
      }
    }
    const task = write()
    running.add(task)
    // Whoever waits for all is told; the others are stopped by the signal.
    task.catch(() => {}).finally(() => running.delete(task))
  }

  const full = async () => {
    for (const extent of fullExtents(source.size, objectBytes)) {
      await context.check()
      await start(extent)
      void hashes.settle(extent.offset + extent.length)
    }
  }
  const incremental = async (parent: HashStream) => {
    let parts = 0
    let unit = -1
    for await (const { offset, length, hashes: found, unchangedBytes, changed } of scanChanges(context, parent, objectBytes)) {
      const own = Math.floor(offset / objectBytes)
      if (own !== unit || parts++ % PARTS_A_QUESTION === 0) await context.check()
      unit = own
      hashes.put(offset, found)
      context.onUnchanged(unchangedBytes)
      for (const extent of changed) await start(extent)
      // The extents of a read unit are all known once the next one has begun.
      void hashes.settle(offset + length - 1)
    }
  }
  try {
    await (context.parentHashes ? incremental(context.parentHashes) : full())
    await Promise.all(running)
    await hashes.finish()
    return entries.list
  } catch (error) {
    context.onFailure(error)
    await Promise.allSettled(running)
    throw error
  }
}

/** Entries of objects that finish in any order, in order. */
function createEntries() {
  const list = createObjectList()
  const early = new Map<number, [Extent, WrittenObject]>()
  return {
    list,
    add(number: number, extent: Extent, written: WrittenObject) {
      early.set(number, [extent, written])
      for (let next = early.get(list.count + 1); next; next = early.get(list.count + 1)) {
        early.delete(list.count + 1)
        const [{ offset, length }, { compression, md5 }] = next
        list.append({ number: list.count + 1, offset, length, compression, md5 })
      }
    },
  }
}

/** Lets so many in at once, in the order they came. `enter` resolves with what lets the next one in; calling that again does nothing. */
function createGate(most: number) {
  let inside = 0
  const waiting: (() => void)[] = []
  return {
    async enter(): Promise<() => void> {
      if (inside >= most) await new Promise<void>((resolve) => waiting.push(resolve))
      else inside++
      let left = false
      return () => {
        if (left) return
        left = true
        const next = waiting.shift()
        if (next) next()
        else inside--
      }
    },
  }
}
