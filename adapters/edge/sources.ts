/** Volumes to back up where there are no files: a Blob, a stream that is read once, and what an address serves in ranges. */
import { BlockvaultError, type ErrorCode, isBlockvaultError } from '../../src/contract/errors.ts'
import type { VolumeFile } from '../../src/contract/volume.ts'
import { createVolumeFace } from '../../src/io/volume-face.ts'
import { createHttpClient, type HttpOptions } from '../../src/storage/http-client.ts'
import { readRange } from '../../src/storage/http-range.ts'

/** What a stream's reader may be ahead: a backup asks for segments of up to 16 MiB, three at a time, and not strictly in order. */
const HELD_BYTES_MAX = 64 * 1024 * 1024

/** A Blob or File. Reading one that was changed on disk meanwhile fails: SOURCE_CHANGED. */
export function blobVolume(blob: Blob): VolumeFile {
  return readOnlyVolume(blob.size, async (offset, length) => {
    try {
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer())
    } catch (cause) {
      throw new BlockvaultError('SOURCE_CHANGED', 'The file can not be read any more: it was changed or removed. Choose it again and run the backup again.', {
        details: { offset },
        cause,
      })
    }
  })
}

/** A stream of exactly `size` bytes, for one backup: what was read is not there a second time (USAGE). */
export function streamVolume(stream: ReadableStream<Uint8Array>, size: number): VolumeFile {
  const reader = stream.getReader()
  /** Read and not yet asked for, in order. */
  let held: { offset: number; bytes: Uint8Array }[] = []
  let heldBytes = 0
  let position = 0
  let turn: Promise<unknown> = Promise.resolve()

  const pull = async (end: number) => {
    while (position < end) {
      const { done, value } = await next(position)
      if (done) return
      held.push({ offset: position, bytes: value })
      position += value.length
      heldBytes += value.length
      if (heldBytes > HELD_BYTES_MAX) throw new BlockvaultError('USAGE', 'A stream is read in order: what comes before was not asked for.')
    }
    // Its end is seen when the last byte is: a stream that goes on is another volume than was said.
    if (position > size || (end === size && !(await next(position)).done)) throw longer(size)
  }
  const next = async (offset: number) => {
    try {
      return await reader.read()
    } catch (cause) {
      throw new BlockvaultError('SOURCE_READ_FAILED', `The stream failed at offset ${offset}.`, { details: { offset }, cause })
    }
  }
  const take = (offset: number, length: number): Uint8Array<ArrayBuffer> => {
    const end = Math.min(offset + length, position)
    const bytes = new Uint8Array(Math.max(0, end - offset))
    let got = 0
    const rest: typeof held = []
    for (const piece of held) {
      const from = Math.max(offset, piece.offset)
      const to = Math.min(end, piece.offset + piece.bytes.length)
      if (from >= to) {
        rest.push(piece)
        continue
      }
      bytes.set(piece.bytes.subarray(from - piece.offset, to - piece.offset), from - offset)
      got += to - from
      if (from > piece.offset) rest.push({ offset: piece.offset, bytes: piece.bytes.subarray(0, from - piece.offset) })
      if (to < piece.offset + piece.bytes.length) rest.push({ offset: to, bytes: piece.bytes.subarray(to - piece.offset) })
    }
    if (got < bytes.length) throw new BlockvaultError('USAGE', 'A stream can be read once: for another backup, open it again.')
    held = rest
    heldBytes -= got
    return bytes
  }
  return readOnlyVolume(
    size,
    (offset, length) => {
      const bytes = turn.then(async () => {
        await pull(offset + length)
        return take(offset, length)
      })
      turn = bytes.catch(() => {})
      return bytes
    },
    async () => void reader.cancel().catch(() => {}),
  )
}

function longer(size: number): BlockvaultError {
  return new BlockvaultError('SOURCE_CHANGED', `The stream has more than the ${size} bytes that were announced. No backup was recorded.`, { details: { size } })
}

/**
 * What an address serves in ranges. Its length and, where the server has one, its entity tag must stay the same while it is read.
 * @throws BlockvaultError SOURCE_MISSING, SOURCE_DENIED, SOURCE_READ_FAILED, SOURCE_CHANGED, CANCELLED
 */
export async function fetchVolume(place: string | URL, options: HttpOptions & { signal?: AbortSignal | undefined } = {}): Promise<VolumeFile> {
  const url = new URL(place)
  const subject = `${url.origin}${url.pathname}`
  const client = createHttpClient(options)
  const read = (offset: number, length: number) => readRange(client, url, subject, offset, length, options.signal).catch((error: unknown) => asSource(error))
  const first = await read(0, 1).catch((error: unknown) => {
    if (isBlockvaultError(error) && error.details['size'] === 0) return { total: 0, etag: undefined }
    throw error
  })
  const size = first.total
  if (size === undefined) throw new BlockvaultError('SOURCE_UNSUPPORTED', `The server does not say how long ${subject} is.`, { details: { path: subject } })
  return readOnlyVolume(size, async (offset, length) => {
    const { bytes, total = size, etag } = await read(offset, length)
    if (total !== size || etag !== first.etag)
      throw new BlockvaultError('SOURCE_CHANGED', `${subject} was changed while it was read. No backup was recorded: run it again.`, {
        details: { path: subject, offset },
      })
    return bytes
  })
}

const SOURCE_CODES: Partial<Record<ErrorCode, ErrorCode>> = {
  OBJECT_MISSING: 'SOURCE_MISSING',
  OBJECT_DAMAGED: 'SOURCE_CHANGED',
  STORAGE_DENIED: 'SOURCE_DENIED',
  STORAGE_FAILED: 'SOURCE_READ_FAILED',
}

function asSource(error: unknown): never {
  const code = isBlockvaultError(error) ? SOURCE_CODES[error.code] : undefined
  if (!isBlockvaultError(error) || !code) throw error
  throw new BlockvaultError(code, error.message, { details: error.details, cause: error })
}

/** `readAt` is asked for 1 byte to 4 MiB, inside the volume. */
function readOnlyVolume(
  size: number,
  readAt: (offset: number, length: number) => Promise<Uint8Array<ArrayBuffer>>,
  close: () => Promise<void> = async () => {},
): VolumeFile {
  if (!Number.isSafeInteger(size) || size < 0) throw new BlockvaultError('USAGE', `A volume's size is a whole number of bytes, not ${size}.`)
  const refuse = async (): Promise<never> => {
    throw new BlockvaultError('TARGET_UNSUPPORTED', 'This volume can only be read.')
  }
  return createVolumeFace({
    kind: 'file',
    size,
    readAt: async (offset, length) => (length === 0 ? new Uint8Array(0) : readAt(offset, length)),
    writeAt: refuse,
    punchHole: refuse,
    flush: async () => {},
    close,
  })
}
