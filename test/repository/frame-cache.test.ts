/** Frames go back at once when nobody needs them any more, and never while somebody copies out of them. */
import { afterAll, expect, it } from 'vitest'
import { type CachedFrame, createFrameCache } from '../../src/repository/frame-cache.ts'

const fingerprint = new Uint8Array(32).fill(7)
const chunks = [{ place: { chunkOffset: 0 }, fingerprint }]
const frameOf = (bytes: Promise<Uint8Array> = Promise.resolve(new Uint8Array(100).fill(1))): CachedFrame => ({
  checked: new Map([[0, fingerprint]]),
  plainBytes: 100,
  bytes,
  readers: 1,
  dropped: false,
})
const settled = () => new Promise((resolve) => setImmediate(resolve))
/** Node 20 has none: what it does to the buffer that is given back. */
const { prototype } = ArrayBuffer as unknown as { prototype: { transfer?: (this: ArrayBuffer) => void } }
if (!prototype.transfer) {
  prototype.transfer = function () {
    structuredClone(this, { transfer: [this] })
  }
  afterAll(() => delete prototype.transfer)
}

it('a frame that makes room keeps its bytes until the last reader is done', async () => {
  const cache = createFrameCache(200)
  const [first, second, third] = [frameOf(), frameOf(), frameOf()]
  cache.keep('first', first)
  cache.keep('second', second)
  const found = cache.find('first', chunks) as CachedFrame
  expect(found).toBe(first)
  found.readers++
  cache.release(first)
  cache.keep('third', third)
  expect(cache.find('second', chunks), 'the one used longest ago goes').toBeUndefined()
  cache.keep('fourth', frameOf())
  expect(cache.find('first', chunks)).toBeUndefined()
  await settled()
  expect((await first.bytes).length).toBe(100)
  cache.release(first)
  await settled()
  expect((await first.bytes).length).toBe(0)
  expect((await second.bytes).length, 'is still read').toBe(100)
})

it('a frame that is kept is not given back when its reader is done, but when the backup is closed', async () => {
  const cache = createFrameCache(200)
  const frame = frameOf()
  cache.keep('frame', frame)
  cache.release(frame)
  await settled()
  expect((await frame.bytes).length).toBe(100)
  expect(cache.find('frame', chunks)).toBe(frame)
  cache.clear()
  await settled()
  expect((await frame.bytes).length).toBe(0)
})

it('without room, a frame is given back after its reader', async () => {
  const cache = createFrameCache(0)
  const frame = frameOf()
  cache.keep('frame', frame)
  await settled()
  expect((await frame.bytes).length).toBe(100)
  cache.release(frame)
  await settled()
  expect((await frame.bytes).length).toBe(0)
})

it('a frame that does not decode is forgotten', async () => {
  const cache = createFrameCache(200)
  const frame = frameOf(Promise.reject(new Error('damaged')))
  cache.keep('frame', frame)
  await settled()
  expect(cache.find('frame', chunks)).toBeUndefined()
  cache.release(frame)
  await settled()
})
