/** The two ends of a worker, with endpoints that a test holds in its hand. */
import { describe, expect, it, vi } from 'vitest'
import { BlockvaultError, ERROR_CODES } from '../../src/contract/errors.ts'
import type { Port } from '../../src/contract/port.ts'
import { createInlinePort } from '../../src/io/inline.ts'
import { createLazyPort } from '../../src/io/lazy-port.ts'
import { type Handlers, handle, invoke, operation } from '../../src/io/operation.ts'
import { createPool } from '../../src/io/pool.ts'
import type { Endpoint } from '../../src/io/protocol.ts'
import { createPort } from '../../src/io/proxy.ts'
import { serve } from '../../src/io/server.ts'

const code = (expected: string) => expect.objectContaining({ name: 'BlockvaultError', code: expected })

interface Call {
  call: number
  operation: string
  argument: unknown
}

/** A worker whose answers the test gives. */
function fakeWorker() {
  const posted: Call[] = []
  const close = vi.fn(async () => {})
  let onMessage: (message: unknown) => void = () => {}
  let onGone: (reason: unknown) => void = () => {}
  const endpoint: Endpoint = {
    post: (message) => void posted.push(message as Call),
    listen: (...listeners) => void ([onMessage, onGone] = listeners),
    close,
  }
  return { port: createPort(endpoint), posted, close, say: (message: unknown) => onMessage(message), go: (reason: unknown) => onGone(reason) }
}

/** Both ends in this thread, each message a structured clone as between threads. */
function bothEnds(handlers: Handlers): Port {
  const listeners: ((message: unknown) => void)[] = []
  const end = (side: number): Endpoint => ({
    post(message, transfer) {
      const clone = structuredClone(message, { transfer: [...transfer] })
      queueMicrotask(() => listeners[1 - side]?.(clone))
    },
    listen: (onMessage) => void (listeners[side] = onMessage),
    close: () => {},
  })
  serve(end(1), handlers)
  return createPort(end(0))
}

describe('the caller’s end of a worker', () => {
  it('gives each call its own answer, in whatever order they come', async () => {
    const { port, posted, say } = fakeWorker()
    const calls = ['a', 'b', 'c'].map((name) => port.call(name, { name }))
    expect(posted.map(({ operation, argument }) => [operation, argument])).toEqual([
      ['a', { name: 'a' }],
      ['b', { name: 'b' }],
      ['c', { name: 'c' }],
    ])
    for (const { call, operation } of [...posted].reverse()) say({ answer: call, value: operation })
    expect(await Promise.all(calls)).toEqual(['a', 'b', 'c'])
  })

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'ready'],
    ['a number', 1],
    ['an empty object', {}],
    ['an answer without content', { answer: 1 }],
    ['an answer to no call', { answer: 99, value: 1 }],
    ['an answer with a text as its number', { answer: '1', value: 1 }],
    ['an answer with a fraction as its number', { answer: 1.5, value: 1 }],
    ['an error that is none', { answer: 1, error: null }],
    ['an error without a code', { answer: 1, error: { message: 'x' } }],
    ['an error of an unknown code', { answer: 1, error: { message: 'x', code: 'NO_SUCH_CODE' } }],
    ['an error whose code is a method of every object', { answer: 1, error: { message: 'x', code: 'toString' } }],
    ['an error whose code is no text', { answer: 1, error: { message: 'x', code: 7 } }],
    ['an error without a message', { answer: 1, error: { code: 'CLOSED' } }],
  ])('fails every call with WORKER_FAILED and stops the worker when it says %s', async (_, message) => {
    const { port, say, close } = fakeWorker()
    const calls = [port.call('a', 1), port.call('b', 2)]
    say(message)
    for (const call of calls) await expect(call).rejects.toEqual(code('WORKER_FAILED'))
    await expect(port.call('c', 3)).rejects.toEqual(code('WORKER_FAILED'))
    expect(close).toHaveBeenCalled()
  })

  it('does not believe a second answer to one call', async () => {
    const { port, say } = fakeWorker()
    const first = port.call('a', 1)
    const second = port.call('b', 2)
    say({ answer: 1, value: 'one' })
    say({ answer: 1, value: 'again' })
    expect(await first).toBe('one')
    await expect(second).rejects.toEqual(code('WORKER_FAILED'))
  })

  it('keeps why the worker went', async () => {
    const { port, go } = fakeWorker()
    const call = port.call('a', 1)
    go(new Error('out of memory'))
    await expect(call).rejects.toMatchObject({ code: 'WORKER_FAILED', cause: { message: 'out of memory' } })
  })

  it('fails what is pending when it is closed, and what comes after', async () => {
    const { port, close } = fakeWorker()
    const call = port.call('a', 1)
    await port.close()
    await expect(call).rejects.toEqual(code('WORKER_FAILED'))
    await expect(port.call('b', 1)).rejects.toEqual(code('WORKER_FAILED'))
    expect(close).toHaveBeenCalledOnce()
  })

  it('rejects an argument that can not be sent, and goes on', async () => {
    const handlers: Handlers = new Map()
    handle(handlers, operation<number, number>('double'), (value) => value * 2)
    const port = bothEnds(handlers)
    await expect(port.call('double', () => {})).rejects.toEqual(code('INTERNAL'))
    expect(await port.call('double', 4)).toBe(8)
  })
})

