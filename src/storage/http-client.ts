/**
 * Requests to a server that may be slow, broken or not what it seems: a few at once, bounded in time and in tries.
 *
 * Invariant: `send` settles whatever the server does. An attempt in which no byte comes for `timeoutMs` is given up, a caller's
 * signal ends it at once, and no redirect is followed: with it would go the headers that authorise us.
 */
import { BlockvaultError, throwIfCancelled } from '../contract/errors.ts'
import { concatBytes } from '../core/bytes.ts'
import { readInto } from './read-into.ts'
import { createGate, createStall, pause } from './request-limits.ts'

/** How requests are sent. */
export interface HttpOptions {
  /** The runtime's by default. One of your own can sign requests, or bring a client certificate along. */
  fetch?: typeof fetch | undefined
  /** Sent with every request, for instance `Authorization`. None by default. */
  headers?: Readonly<Record<string, string>> | undefined
  /** Requests in flight, 1 to 64; the others wait. 4 by default: browsers and edge workers allow 6 to a host. */
  requestsMax?: number | undefined
  /** Milliseconds without a byte after which an attempt is given up. 30,000 by default. */
  timeoutMs?: number | undefined
  /** Attempts at a request that fails in passing, 1 to 10. 4 by default. */
  attempts?: number | undefined
  /** Milliseconds before the second attempt; twice as long before each one after it. 250 by default. */
  retryMs?: number | undefined
}

export interface HttpRequest {
  method: 'GET' | 'HEAD' | 'PUT' | 'DELETE'
  url: URL
  headers?: Readonly<Record<string, string>>
  body?: Blob
  /** Asks the server, whatever a cache holds. False by default. */
  fresh?: boolean
  /** What it is about, for messages: an object's name, or an address without its query. */
  subject: string
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: Headers
  /** Attempts at this request that failed before: what they asked for may have happened. */
  readonly before: number
  /** The body as it comes. Who stops early has the rest cancelled. */
  parts(): AsyncGenerator<Uint8Array<ArrayBuffer>>
  /** The whole body; `undefined` when it has more than `bytesMax`. Memory is taken for what comes, never for what was announced. */
  bytes(bytesMax: number): Promise<Uint8Array<ArrayBuffer> | undefined>
  /** A body that should have `length` bytes: those that came, or `undefined` when there are more. Read into one buffer, where it stays. */
  exactly(length: number): Promise<Uint8Array<ArrayBuffer> | undefined>
}

/** What came of an attempt: a result, or an error that the next attempt may not meet. */
export type Attempt<Result> = { result: Result } | Passing
interface Passing {
  passing: BlockvaultError
  /** What the server asked to wait. */
  afterMs?: number
}

export interface HttpClient {
  /** `take` turns the answer into a result, and throws what no further attempt can mend. What it does not read of the body is dropped. */
  send<Result>(request: HttpRequest, take: (answer: HttpAnswer) => Attempt<Result> | Promise<Attempt<Result>>, signal?: AbortSignal): Promise<Result>
}

/** A server may ask us to wait, but not for ever. */
const RETRY_AFTER_MS_MAX = 10_000
/** Timers take no more than 31 bits. */
const MOST = { requestsMax: 64, timeoutMs: 2 ** 31 - 1, attempts: 10, retryMs: 60_000 }
/** Statuses below 500 that say "not now". */
const PASSING = [408, 409, 423, 425, 429]
/** Statuses above that say "never". */
const LASTING = [501, 505]

