/**
 * Encodes the parts of one object over the workers.
 *
 * Invariants: parts are handed on in order, whatever order they are done in; a bounded number of them is in memory, however long the
 * object is; the object's MD5 goes on in one worker, its home, in the order of the parts.
 */
import { throwIfCancelled } from '../contract/errors.ts'
import { invoke } from '../io/operation.ts'
import { closeObject, digestPart, type EncodedObjectPart, encodePart, type ObjectCompression } from '../pipeline/object-encode-operations.ts'
import { transferOf } from '../pipeline/segment-input.ts'
import type { SpareBuffers } from '../pipeline/spare-buffers.ts'
import type { Extent } from './extents.ts'
import { nextObjectNumber } from './object-numbers.ts'
import type { Seat, WorkerSeats } from './worker-seats.ts'
import type { BackupSource } from './write-source.ts'

/** A part is at most this long, or one block: the segment that is read at once. */
const PART_BYTES = 4 * 1024 * 1024
/** Parts between two questions whether to go on: a second of a slow codec. */
export const PARTS_A_QUESTION = 16

export interface PartsContext {
  seats: WorkerSeats
  source: BackupSource
  spares: SpareBuffers
  blockBytes: number
  /** Fires when the backup is cancelled or failed. */
  signal: AbortSignal
  /** Asked between parts; what it throws ends the backup. */
  check(): Promise<void>
}

/** Parts are whole blocks, so that no hash spans two. */
export function partBytes(blockBytes: number): number {
  return Math.max(blockBytes, PART_BYTES - (PART_BYTES % blockBytes))
}

/** `onPart` gets each part with the length of its plain bytes. Returns the object's MD5. */
export async function encodeParts(
  context: PartsContext,
  extent: Extent,
  compression: ObjectCompression,
  onPart: (part: EncodedObjectPart, plainBytes: number) => Promise<void>,
): Promise<string> {
  const { seats, source, spares, blockBytes, signal } = context
  const object = nextObjectNumber()
  const home = seats.settle()
  const length = partBytes(blockBytes)
  const count = Math.ceil(extent.length / length)
  const lengthOf = (index: number) => Math.min(length, extent.length - index * length)
  /** Parts whose digest is under way or done: always the first so many. */
  let digested = 0
  let md5 = ''

  const digest = async (index: number, bytes: Uint8Array<ArrayBuffer>) => {
    digested = index + 1
    const seat = seats.occupy(home.worker)
    try {
      const part = await invoke(seat.port, digestPart, { object, bytes, last: digested === count }, [bytes.buffer])
      md5 = part.md5 ?? ''
      spares.give(part.bytes)
    } finally {
      seat.free()
    }
  }
  const order = createOrder(seats.ports.length * 2 + 2, async (index, part: EncodedObjectPart) => {
    const digesting = part.plain && digest(index, part.plain)
    md5 = part.md5 ?? md5
    await Promise.all([digesting, onPart(part, lengthOf(index)).then(() => spares.give(part.bytes))])
  })
  const run = async (index: number, seat: Seat) => {
    try {
      const input = await source.input(extent.offset + index * length, lengthOf(index))
      // From here to the call nothing else may come between: the home's calls run in the order they were made.
      const inPlace = seat.worker === home.worker && digested === index
      if (inPlace) digested++
      const reused = inPlace ? [spares.take()] : [spares.take(), spares.take()]
      const request = {
        object,
        compression,
        place: { objectBytes: extent.length, first: index === 0, last: index === count - 1 },
        blockBytes,
        input,
        digest: inPlace,
        spares: reused,
      }
      order.deliver(index, await invoke(seat.port, encodePart, request, [...transferOf(input), ...reused.filter((spare) => spare !== undefined)]))
    } catch (error) {
      order.fail(error)
    } finally {
      seat.free()
    }
  }

  const running: Promise<void>[] = []
  try {
    for (let index = 0; index < count; index++) {
      await order.room(index)
      throwIfCancelled(signal)
      if (index % PARTS_A_QUESTION === PARTS_A_QUESTION - 1) await context.check()
      running.push(run(index, await seats.take(home.worker)))
    }
  } catch (error) {
    order.fail(error)
  }
  await Promise.all(running)
  try {
    await order.finish()
    return md5
  } finally {
    home.leave()
    await invoke(home.port, closeObject, { object }).catch(() => {})
  }
}

/** Hands results on in order, one after the other. `ahead`: how many may be under way or wait for their turn. */
function createOrder<Result>(ahead: number, take: (index: number, result: Result) => Promise<void>) {
  const early = new Map<number, Result>()
  let next = 0
  let done = 0
  let turn: Promise<void> = Promise.resolve()
  let failure: { error: unknown } | undefined
  let wake = () => {}

  const fail = (error: unknown) => {
    failure ??= { error }
    wake()
  }
  const takeNext = async (index: number, result: Result) => {
    if (failure) return
    await take(index, result)
    done++
    wake()
  }
  return {
    fail,
    deliver(index: number, result: Result) {
      early.set(index, result)
      for (let ready = early.get(next); ready !== undefined; ready = early.get(next)) {
        const [at, part] = [next++, ready]
        early.delete(at)
        turn = turn.then(() => takeNext(at, part)).catch(fail)
      }
    },
    /** Resolves when the result at `index` may be worked on. Rejects with the first failure. */
    async room(index: number) {
      while (!failure && index - done >= ahead) await new Promise<void>((resolve) => (wake = resolve))
      if (failure) throw failure.error
    },
    /** Resolves when everything that was delivered is taken. Rejects with the first failure. */
    async finish() {
      await turn
      if (failure) throw failure.error
    },
  }
}
