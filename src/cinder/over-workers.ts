/** Objects that are decoded, spread over the workers. */
import type { Port } from '../contract/port.ts'

/** Small objects a worker has at once: while one is opened or read, the other is decoded. */
const OBJECTS_A_WORKER = 2
/** An object of one segment is done before another worker could help. */
const LARGE_BYTES = 4 * 1024 * 1024

export interface Spread<Item> {
  count: number
  at(index: number): Item
  /** Plain bytes of the item's object; 0 where that is not known. */
  bytes(item: Item): number
}

/**
 * Calls `work` for every item, in order, a few at once, each with a worker of its own. A worker has one large object at a time, so that the
 * next one goes to whoever is done first. The first failure fires `stop` for the others; when all have ended it is thrown.
 */
export async function overWorkers<Item>(
  { count, at, bytes }: Spread<Item>,
  ports: readonly Port[],
  signal: AbortSignal | undefined,
  work: (item: Item, index: number, port: Port, stop: AbortSignal) => Promise<void>,
): Promise<void> {
  const failing = new AbortController()
  const stop = signal ? AbortSignal.any([signal, failing.signal]) : failing.signal
  const loads = ports.map((port) => ({ port, objects: 0, large: 0 }))
  const running = new Set<Promise<void>>()
  let failure: { error: unknown } | undefined

  const freest = (large: number) => {
    const free = loads.filter((load) => load.objects < OBJECTS_A_WORKER && load.large + large <= 1)
    return free.reduce<(typeof loads)[number] | undefined>((best, load) => (best && best.objects <= load.objects ? best : load), undefined)
  }
  const run = async (item: Item, index: number, load: (typeof loads)[number], large: number) => {
    load.objects++
    load.large += large
    try {
      await work(item, index, load.port, stop)
    } catch (error) {
      failure ??= { error }
      failing.abort(error)
    }
    load.objects--
    load.large -= large
  }
  for (let index = 0; index < count && !failure; index++) {
    const item = at(index)
    const large = bytes(item) > LARGE_BYTES ? 1 : 0
    let load = freest(large)
    while (!load) {
      await Promise.race(running)
      load = freest(large)
    }
    if (failure) break
    const task: Promise<void> = run(item, index, load, large).finally(() => running.delete(task))
    running.add(task)
  }
  await Promise.all(running)
  if (failure) throw failure.error
}

/**
 * The worker that digests an object which `port` decodes, where the object is so large a part of all `totalBytes` that the others would wait for
 * this one at the end. `undefined` for any other object: it is digested where it is decoded, without a copy.
 */
export function digesterFor(ports: readonly Port[], port: Port, bytes: number, totalBytes: number): Port | undefined {
  if (bytes <= LARGE_BYTES || bytes * ports.length <= totalBytes) return undefined
  const other = ports[(ports.indexOf(port) + 1) % ports.length]
  return other === port ? undefined : other
}
