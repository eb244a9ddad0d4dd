/** A server on the loopback interface that serves objects as a good HTTP store does, and badly where a test says so. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ObjectServer {
  /** Ends in `/`. */
  url: string
  objects: Map<string, Uint8Array<ArrayBuffer>>
  /** Requests so far, as `GET packs/ab/…`. */
  log: string[]
  /** Most requests that were being answered at one time. */
  readonly busiest: number
  /** Requests being answered now. */
  readonly open: number
  /** Answers instead of the server, or returns false. `path` has no leading slash. */
  misbehave: Misbehaviour | undefined
  /** Milliseconds before each answer. */
  delayMs: number
  close(): Promise<void>
}

export type Misbehaviour = (request: IncomingMessage, response: ServerResponse, path: string) => boolean

/** `pages` are served beside the objects, with their type: what a browser loads. */
export async function startObjectServer(
  objects = new Map<string, Uint8Array<ArrayBuffer>>(),
  pages: Readonly<Record<string, { type: string; body: string | Uint8Array }>> = {},
): Promise<ObjectServer> {
  let open = 0
  let busiest = 0
  const server: Server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname.slice(1))
    busiest = Math.max(busiest, ++open)
    response.on('close', () => open--)
    place.log.push(`${request.method} ${path}`)
    setTimeout(() => {
      if (place.misbehave?.(request, response, path)) return
      const page = pages[path]
      if (page) response.writeHead(200, { 'content-type': page.type }).end(page.body)
      else void answer(objects, request, response, path)
    }, place.delayMs)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const place: ObjectServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    objects,
    log: [],
    get busiest() {
      return busiest
    },
    get open() {
      return open
    },
    misbehave: undefined,
    delayMs: 0,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return place
}

async function answer(objects: Map<string, Uint8Array<ArrayBuffer>>, request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
  const { method } = request
  if (method === 'GET' && path === 'listing') {
    response.writeHead(200, { 'content-type': 'text/plain' })
    response.end([...objects].map(([name, bytes]) => `${bytes.length} ${name}\n`).join(''))
    return
  }
  const object = objects.get(path)
  if (method === 'PUT') {
    const parts: Uint8Array[] = []
    try {
      for await (const part of request) parts.push(part)
    } catch {
      return // the client went away: nothing is stored
    }
    if (objects.has(path) && request.headers['if-none-match'] === '*') response.writeHead(412).end()
    else {
      objects.set(path, new Uint8Array(Buffer.concat(parts)))
      response.writeHead(201).end()
    }
    return
  }
  if (method === 'DELETE') {
    response.writeHead(objects.delete(path) ? 204 : 404).end()
    return
  }
  if (!object) {
    response.writeHead(404).end('nothing here')
    return
  }
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
  if (!range) {
    response.writeHead(200, { 'content-length': object.length, 'content-type': 'application/octet-stream' }).end(method === 'HEAD' ? undefined : object)
    return
  }
  const start = Number(range[1])
  const end = Math.min(Number(range[2]), object.length - 1)
  if (start >= object.length) {
    response.writeHead(416, { 'content-range': `bytes */${object.length}` }).end()
    return
  }
  const body = object.subarray(start, end + 1)
  response.writeHead(206, { 'content-range': `bytes ${start}-${end}/${object.length}`, 'content-length': body.length }).end(body)
}
