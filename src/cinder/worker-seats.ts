/**
 * Who may call which worker. A seat is the right to have one call under way; each worker has two, so that it never waits between calls.
 *
 * Invariant: no part waits behind another while some worker has nothing to do. Beyond that an object's own worker, its home, comes first:
 * there its parts are digested where they were read.
 */
import type { Port } from '../contract/port.ts'

export interface Seat {
  /** Index of the worker. */
  readonly worker: number
  readonly port: Port
  free(): void
}

export interface WorkerSeats {
  readonly ports: readonly Port[]
  /** Resolves when there is a seat: the worker `home`'s, or that of another one that has nothing to do; any without it. Served in the order asked. */
  take(home?: number): Promise<Seat>
  /** A seat at once, for a digest, which only one worker can go on with: parts are given to others rather. */
  occupy(worker: number): Seat
  /** A home for an object: the worker that is home to the fewest. `leave` when the object is done. */
  settle(): { worker: number; port: Port; leave(): void }
}

/** One call that runs, one that waits. */
const SEATS_A_WORKER = 2

export function createWorkerSeats(ports: readonly Port[]): WorkerSeats {
  const taken = ports.map(() => 0)
  const homes = ports.map(() => 0)
  const waiting: { home: number | undefined; resolve: (seat: Seat) => void }[] = []

  const seat = (worker: number): Seat => {
    taken[worker]!++
    let free = false
    return {
      worker,
      port: ports[worker]!,
      free() {
        if (free) return
        free = true
        taken[worker]!--
        serve()
      },
    }
  }
  const workerFor = (home: number | undefined): number | undefined => {
    if (home !== undefined && taken[home] === 0) return home
    const freest = lowest(taken)
    if (taken[freest] === 0) return freest
    const worker = home ?? freest
    return taken[worker]! < SEATS_A_WORKER ? worker : undefined
  }
  const serve = () => {
    for (let index = 0; index < waiting.length; ) {
      const { home, resolve } = waiting[index]!
      const worker = workerFor(home)
      if (worker === undefined) index++
      else {
        waiting.splice(index, 1)
        resolve(seat(worker))
      }
    }
  }
  return {
    ports,
    take(home) {
      return new Promise((resolve) => {
        waiting.push({ home, resolve })
        serve()
      })
    },
    occupy: seat,
    settle() {
      const worker = lowest(homes)
      homes[worker]!++
      return { worker, port: ports[worker]!, leave: () => void homes[worker]!-- }
    },
  }
}

function lowest(counts: readonly number[]): number {
  let found = 0
  for (const [index, count] of counts.entries()) if (count < counts[found]!) found = index
  return found
}