export function createHttpClient(options: HttpOptions): HttpClient {
  const { requestsMax = 4, timeoutMs = 30_000, attempts = 4, retryMs = 250, headers = {} } = options
  for (const [name, value] of Object.entries({ requestsMax, timeoutMs, attempts, retryMs })) {
    const most = MOST[name as keyof typeof MOST]
    if (!Number.isSafeInteger(value) || value < 1 || value > most)
      throw new BlockvaultError('USAGE', `${name} is a whole number from 1 to ${most}, not ${value}.`)
  }
  const gate = createGate(requestsMax)

  const attempt = async <Result>(
    request: HttpRequest,
    before: number,
    take: (answer: HttpAnswer) => Attempt<Result> | Promise<Attempt<Result>>,
    signal: AbortSignal | undefined,
  ): Promise<Attempt<Result>> => {
    const stall = createStall(timeoutMs, signal)
    try {
      // Looked up now, and called as a function: a runtime's fetch refuses to be anybody's method.
      const send = options.fetch ?? fetch
      const response = await send(request.url, {
        method: request.method,
        headers: { ...headers, ...request.headers },
        redirect: 'manual',
        signal: stall.signal,
        ...(request.body ? { body: request.body } : {}),
        ...(request.fresh ? { cache: 'no-store' } : {}),
      })
      stall.heard()
      if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)) throw redirected(request, response)
      return await take(answerOf(response, before, stall.heard))
    } catch (error) {
      throwIfCancelled(signal)
      if (error instanceof BlockvaultError) throw error
      return { passing: failed(request, stall.gaveUp ? `gave no byte for ${timeoutMs / 1000} s` : 'could not be reached, or broke off', { cause: error }) }
    } finally {
      stall.end()
    }
  }

  return {
    async send(request, take, signal) {
      throwIfCancelled(signal)
      const leave = await gate.enter(signal)
      try {
        for (let before = 0; ; before++) {
          const outcome = await attempt(request, before, take, signal)
          if ('result' in outcome) return outcome.result
          if (before + 1 >= attempts) throw outcome.passing
          // Scattered, so that many clients do not come back together.
          const backoff = retryMs * 2 ** before * (0.5 + Math.random() / 2)
          await pause(Math.min(RETRY_AFTER_MS_MAX, outcome.afterMs ?? backoff), signal)
        }
      } finally {
        leave()
      }
    },
  }
}

function answerOf(response: Response, before: number, heard: () => void): HttpAnswer {
  const answer: HttpAnswer = {
    status: response.status,
    headers: response.headers,
    before,
    async *parts() {
      const reader = response.body?.getReader()
      if (!reader) return
      try {
        for (;;) {
          const { done, value } = await reader.read()
          if (done) return
          heard()
          yield value
        }
      } finally {
        reader.cancel().catch(() => {})
      }
    },
    async bytes(bytesMax) {
      const parts: Uint8Array[] = []
      let length = 0
      for await (const part of answer.parts()) {
        length += part.length
        if (length > bytesMax) return undefined
        parts.push(part)
      }
      return concatBytes(parts)
    },
    async exactly(length) {
      const { bytes, more } = await readInto(response.body, length, heard)
      return more ? undefined : bytes
    },
  }
  return answer
}

/** What a status means that is no success and nobody's special case; `undefined` for a success. */
export function statusProblem(request: HttpRequest, { status, headers }: HttpAnswer): Passing | undefined {
  if (status >= 200 && status < 300) return undefined
  const details = { object: request.subject, status }
  if ([401, 403, 407].includes(status))
    throw new BlockvaultError('STORAGE_DENIED', `The server refuses ${request.subject} (status ${status}): check the address and what authorises you.`, {
      details,
    })
  if (status === 507) throw new BlockvaultError('STORAGE_FULL', `The server has no space for ${request.subject}.`, { details })
  const error = failed(request, `answered ${request.method} with status ${status}`, { status })
  if (LASTING.includes(status) || (status < 500 && !PASSING.includes(status))) throw error
  const seconds = Number(headers.get('retry-after') ?? Number.NaN)
  return { passing: error, ...(seconds >= 0 ? { afterMs: seconds * 1000 } : {}) }
}

export function failed(request: HttpRequest, what: string, { status, cause }: { status?: number; cause?: unknown } = {}): BlockvaultError {
  return new BlockvaultError('STORAGE_FAILED', `The server ${what}: ${request.subject}.`, {
    details: { object: request.subject, ...(status === undefined ? {} : { status }) },
    cause,
  })
}

/** Only the place is named: an address may carry what authorises whoever has it. */
function redirected(request: HttpRequest, response: Response): BlockvaultError {
  let place = 'elsewhere' // browsers hide it
  const location = response.headers.get('location')
  if (location !== null && URL.canParse(location, request.url)) {
    const { origin, pathname } = new URL(location, request.url)
    place = `to ${origin}${pathname}`
  }
  return failed(request, `redirects ${place}, which is not followed (give the address that it leads to)`, { status: response.status })
}
