/** A body read into one buffer, from streams that fill buffers and from those that bring their own. */
import { describe, expect, it } from 'vitest'
import { readInto } from '../../src/storage/read-into.ts'

const parts = [Uint8Array.of(1, 2, 3), Uint8Array.of(4), Uint8Array.of(5, 6, 7, 8)]
const whole = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)

describe.each([
  ['fills buffers', 'bytes'],
  ['brings its own', undefined],
] as const)('a stream that %s', (_, type) => {
  const made = (given: readonly Uint8Array<ArrayBuffer>[], failure?: Error) => {
    const rest = [...given]
    const seen = { cancelled: false }
    const stream = new ReadableStream<Uint8Array>({
      type: type as undefined,
      pull(controller) {
        const next = rest.shift()
        if (next) return controller.enqueue(next.slice())
        if (failure) return controller.error(failure)
        controller.close()
        // Without this a read that waits for a buffer to be filled would wait for ever.
        ;(controller as unknown as ReadableByteStreamController).byobRequest?.respond(0)
      },
      cancel() {
        seen.cancelled = true
      },
    })
    return { stream, seen }
  }

  it('is read whole, in one buffer, and every piece is heard', async () => {
    let heard = 0
    const { bytes, more } = await readInto(made(parts).stream, 8, () => heard++)
    expect({ bytes, more }).toEqual({ bytes: whole, more: false })
    expect(bytes.buffer.byteLength).toBe(8)
    expect(heard).toBe(3)
  })

  it('that ends early gives what came', async () => {
    expect(await readInto(made(parts).stream, 9, () => {})).toEqual({ bytes: whole, more: false })
    expect(await readInto(made([]).stream, 9, () => {})).toEqual({ bytes: new Uint8Array(0), more: false })
  })

  it.each([7, 5, 4, 1])('that has more than %i bytes is cancelled', async (length) => {
    const { stream, seen } = made(parts)
    expect((await readInto(stream, length, () => {})).more).toBe(true)
    expect(seen.cancelled).toBe(true)
  })

  it('that fails, fails', async () => {
    await expect(readInto(made(parts, new Error('broke off')).stream, 9, () => {})).rejects.toThrow('broke off')
    await expect(readInto(made(parts, new Error('broke off')).stream, 8, () => {})).rejects.toThrow('broke off')
  })
})

it('no body is no bytes', async () => {
  expect(await readInto(null, 3, () => {})).toEqual({ bytes: new Uint8Array(0), more: false })
})