const both: [string, (handlers: Handlers) => Port][] = [
  ['through messages', bothEnds],
  ['on the calling thread', createInlinePort],
]
describe.each(both)('operations %s', (_, portTo) => {
  it('run strictly one after the other, in the order of the calls', async () => {
    const log: string[] = []
    const handlers: Handlers = new Map()
    const step = operation<{ name: string; turns: number }, string>('step')
    handle(handlers, step, async ({ name, turns }) => {
      log.push(`${name} begins`)
      for (let turn = 0; turn < turns; turn++) await Promise.resolve()
      log.push(`${name} ends`)
      if (name === 'b') throw new BlockvaultError('OBJECT_DAMAGED', 'b fails')
      return name
    })
    const port = portTo(handlers)
    const results = await Promise.allSettled([
      invoke(port, step, { name: 'a', turns: 50 }),
      invoke(port, step, { name: 'b', turns: 5 }),
      invoke(port, step, { name: 'c', turns: 0 }),
    ])
    expect(results).toEqual([
      { status: 'fulfilled', value: 'a' },
      { status: 'rejected', reason: code('OBJECT_DAMAGED') },
      { status: 'fulfilled', value: 'c' },
    ])
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
  })

  it('carry the code, message and details of any coded error', async () => {
    const handlers: Handlers = new Map()
    const codes = Object.keys(ERROR_CODES) as (keyof typeof ERROR_CODES)[]
    const fail = operation<number, void>('fail')
    handle(handlers, fail, (number) => {
      throw new BlockvaultError(codes[number]!, `number ${number}`, { details: { number, list: ['a'] } })
    })
    const port = portTo(handlers)
    for (const [number, expected] of codes.entries()) {
      await expect(invoke(port, fail, number)).rejects.toMatchObject({
        name: 'BlockvaultError',
        code: expected,
        message: `number ${number}`,
        details: { number, list: ['a'] },
      })
    }
  })

  it('turn every other failure into INTERNAL', async () => {
    const handlers: Handlers = new Map()
    const failures: unknown[] = [new TypeError('oh'), 'a text', undefined, { code: 'CLOSED' }]
    const fail = operation<number, void>('fail')
    handle(handlers, fail, (number) => {
      throw failures[number]
    })
    const port = portTo(handlers)
    for (const number of failures.keys()) await expect(invoke(port, fail, number)).rejects.toEqual(code('INTERNAL'))
    await expect(port.call('no such operation', 1)).rejects.toEqual(code('INTERNAL'))
  })

  it('fail once the port is closed', async () => {
    const handlers: Handlers = new Map()
    const port = portTo(handlers)
    await port.close()
    await expect(port.call('a', 1)).rejects.toEqual(code('WORKER_FAILED'))
  })
})

