/**
 * One range of what lies at an address.
 *
 * Invariant: exactly the bytes that were asked for, or an error. A server that sends everything (200), another range, something it
 * encoded, or less or more than it says, is found out, and none of its bytes is used.
 */
import { type Attempt, failed, type HttpAnswer, type HttpClient, type HttpRequest, statusProblem } from './http-client.ts'
import { checkRange, endedEarly, missing, nothingAt } from './object-errors.ts'

export interface RangeAnswer {
  bytes: Uint8Array<ArrayBuffer>
  /** Length of the whole, where the server says it. */
  total: number | undefined
  /** The server's name for this state of it, where it has one. */
  etag: string | undefined
}

/** Rejects with OBJECT_MISSING, OBJECT_DAMAGED when what is there ends before, or the client's errors. `length` is at least 1. */
export function readRange(client: HttpClient, url: URL, subject: string, offset: number, length: number, signal?: AbortSignal): Promise<RangeAnswer> {
  checkRange(offset, length)
  const request: HttpRequest = { method: 'GET', url, subject, headers: { range: `bytes=${offset}-${offset + length - 1}` } }
  return client.send(request, (answer) => takeRange(request, answer, offset, length), signal)
}

async function takeRange(request: HttpRequest, answer: HttpAnswer, offset: number, length: number): Promise<Attempt<RangeAnswer>> {
  const { status, headers } = answer
  if (status === 404 || status === 410) throw missing(request.subject)
  const span = spanOf(headers.get('content-range'))
  if (status === 416)
    throw span?.total === undefined ? nothingAt(request.subject, offset, offset + length) : endedEarly(request.subject, span.total, offset + length)
  const problem = statusProblem(request, answer)
  if (problem) return problem
  if (status !== 206) throw failed(request, 'does not serve ranges: it answered with the whole', { status })
  if (isEncoded(headers)) throw failed(request, `sent a range of an encoded form (${headers.get('content-encoding')})`)
  if (!span || span.end === undefined)
    throw failed(request, 'did not say which range it sent (from another origin, it must expose Content-Range: Access-Control-Expose-Headers)')
  const { start, end, total } = span
  if (total !== undefined && total < offset + length) throw endedEarly(request.subject, total, offset + length)
  if (start !== offset || end !== offset + length - 1) throw failed(request, `sent the range ${start}-${end} for ${offset}-${offset + length - 1}`)
  const announced = headers.get('content-length')
  if (announced !== null && Number(announced) !== length) throw failed(request, `announced ${announced} bytes for a range of ${length}`)
  const bytes = await answer.exactly(length)
  if (!bytes) throw failed(request, `sent more than the ${length} bytes of the range`)
  if (bytes.length < length) return { passing: failed(request, `sent ${bytes.length} bytes of the range's ${length}`) }
  return { result: { bytes, total, etag: headers.get('etag') ?? undefined } }
}

interface Span {
  start: number | undefined
  /** Inclusive. */
  end: number | undefined
  total: number | undefined
}

/** RFC 9110, section 14.4. */
function spanOf(value: string | null): Span | undefined {
  const match = /^bytes (?:(\d{1,16})-(\d{1,16})|\*)\/(?:(\d{1,16})|\*)$/.exec(value ?? '')
  if (!match) return undefined
  const number = (digits: string | undefined) => (digits === undefined ? undefined : Number(digits))
  return { start: number(match[1]), end: number(match[2]), total: number(match[3]) }
}

/** A compressed body is what the server made of the object: its lengths and ranges are not the object's. */
export function isEncoded(headers: Headers): boolean {
  return !['', 'identity'].includes((headers.get('content-encoding') ?? '').trim().toLowerCase())
}
