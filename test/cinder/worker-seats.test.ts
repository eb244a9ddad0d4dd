/** Who gets the next part: the object's own worker, but nobody waits while another has nothing to do. */
import { expect, it } from 'vitest'
import { createWorkerSeats } from '../../src/cinder/worker-seats.ts'
import type { Port } from '../../src/contract/port.ts'

const port: Port = {
  call: () => Promise.reject(new Error('no call is made here')),
  close: async () => {},
}

it('is home while it has nothing to do, then whoever has not, then home again, and then nobody', async () => {
  const seats = createWorkerSeats([port, port, port])
  const home = seats.settle().worker
  const given = [await seats.take(home), await seats.take(home), await seats.take(home), await seats.take(home)]
  expect(given.map(({ worker }) => worker)).toEqual([0, 1, 2, 0])
  let late: number | undefined
  void seats.take(home).then((seat) => (late = seat.worker))
  await Promise.resolve()
  expect(late).toBeUndefined()
  given[2]!.free()
  given[2]!.free()
  await new Promise((resolve) => setTimeout(resolve))
  expect(late).toBe(2)
})

it('is another worker while home digests', async () => {
  const seats = createWorkerSeats([port, port])
  const digest = seats.occupy(0)
  expect((await seats.take(0)).worker).toBe(1)
  digest.free()
  expect((await seats.take(0)).worker).toBe(0)
})

it('is home to as few objects as can be', () => {
  const seats = createWorkerSeats([port, port])
  const [first, second] = [seats.settle(), seats.settle()]
  expect([first.worker, second.worker, seats.settle().worker]).toEqual([0, 1, 0])
  second.leave()
  expect(seats.settle().worker).toBe(1)
})
