/**
 * Who may call which worker. A seat is the right to have one call under way; each worker has two, so that it never waits between calls.
 *
 * Invariant: an object's own worker, its home, comes first: there its parts are digested where they were read. Another worker helps
 * only when it has nothing to do.
 */
import type { Port } from '../contract/port.ts'

export interface Seat {
  /** Index of the worker. */
  readonly worker: number
  readonly port: Port
  free(): void
}

export interface SeatRequest {
  /** Index of the worker that is asked first; any without it. */
  home?: number | undefined
  /** Take another worker that has nothing to do. True without a home. */
  anywhere: boolean
}

export interface WorkerSeats {
  readonly ports: readonly Port[]
  /** Resolves when there is a seat. Requests are served in the order they came. */
  take(request: SeatRequest): Promise<Seat>
  /** A home for an object: the worker that is home to the fewest. `leave` when the object is done. */
  settle(): { worker: number; port: Port; leave(): void }
}

/** One call that runs, one that waits. */
const SEATS_A_WORKER = 2

export function createWorkerSeats(ports: readonly Port[]): WorkerSeats {
  const taken = ports.map(() => 0)
  const homes = ports.map(() => 0)
  const waiting: { request: SeatRequest; resolve: (seat: Seat) => void }[] = []

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
  const workerFor = ({ home, anywhere }: SeatRequest): number | undefined => {
    if (home !== undefined && taken[home]! < SEATS_A_WORKER) return home
    if (home !== undefined && !anywhere) return undefined
    const freest = lowest(taken)
    return taken[freest]! < (home === undefined ? SEATS_A_WORKER : 1) ? freest : undefined
  }
  const serve = () => {
    for (let index = 0; index < waiting.length; ) {
      const { request, resolve } = waiting[index]!
      const worker = workerFor(request)
      if (worker === undefined) index++
      else {
        waiting.splice(index, 1)
        resolve(seat(worker))
      }
    }
  }
  return {
    ports,
    take(request) {
      return new Promise((resolve) => {
        waiting.push({ request, resolve })
        serve()
      })
    },
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
