/**
 * Objects behind an HTTP server: a static file server or object store to read from, or one that takes PUT and DELETE.
 *
 * A server needs to serve ranges (206) and, since HTTP has no listing, a list: `listing.ts` says how it looks. To be written to it must
 * honour `If-None-Match: *` (RFC 9110, section 13.1.2), which is what keeps objects write-once; that is tried out before it is relied on.
 * Only `latest` and `list` depend on how new the list is: an older one shows an older state of the repository, whole in itself.
 */
import { BlockvaultError, throwIfCancelled } from '../contract/errors.ts'
import type { StorageBackend, StorageOptions, StoredObject } from '../contract/storage.ts'
import { equalBytes } from '../core/bytes.ts'
import { createHttpClient, failed, type HttpOptions, type HttpRequest, statusProblem } from './http-client.ts'
import { isEncoded, readRange } from './http-range.ts'
import { LISTING_NAME, parseListing } from './listing.ts'
import { checkObjectName, checkPrefix, checkRange, endedEarly, exists, missing, tooLong } from './object-errors.ts'

/** Where a repository behind HTTP is. */
export interface HttpStorageOptions extends HttpOptions {
  /** Where the repository is: `config` and the others lie below it. A query is kept and sent with each request. */
  url: string | URL
  /**
   * Where the list of objects is, from `url` on if it is relative; or a function that lists, for stores with a listing of their own.
   * `listing` by default.
   */
  listing?: string | URL | ((prefix: string, options: StorageOptions) => AsyncIterable<StoredObject>) | undefined
  /** True for a server that takes PUT with `If-None-Match: *`, and DELETE. False by default. */
  writable?: boolean | undefined
}

/** Objects of at most this length are stored twice once, to see that the second time is refused. */
const TRIAL_BYTES_MAX = 1024 * 1024
/** Created, done, done without a body. 202 would be a promise. */
const STORED = [200, 201, 204]
/** A repository of 10 TiB: its index alone would not fit the memory of a runtime that needs such a list. */
const OBJECTS_MAX = 1_000_000

/**
 * A repository behind HTTP: of a server that answers ranges, and has a list of the objects (docs/edge.md).
 * @throws BlockvaultError USAGE for an address that is none
 */
