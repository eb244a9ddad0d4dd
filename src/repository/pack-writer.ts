/**
 * Gathers the frames of one worker into packs and stores them. One pack is open at a time; a full one is sealed and stored
 * while the next is being filled.
 *
 * Invariant: frames arrive in the order the worker sealed them, so a frame's position in its pack is its nonce.
 */
import type { Port } from '../contract/port.ts'
import { concatBytes } from '../core/bytes.ts'
import { invoke } from '../io/operation.ts'
import { startPack } from '../pipeline/encode-operations.ts'
import type { EncodedFrame } from '../pipeline/frame.ts'
import { FINGERPRINT_BYTES } from '../contract/core.ts'
import { BlockvaultError } from '../contract/errors.ts'
import type { RepositoryContext } from './context.ts'
import { PACK_BYTES } from './format.ts'
import type { BlockPart } from './index-block.ts'
import { type OpenPack, openPack, storePack } from './pack.ts'

/** Packs of one writer that may be on their way to the storage: bounds memory when the storage is slower than the workers. */
const STORING_MAX = 2

/** Chunks in the order the worker took them, until a frame claims them. */
export interface ChunkRun {
  lengths: Uint32Array
  fingerprints: Uint8Array
}

export interface PackWriter {
  /** Resolves when another batch of chunks may be sent to the worker. */
  room(): Promise<void>
  /** Chunks that were sent to the worker, in that order. */
  expect(run: ChunkRun): void
  /** Frames that came back. `chunks` are a frame's own; otherwise they are the next expected ones. */
  add(frames: readonly EncodedFrame[], chunks?: ChunkRun): void
  /** Stores what is open. Resolves when every pack of this writer is durable. */
  finish(): Promise<void>
  /** Drops what is open; for a backup that failed. Resolves when nothing is on its way to the storage any more. */
  abandon(): Promise<void>
  readonly storedBytes: number
}

export interface PackWriterOptions {
  context: RepositoryContext
  port: Port
  encoder: number
  /** Called once a pack is durable. */
  onStored(part: BlockPart): Promise<void>
  /** Called when storing fails: the backup must stop. */
  onFailure(error: unknown): void
  signal: AbortSignal
}

export async function createPackWriter({ context, port, encoder, onStored, onFailure, signal }: PackWriterOptions): Promise<PackWriter> {
  const { storage, sealer, platform } = context
  const open = new Map<number, OpenPack>()
  const storing = new Set<Promise<void>>()
  const expected: (ChunkRun & { at: number })[] = []
  let packs = 0
  let rotating: Promise<void> | undefined
  let storedBytes = 0

  const begin = async (): Promise<void> => {
    const pack = await openPack(sealer, platform.random(16))
    const number = ++packs
    open.set(number, pack)
    const { key, additional } = pack.key
    await invoke(port, startPack, { encoder, pack: number, key: { key, additional } })
  }

  const store = (number: number): void => {
    const pack = open.get(number)
    open.delete(number)
    if (!pack || pack.frames.length === 0) return
    const job = (async () => {
      const part = await storePack(storage, sealer, pack, signal)
      storedBytes += part.packBytes
      await onStored(part)
    })()
    const settled = job.catch(onFailure).finally(() => storing.delete(settled))
    storing.add(settled)
  }

  const rotate = (full: number): void => {
    rotating ??= begin()
      .then(() => store(full))
      .catch(onFailure)
      .finally(() => (rotating = undefined))
  }

  await begin()
  return {
    get storedBytes() {
      return storedBytes
    },
    async room() {
      while (storing.size >= STORING_MAX) await Promise.race(storing)
    },
    expect(run) {
      expected.push({ ...run, at: 0 })
    },
    add(frames, chunks) {
      for (const frame of frames) {
        const pack = open.get(frame.pack)
        if (!pack) throw new BlockvaultError('INTERNAL', 'A frame came back for a pack that is closed.')
        if (frame.number !== pack.frames.length) throw new BlockvaultError('INTERNAL', 'A frame came back out of the order of its nonces.')
        const { lengths, fingerprints } = chunks ?? takeExpected(expected, frame.chunks)
        pack.frames.push({ storedBytes: frame.storedBytes, plainBytes: frame.plainBytes, codec: frame.codec, lengths, fingerprints })
        pack.parts.push(...frame.parts)
        pack.storedBytes += frame.storedBytes
        if (pack.storedBytes >= PACK_BYTES && frame.pack === packs) rotate(frame.pack)
      }
    },
    async finish() {
      await rotating
      for (const number of [...open.keys()]) store(number)
      while (storing.size > 0) await Promise.all(storing)
    },
    async abandon() {
      await rotating
      open.clear()
      while (storing.size > 0) await Promise.all(storing)
    },
  }
}

function takeExpected(expected: (ChunkRun & { at: number })[], count: number): ChunkRun {
  const lengths = new Uint32Array(count)
  const fingerprints: Uint8Array[] = []
  for (let filled = 0; filled < count; ) {
    const [run] = expected
    if (!run) throw new BlockvaultError('INTERNAL', 'A frame came back with more chunks than were sent.')
    const take = Math.min(count - filled, run.lengths.length - run.at)
    lengths.set(run.lengths.subarray(run.at, run.at + take), filled)
    fingerprints.push(run.fingerprints.subarray(run.at * FINGERPRINT_BYTES, (run.at + take) * FINGERPRINT_BYTES))
    run.at += take
    filled += take
    if (run.at === run.lengths.length) expected.shift()
  }
  return { lengths, fingerprints: concatBytes(fingerprints) }
}