describe('a worker that starts with its first call', () => {
  const portOf = (log: string[]): Port => ({
    call: async (name) => void log.push(name),
    close: async () => void log.push('close'),
  })

  it('is never started when nothing is asked of it', async () => {
    const spawn = vi.fn(() => portOf([]))
    await createLazyPort(spawn).close()
    expect(spawn).not.toHaveBeenCalled()
  })

  it('starts once, and keeps the order of calls', async () => {
    const log: string[] = []
    const spawn = vi.fn(async () => portOf(log))
    const port = createLazyPort(spawn)
    await Promise.all(['a', 'b', 'c'].map((name) => port.call(name, 1)))
    await port.close()
    expect(spawn).toHaveBeenCalledOnce()
    expect(log).toEqual(['a', 'b', 'c', 'close'])
    await expect(port.call('d', 1)).rejects.toEqual(code('WORKER_FAILED'))
  })

  it('gives the reason why it can not start to every call, and closes all the same', async () => {
    for (const spawn of [
      () => Promise.reject(new BlockvaultError('CORE_UNAVAILABLE', 'no core')),
      () => {
        throw new BlockvaultError('CORE_UNAVAILABLE', 'no core')
      },
    ]) {
      const port = createLazyPort(spawn)
      await expect(port.call('a', 1)).rejects.toEqual(code('CORE_UNAVAILABLE'))
      await expect(port.call('b', 1)).rejects.toEqual(code('CORE_UNAVAILABLE'))
      await port.close()
    }
  })
})

describe('a pool', () => {
  it('needs a port, and takes its ports in turn', () => {
    const ports = Array.from({ length: 3 }, () => createInlinePort(new Map()))
    const pool = createPool(ports)
    expect(Array.from({ length: 7 }, () => ports.indexOf(pool.any()))).toEqual([0, 1, 2, 0, 1, 2, 0])
    expect(() => createPool([])).toThrow(code('INTERNAL'))
  })

  it('has its spare port open volumes that are written, and only those, and closes it with the others', async () => {
    const calls: string[] = []
    const port = (name: string): Port => ({
      async call(called) {
        calls.push(`${name} ${called}`)
        return { kind: 'file', size: 1 }
      },
      close: async () => void calls.push(`${name} closed`),
    })
    const [first, spare] = [port('first'), port('spare')]
    const pool = createPool([first], spare)
    await (await pool.openVolume('/x', { mode: 'read' })).close()
    expect(calls).toEqual(['first volume.open', 'first volume.close'])
    calls.length = 0
    await (await pool.openVolume('/x', { mode: 'write' })).close()
    expect(calls.sort()).toEqual(['first volume.close', 'first volume.open', 'spare volume.close', 'spare volume.open'])
    expect([pool.any(), pool.any()]).toEqual([first, first])
    expect(new Set([pool.anyWriter(), pool.anyWriter()])).toEqual(new Set([first, spare]))
    await pool.close()
    expect(calls).toContain('spare closed')
  })

  it('leaves a volume open in no worker when one of them can not open it', async () => {
    const open = new Set<string>()
    const worker = (name: string, fails: boolean): Port => ({
      async call(called, argument) {
        const slot = `${name}/${(argument as { volume: number }).volume}`
        if (called === 'volume.close') return void open.delete(slot)
        if (fails) throw new BlockvaultError('SOURCE_DENIED', 'no')
        open.add(slot)
        return { kind: 'file', size: 1 }
      },
      close: async () => {},
    })
    for (const failing of [0, 1, 2]) {
      const pool = createPool([0, 1, 2].map((number) => worker(String(number), number === failing)))
      await expect(pool.openVolume('/x', { mode: 'read' })).rejects.toEqual(code('SOURCE_DENIED'))
      expect([...open]).toEqual([])
    }
  })
})

describe('the calling thread, while operations follow each other', () => {
  it('has its turn: timers fire, and what they start is heard', async () => {
    const handlers: Handlers = new Map()
    const busy = operation<number, void>('busy')
    handle(handlers, busy, (ms) => {
      for (const end = performance.now() + ms; performance.now() < end; );
    })
    const port = createInlinePort(handlers)
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 20)
    let calls = 0
    while (!stop.signal.aborted && calls < 1000) {
      await invoke(port, busy, 1)
      calls++
    }
    expect(calls).toBeLessThan(200)
  })

  it('keeps the order of calls all the same', async () => {
    const order: number[] = []
    const handlers: Handlers = new Map()
    const note = operation<number, void>('note')
    handle(handlers, note, (number) => {
      for (const end = performance.now() + 1; performance.now() < end; );
      order.push(number)
    })
    const port = createInlinePort(handlers)
    const calls: Promise<void>[] = []
    for (let number = 0; number < 60; number++) {
      calls.push(invoke(port, note, number))
      if (number % 7 === 0) await Promise.resolve()
      if (number % 20 === 0) await new Promise((done) => setTimeout(done, 1))
    }
    await Promise.all(calls)
    expect(order).toEqual(Array.from({ length: 60 }, (_, number) => number))
  })
})
