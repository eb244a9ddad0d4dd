/**
 * The face of a `VolumeFile` around whatever reads and writes ranges: the position, the bounds, and the closing.
 *
 * Invariant: calls that use the position take effect in the order they were made, whether awaited or not.
 */
import { BlockvaultError } from '../contract/errors.ts'
import type { MaybePromise, VolumeFile, VolumeKind } from '../contract/volume.ts'

/** Longest single transfer: longer reads and writes are split, so that a call never holds more than this in a worker. */
const TRANSFER_BYTES_MAX = 4 * 1024 * 1024

/** Ranges come checked: inside the volume, and at most 4 MiB for `readAt` and `writeAt`. */
export interface VolumeRanges {
  readonly kind: VolumeKind
  readonly size: number
  /** `length` bytes, fewer when the volume ends before. The bytes are the caller's. */
  readAt(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>
  /** `bytes` is the callee's, and owns its buffer. */
  writeAt(offset: number, bytes: Uint8Array<ArrayBuffer>): Promise<void>
  punchHole(offset: number, length: number): Promise<void>
  flush(): Promise<void>
  close(): Promise<void>
}

export function createVolumeFace(ranges: VolumeRanges): VolumeFile {
  const { kind, size } = ranges
  let position = 0
  let closed = false

  const checkOpen = () => {
    if (closed) throw new BlockvaultError('CLOSED', 'The volume was used after it was closed.')
  }
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <Result>(work: () => MaybePromise<Result>): Promise<Result> => {
    const result = turn.then(() => {
      checkOpen()
      return work()
    })
    turn = result.catch(() => {})
    return result
  }
  const checkRange = (offset: number, length: number) => {
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0)
      throw new BlockvaultError('USAGE', `Not a byte range: offset ${offset}, length ${length}.`)
  }
  const checkInside = (offset: number, length: number) => {
    checkRange(offset, length)
    if (offset + length > size)
      throw new BlockvaultError('TARGET_TOO_SMALL', `The range ${offset}+${length} ends beyond the volume's ${size} bytes.`, {
        details: { offset, length, size },
      })
  }
  const spans = (offset: number, length: number) =>
    Array.from({ length: Math.ceil(length / TRANSFER_BYTES_MAX) }, (_, index) => {
      const start = index * TRANSFER_BYTES_MAX
      return { start, offset: offset + start, length: Math.min(TRANSFER_BYTES_MAX, length - start) }
    })

  const file: VolumeFile = {
    kind,
    size,
    async readAt(offset, length) {
      checkRange(offset, length)
      const available = Math.max(0, Math.min(length, size - offset))
      checkOpen()
      if (available <= TRANSFER_BYTES_MAX) return ranges.readAt(offset, available)
      const bytes = new Uint8Array(available)
      let got = 0
      for (const span of spans(offset, available)) {
        checkOpen()
        const part = await ranges.readAt(span.offset, span.length)
        bytes.set(part, span.start)
        got += part.length
        if (part.length < span.length) break
      }
      return got === available ? bytes : bytes.slice(0, got)
    },
    async writeAt(offset, bytes) {
      checkOpen()
      checkInside(offset, bytes.length)
      const parts = spans(offset, bytes.length).map((span) => ({ offset: span.offset, bytes: bytes.slice(span.start, span.start + span.length) }))
      for (const part of parts) {
        checkOpen()
        await ranges.writeAt(part.offset, part.bytes as Uint8Array<ArrayBuffer>)
      }
    },
    read(length) {
      return inTurn(async () => {
        const bytes = await file.readAt(position, length)
        position += bytes.length
        return bytes
      })
    },
    write(bytes) {
      const copy = bytes.slice()
      return inTurn(async () => {
        await file.writeAt(position, copy)
        position += copy.length
      })
    },
    seek(offset, from = 'start') {
      return inTurn(() => {
        const next = offset + (from === 'start' ? 0 : from === 'current' ? position : size)
        checkRange(next, 0)
        position = next
        return position
      })
    },
    tell: () => inTurn(() => position),
    async punchHole(offset, length) {
      checkInside(offset, length)
      checkOpen()
      await ranges.punchHole(offset, length)
    },
    async flush() {
      checkOpen()
      await ranges.flush()
    },
    async close() {
      if (closed) return
      closed = true
      await ranges.close()
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
  return file
}
