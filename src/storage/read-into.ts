/**
 * Reads a body of known length into one buffer. Where the stream fills buffers of its reader (`byob`: workerd, browsers, Deno), nothing else
 * is allocated: 50 MiB in pieces of 4 KiB are garbage that a worker with 128 MB does not have room for. Elsewhere each piece is copied
 * as it comes.
 */

/** The bytes that came, at most `length`, and whether there are more. What is not read is cancelled. */
export async function readInto(
  body: ReadableStream<Uint8Array> | null,
  length: number,
  heard: () => void,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; more: boolean }> {
  if (!body) return { bytes: new Uint8Array(0), more: false }
  const filling = byobReader(body)
  return filling ? fill(filling, length, heard) : copy(body.getReader(), length, heard)
}

function byobReader(body: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  try {
    return body.getReader({ mode: 'byob' })
  } catch {
    return undefined // no stream of bytes
  }
}

async function fill(reader: ReadableStreamBYOBReader, length: number, heard: () => void) {
  let buffer = new ArrayBuffer(length)
  let at = 0
  try {
    while (at < length) {
      // The view's buffer moves to the stream, and comes back with what was read.
      const { done, value } = await reader.read(new Uint8Array(buffer, at))
      if (value) buffer = value.buffer
      if (done || !value) return { bytes: new Uint8Array(buffer, 0, at), more: false }
      heard()
      at += value.length
    }
    const { done } = await reader.read(new Uint8Array(1))
    return { bytes: new Uint8Array(buffer), more: !done }
  } finally {
    reader.cancel().catch(() => {})
  }
}

async function copy(reader: ReadableStreamDefaultReader<Uint8Array>, length: number, heard: () => void) {
  const bytes = new Uint8Array(length)
  let at = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return { bytes: bytes.subarray(0, at), more: false }
      heard()
      if (at + value.length > length) return { bytes, more: true }
      bytes.set(value, at)
      at += value.length
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}
