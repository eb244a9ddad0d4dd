/**
 * The bytes of a chain in volume order, from its plan: what a restore would write, without a place to write it to.
 *
 * Invariants: each object is decoded once, from its start to its end, and its parts that are newer elsewhere are dropped; the last bytes are
 * given only when every object was found to be what its manifest says; a bounded number of objects is open at once.
 */
import type { JobOptions } from '../contract/backup.ts'
import { BlockvaultError, throwIfCancelled } from '../contract/errors.ts'
import type { ObjectStore } from '../contract/object-store.ts'
import type { Port } from '../contract/port.ts'
import { type DecodedObject, decodeParts } from './decode-object.ts'
import type { DecodedObjectPart } from '../pipeline/object-decoder.ts'
import { digesterFor } from './over-workers.ts'
import type { PlannedObject, RestorePlan } from './restore-plan.ts'
import { storedObject } from './restore-chain.ts'

export interface ReadChainOptions extends Pick<JobOptions, 'signal'> {
  store: ObjectStore
  ports: readonly Port[]
}

/**
 * Objects that are open at once: one of each backup that has a part around the place, which with daily changes are few. Beyond, the one that is
 * needed last is closed, and decoded again when it is its turn.
 */
const OPEN_MAX = 12
/** Objects whose last wanted byte was read, and that are decoded to their end to be checked. */
const ENDING_MAX = 4
/** Plain bytes that come out of a call: the least, which is one segment. */
const STOP_BYTES = 1

interface OpenObject {
  planned: PlannedObject
  /** The range that comes next. */
  next: number
  parts: AsyncGenerator<DecodedObjectPart, DecodedObject, void> | undefined
  /** Wanted bytes that came out and were not given yet. */
  left: Uint8Array<ArrayBuffer>
}

/** In pieces of at most some MiB. @throws OBJECT_DAMAGED, OBJECT_MISSING, CANCELLED */
export async function* readChain(plan: RestorePlan, { store, ports, signal }: ReadChainOptions): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const open: OpenObject[] = []
  const ending = new Set<Promise<void>>()
  let failure: { error: unknown } | undefined
  let begun = 0
  let starts = 0

  const stop = async (object: OpenObject) => {
    await object.parts?.return(undefined as never)
    object.parts = undefined
  }
  const start = async (object: OpenObject) => {
    const offset = ({ planned, next }: OpenObject) => planned.ranges[next]!.offset
    const started = open.filter(({ parts }) => parts)
    if (started.length >= OPEN_MAX) await stop(started.reduce((last, each) => (offset(each) > offset(last) ? each : last)))
    const { planned, next } = object
    const ranges = planned.ranges.slice(next).flatMap((range) => [range.offset - planned.entry.offset, range.length])
    const port = ports[starts++ % ports.length]!
    object.left = new Uint8Array(0)
    // One object after the other is read: while one worker decodes, another one digests.
    const digester = digesterFor(ports, port, planned.entry.length, 0)
    object.parts = decodeParts(storedObject(planned), { store, port, digester, signal, sink: { ranges: Float64Array.from(ranges) }, stopBytes: STOP_BYTES })
    return object.parts
  }
  const objectAt = (position: number): OpenObject => {
    const found = open.find(({ planned, next }) => planned.ranges[next]?.offset === position)
    if (found) return found
    const object = { planned: plan.object(begun++), next: 0, parts: undefined, left: new Uint8Array(0) }
    if (object.planned.ranges[0]?.offset !== position) throw new BlockvaultError('INTERNAL', `The plan has nothing for offset ${position}.`)
    open.push(object)
    return object
  }
  const take = async (object: OpenObject, most: number): Promise<Uint8Array<ArrayBuffer>> => {
    const parts = object.parts ?? (await start(object))
    while (object.left.length === 0) {
      const { value, done } = await parts.next()
      if (done) throw new BlockvaultError('INTERNAL', `${object.planned.name} ended before its last range.`)
      object.left = value.collected
    }
    const bytes = object.left.subarray(0, most)
    object.left = object.left.subarray(bytes.length)
    return bytes
  }
  const end = async ({ parts }: OpenObject) => {
    try {
      while (parts && !(await parts.next()).done) throwIfCancelled(signal)
    } catch (error) {
      failure ??= { error }
    }
  }
  const settle = async (most: number) => {
    while (ending.size > most) await Promise.race(ending)
    if (failure) throw failure.error
  }

  try {
    let last: Uint8Array<ArrayBuffer> | undefined
    for (let position = 0; position < plan.bytes; ) {
      const object = objectAt(position)
      const range = object.planned.ranges[object.next]!
      for (let left = range.length; left > 0; ) {
        const bytes = await take(object, left)
        left -= bytes.length
        position += bytes.length
        if (last) yield last
        last = bytes
      }
      if (++object.next < object.planned.ranges.length) continue
      open.splice(open.indexOf(object), 1)
      const task = end(object).finally(() => ending.delete(task))
      ending.add(task)
      await settle(ENDING_MAX)
    }
    await settle(0)
    if (last) yield last
  } finally {
    await Promise.all(open.map(stop))
    await Promise.all(ending)
  }
}