export function createHttpStorage(options: HttpStorageOptions): StorageBackend {
  const { listing = LISTING_NAME, writable = false } = options
  const base = checkBase(options.url)
  const client = createHttpClient(options)
  /** What this handle stored (its length) and removed, until the list has caught up: one that was made before does not know. */
  const own = new Map<string, number | undefined>()
  let tried = false

  const urlOf = (path: string): URL => {
    const url = new URL(base)
    url.pathname += path
    return url
  }
  const requestOf = (method: HttpRequest['method'], name: string, more: Partial<HttpRequest> = {}): HttpRequest => ({
    method,
    url: urlOf(checkObjectName(name)),
    subject: name,
    ...more,
  })
  const checkWritable = () => {
    if (!writable) throw new BlockvaultError('STORAGE_DENIED', `${storage.description} is opened for reading. To write to it, say so: writable.`)
  }
  const putOnce = (name: string, body: Blob, signal: AbortSignal | undefined): Promise<'stored' | 'taken' | 'perhaps ours'> => {
    const request = requestOf('PUT', name, { body, headers: { 'if-none-match': '*' } })
    return client.send(
      request,
      (answer) => {
        // An attempt whose answer was lost may be what took the name.
        if (answer.status === 412) return { result: answer.before === 0 ? 'taken' : 'perhaps ours' }
        const problem = statusProblem(request, answer)
        if (problem) return problem
        if (!STORED.includes(answer.status)) throw failed(request, `answered PUT with status ${answer.status}, which does not say that it is stored`)
        return { result: 'stored' }
      },
      signal,
    )
  }
  const holds = async (name: string, body: Blob, signal: AbortSignal | undefined): Promise<boolean> => {
    const stored = await getWhole(client, requestOf('GET', name, { fresh: true }), body.size, signal).catch(() => undefined)
    return stored !== undefined && equalBytes(stored, new Uint8Array(await body.arrayBuffer()))
  }

  const storage: StorageBackend = {
    description: `${base.origin}${base.pathname}`,
    async put(name, parts, { signal } = {}) {
      checkObjectName(name)
      throwIfCancelled(signal)
      checkWritable()
      // A copy: the caller's parts are free again when this resolves, and the body has a length.
      const body = new Blob(parts as readonly Uint8Array<ArrayBuffer>[] as Uint8Array<ArrayBuffer>[])
      const outcome = await putOnce(name, body, signal)
      if (outcome === 'taken' || (outcome === 'perhaps ours' && !(await holds(name, body, signal)))) throw exists(name)
      own.set(name, body.size)
      if (tried || body.size > TRIAL_BYTES_MAX) return
      if ((await putOnce(name, body, signal)) === 'stored')
        throw new BlockvaultError('STORAGE_FAILED', `${storage.description} replaces objects that exist: it must honour If-None-Match: * to be written to.`, {
          details: { object: name },
        })
      tried = true
    },
    async get(name, { bytesMax, signal }) {
      return getWhole(client, requestOf('GET', name), bytesMax, signal)
    },
    async getRange(name, offset, length, { signal } = {}) {
      checkRange(offset, length)
      const { url } = requestOf('GET', name)
      if (length > 0) return (await readRange(client, url, name, offset, length, signal)).bytes
      const size = await sizeOf(name, signal)
      if (offset > size) throw endedEarly(name, size, offset)
      return new Uint8Array(0)
    },
    async *list(prefix, { signal } = {}) {
      checkPrefix(prefix)
      throwIfCancelled(signal)
      const news = new Map([...own].filter(([name]) => name.startsWith(prefix)))
      for await (const object of typeof listing === 'function' ? listing(prefix, { signal }) : await readListing(listing, prefix, signal)) {
        throwIfCancelled(signal)
        if (!object.name.startsWith(prefix)) continue
        const removed = news.has(object.name) && news.get(object.name) === undefined
        news.delete(object.name)
        if (removed) continue
        own.delete(object.name)
        yield object
      }
      for (const [name, size] of news) {
        if (size === undefined) own.delete(name)
        else yield { name, size }
      }
    },
    async delete(name, { signal } = {}) {
      const request = requestOf('DELETE', name)
      throwIfCancelled(signal)
      checkWritable()
      await client.send(
        request,
        (answer) => ([404, 410].includes(answer.status) ? { result: true } : (statusProblem(request, answer) ?? { result: true })),
        signal,
      )
      own.set(name, undefined)
    },
    async close() {},
    [Symbol.asyncDispose]: () => storage.close(),
  }

  /** Read to its end before the first object is handed on: whoever lists may take its time, and a slot is not to be held meanwhile. */
  const readListing = (place: string | URL, prefix: string, signal: AbortSignal | undefined): Promise<StoredObject[]> => {
    const url = new URL(place, base)
    if (url.origin === base.origin && url.search === '') url.search = base.search
    const subject = `${url.origin}${url.pathname}`
    const request: HttpRequest = { method: 'GET', url, subject, fresh: true }
    // What authorises us at the repository's server is no other server's business.
    return (url.origin === base.origin ? client : createHttpClient({ ...options, headers: {} })).send(
      request,
      async (answer) => {
        if (answer.status === 404) throw noListing(subject)
        const problem = statusProblem(request, answer)
        if (problem) return problem
        const objects: StoredObject[] = []
        for await (const object of parseListing(answer.parts(), subject)) {
          if (!object.name.startsWith(prefix)) continue
          if (objects.push(object) > OBJECTS_MAX) throw failed(request, `lists more than ${OBJECTS_MAX} objects`)
        }
        return { result: objects }
      },
      signal,
    )
  }
  const sizeOf = (name: string, signal: AbortSignal | undefined): Promise<number> => {
    const request = requestOf('HEAD', name)
    return client.send(
      request,
      (answer) => {
        if (answer.status === 404 || answer.status === 410) throw missing(name)
        const problem = statusProblem(request, answer)
        if (problem) return problem
        const length = answer.headers.get('content-length')
        if (length === null || isEncoded(answer.headers)) throw failed(request, 'does not say how long it is')
        return { result: Number(length) }
      },
      signal,
    )
  }
  return storage
}

/** Rejects with OBJECT_MISSING, or OBJECT_DAMAGED when it is longer than `bytesMax`, of which no more than that is read. */
function getWhole(
  client: ReturnType<typeof createHttpClient>,
  request: HttpRequest,
  bytesMax: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  return client.send(
    request,
    async (answer) => {
      if (answer.status === 404 || answer.status === 410) throw missing(request.subject)
      const problem = statusProblem(request, answer)
      if (problem) return problem
      if (answer.status !== 200) throw failed(request, `answered with status ${answer.status} where the whole was asked for`, { status: answer.status })
      // A server may compress on the way, and fetch undoes it: then the length is not the object's.
      const announced = isEncoded(answer.headers) ? null : answer.headers.get('content-length')
      if (announced !== null && Number(announced) > bytesMax) throw tooLong(request.subject, Number(announced), bytesMax)
      const bytes = await answer.bytes(bytesMax)
      if (!bytes) throw tooLong(request.subject, bytesMax + 1, bytesMax)
      if (announced !== null && bytes.length !== Number(announced)) return { passing: failed(request, `sent ${bytes.length} bytes of ${announced}`) }
      return { result: bytes }
    },
    signal,
  )
}

function checkBase(place: string | URL): URL {
  const url = URL.canParse(String(place)) ? new URL(String(place)) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.hash !== '' || url.username !== '' || url.password !== '')
    throw new BlockvaultError(
      'USAGE',
      'A repository behind HTTP needs an http: or https: address without a user, password or fragment (put what authorises into headers).',
    )
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}

function noListing(place: string): BlockvaultError {
  return new BlockvaultError(
    'STORAGE_FAILED',
    `There is no list of the repository's objects at ${place}. Make one beside them (createListing, or find . -type f -printf '%s %P\\n'), or pass your own: listing.`,
    { details: { object: place } },
  )
}
