/**
 * Lanes: one a worker. Each runs a few segments at once, so that the worker scans the next one while the answer for the last,
 * which chunks are new, is on its way; scans are handed on in volume order whatever order they finish in.
 */
import type { Scan } from '../contract/core.ts'
import { BlockvaultError } from '../contract/errors.ts'
import type { Port } from '../contract/port.ts'
import { invoke } from '../io/operation.ts'
import { closeEncoder, encodeBytes, type EncoderOptions, flushFrame, openEncoder, scanSegment, takeChunks } from '../pipeline/encode-operations.ts'
import type { ChunkClaims } from './chunk-claims.ts'
import type { RepositoryContext } from './context.ts'
import type { BlockPart } from './index-block.ts'
import type { LastBackup } from './last-backup.ts'
import { type ChunkRun, createPackWriter, type PackWriter } from './pack-writer.ts'
import type { BackupSource } from './source.ts'

/** Segments a worker holds at once. Two would do for a fast main thread; the third covers a busy one. 12 MiB a worker. */
const SLOTS = 3
/** How far one worker may run ahead of the slowest: scans wait this long for their turn, 1 MiB of fingerprints. */
const AHEAD_MAX = 256
/** Encoders are numbered over the whole process: workers may serve several backups at once. */
let encoders = 0

export interface Lanes {
  /** Scans the volume, comparing with its last backup where there is one. `onScan` gets the scans in order; chunks that `claims` finds new are on their way to packs after. */
  run(
    source: BackupSource,
    claims: ChunkClaims,
    before: LastBackup | undefined,
    onScan: (scan: Scan) => Promise<void>,
    onSegment: (bytes: number) => void,
  ): Promise<void>
  /** Encodes bytes that are one whole frame with the given chunks. */
  encode(bytes: Uint8Array<ArrayBuffer>, run: ChunkRun): Promise<void>
  /** Closes frames and packs. Resolves when every pack is durable. */
  finish(): Promise<void>
  /** For a backup that failed: drops what is open. Resolves when nothing is on its way to the storage any more. */
  abandon(): Promise<void>
  readonly storedBytes: number
  close(): Promise<void>
}

export interface LanesOptions {
  context: RepositoryContext
  encoder: EncoderOptions
  onStored(part: BlockPart): Promise<void>
  /** Told of the first failure; `signal` must fire then. */
  onFailure(error: unknown): void
  signal: AbortSignal
}

interface Lane {
  port: Port
  encoder: number
  packs: PackWriter
}

export async function openLanes({ context, encoder: options, onStored, onFailure, signal }: LanesOptions): Promise<Lanes> {
  const { pool } = context
  const { segmentBytes } = options
  const lanes = await Promise.all(
    pool.ports.map(async (port): Promise<Lane> => {
      const encoder = ++encoders
      await invoke(port, openEncoder, { encoder, options })
      return { port, encoder, packs: await createPackWriter({ context, port, encoder, onStored, onFailure, signal }) }
    }),
  )
  const [first] = lanes
  if (!first) throw new BlockvaultError('INTERNAL', 'A pool without workers.')

  return {
    async run(source, claims, before, onScan, onSegment) {
      const segments = Math.ceil(source.size / segmentBytes)
      const order = createOrder(onScan)
      let next = 0

      const runSegment = async ({ port, encoder, packs }: Lane, slot: number, segment: number) => {
        const offset = segment * segmentBytes
        const length = Math.min(segmentBytes, source.size - offset)
        const leaf = await before?.leaf(segment, length)
        const input = await source.input(offset, length)
        const scan = await invoke(
          port,
          scanSegment,
          { encoder, slot, input, ...(leaf ? { known: leaf.known } : {}) },
          'bytes' in input ? [input.bytes.buffer] : [],
        )
        leaf?.fill(scan)
        const chunks = claims.claim(scan)
        const ordered = order.deliver(segment, scan)
        if (chunks) {
          await packs.room()
          packs.expect(chunks.run)
          packs.add(await invoke(port, takeChunks, { encoder, slot, chunks: chunks.ranges }, [chunks.ranges.buffer]))
        }
        await ordered
        onSegment(length)
      }
      const runSlot = async (lane: Lane, slot: number) => {
        while (next < segments && !signal.aborted) {
          const segment = next++
          await order.near(segment, signal)
          if (!signal.aborted) await runSegment(lane, slot, segment)
        }
      }
      const slots = lanes.flatMap((lane) => Array.from({ length: SLOTS }, (_, slot) => ({ lane, slot })))
      await Promise.all(slots.map(({ lane, slot }) => runSlot(lane, slot).catch(onFailure).finally(order.wake)))
    },
    async encode(bytes, run) {
      first.packs.add(await invoke(first.port, encodeBytes, { encoder: first.encoder, bytes, chunks: run.lengths.length }, [bytes.buffer]), run)
    },
    async finish() {
      await Promise.all(
        lanes.map(async ({ port, encoder, packs }) => {
          packs.add(await invoke(port, flushFrame, { encoder }))
          await packs.finish()
        }),
      )
    },
    async abandon() {
      await Promise.all(lanes.map(({ packs }) => packs.abandon()))
    },
    get storedBytes() {
      return lanes.reduce((sum, { packs }) => sum + packs.storedBytes, 0)
    },
    async close() {
      await Promise.all(lanes.map(({ port, encoder }) => invoke(port, closeEncoder, { encoder }).catch(() => {})))
    },
  }
}

/** Hands scans on in segment order. */
function createOrder(onScan: (scan: Scan) => Promise<void>) {
  const early = new Map<number, Scan>()
  let waiting: (() => void)[] = []
  let next = 0
  const wake = () => {
    const woken = waiting
    waiting = []
    for (const resolve of woken) resolve()
  }
  return {
    wake,
    /** Resolves when what the scan set off, if it was its turn, is done. */
    async deliver(segment: number, scan: Scan): Promise<void> {
      early.set(segment, scan)
      const done: Promise<void>[] = []
      for (let ready = early.get(next); ready; ready = early.get(next)) {
        early.delete(next++)
        done.push(onScan(ready))
      }
      wake()
      await Promise.all(done)
    },
    /** Resolves when the segment is close enough to the next in order to be scanned. */
    async near(segment: number, signal: AbortSignal): Promise<void> {
      while (segment - next >= AHEAD_MAX && !signal.aborted) await new Promise<void>((resolve) => waiting.push(resolve))
    },
  }
}
