/**
 * `VolumeFile`: the proxy a driver gets. It holds the position; every read and write runs in a worker.
 *
 * Invariant: calls that use the position take effect in the order they were made, whether awaited or not.
 */
import { BlockvaultError } from '../contract/errors.ts'
import type { Port } from '../contract/port.ts'
import type { MaybePromise, VolumeFile, VolumeOpenOptions } from '../contract/volume.ts'
import { invoke } from './operation.ts'
import type { Pool, PooledVolume } from './pool.ts'
import { readVolume, writeVolume, zeroVolume } from './volume-operations.ts'

/** Longest single transfer: longer reads and writes are split, so that a call never holds more than this in a worker. */
const TRANSFER_BYTES_MAX = 4 * 1024 * 1024

/** The volume behind a proxy. A symbol, so that no other implementation of `VolumeFile` has it by chance, and copies of the object keep it. */
const POOLED = Symbol('pooled volume')

/**
 * The volume as operations in workers address it, when `file` is open in exactly these workers: they then read and write it without a
 * byte crossing threads. `undefined` for any other `VolumeFile`.
 */
export function pooledVolumeOf(file: VolumeFile, ports: readonly Port[]): PooledVolume | undefined {
  const { pool, opened } = (file as Partial<PooledFile>)[POOLED] ?? {}
  return pool && pool.ports.length === ports.length && pool.ports.every((port, index) => port === ports[index]) ? opened : undefined
}

interface PooledFile extends VolumeFile {
  readonly [POOLED]: { readonly pool: Pool; readonly opened: PooledVolume }
}

/** Opens `path` in every worker of the pool. Calls go to the workers in turn, so independent `readAt`s run side by side. */
export async function openVolumeFile(pool: Pool, path: string, options: VolumeOpenOptions): Promise<VolumeFile> {
  const opened = await pool.openVolume(path, options)
  const { volume, kind, size } = opened
  let position = 0
  let closed = false

  const checkOpen = () => {
    if (closed) throw new BlockvaultError('CLOSED', 'The volume was used after it was closed.')
  }
  const port = (): Port => {
    checkOpen()
    return pool.any()
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

  const file: PooledFile = {
    [POOLED]: { pool, opened },
    kind,
    size,
    async readAt(offset, length) {
      checkRange(offset, length)
      const available = Math.max(0, Math.min(length, size - offset))
      if (available <= TRANSFER_BYTES_MAX) return invoke(port(), readVolume, { volume, offset, length: available })
      const bytes = new Uint8Array(available)
      let got = 0
      for (const span of spans(offset, available)) {
        const part = await invoke(port(), readVolume, { volume, offset: span.offset, length: span.length })
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
      for (const part of parts) await invoke(port(), writeVolume, { volume, ...part }, [part.bytes.buffer as ArrayBuffer])
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
      await invoke(port(), zeroVolume, { volume, offset, length })
    },
    async flush() {
      checkOpen()
      await opened.flush()
    },
    async close() {
      if (closed) return
      closed = true
      await opened.close()
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
  return file
}
