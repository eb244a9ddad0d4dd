/**
 * The worker's side of a restore or check: sealed frames in, verified chunks out to the volume.
 *
 * Invariant: a byte reaches the target only after its frame's seal held and its chunk, as decoded, has the change tag or the
 * fingerprint that the volume map asks for. The tag comes first where it is known: a wrong chunk passes it once in 2^128, and it costs
 * a quarter of a fingerprint, which is a third of a restore.
 */
import { CHANGE_TAG_BYTES, type Core, type CoreBuffer, FINGERPRINT_BYTES, type Scanner } from '../contract/core.ts'
import { equalBytes } from '../core/bytes.ts'
import type { Aead } from '../contract/platform.ts'
import { type Handlers, handle, operation } from '../io/operation.ts'
import { type OpenVolumes, volumeOf } from '../io/volume-operations.ts'
import { aeadOf } from './checksum-seal.ts'
import { decodeFrame, encodeBufferBytes, type FrameKey } from './frame.ts'
import { discard } from './spare-buffers.ts'

/** One frame of a batch, and which of its chunks are wanted. */
export interface FrameRequest {
  /** Where its sealed bytes lie in the batch. */
  offset: number
  storedBytes: number
  plainBytes: number
  codec: number
  /** Its number in its pack. */
  number: number
  /** Per wanted chunk: offset and length in the frame's plaintext. */
  chunks: Uint32Array<ArrayBuffer>
  /** Per wanted chunk: 32 bytes. */
  fingerprints: Uint8Array<ArrayBuffer>
  /** Per wanted chunk: 16 bytes; empty when they are not known. */
  changeTags: Uint8Array<ArrayBuffer>
  /** Per write: chunk (position in `chunks`), offset inside the chunk, length, offset in the volume. */
  writes: Float64Array<ArrayBuffer>
}

export interface DecodeArgument {
  /** Sealed bytes of the frames, as they lie in the pack. Given up: their memory is given back once they are decoded. */
  bytes: Uint8Array<ArrayBuffer>
  frames: FrameRequest[]
  key: FrameKey
  fingerprintKey: Uint8Array<ArrayBuffer>
  encrypted: boolean
  /** Write wanted chunks to this open volume. */
  volume?: number
  /** Return the plaintext of the frames. */
  collect?: boolean
}

export interface DecodeFailure {
  frame: number
  /** Position in the request's `chunks`; undefined when the whole frame failed. */
  chunk?: number
  reason: 'seal' | 'codec' | 'fingerprint'
}

export interface DecodeResult {
  failures: DecodeFailure[]
  writtenBytes: number
  /** With `collect`: of each frame that did not fail, in order. */
  collected: Uint8Array<ArrayBuffer>[]
}

export const decodeFrames = operation<DecodeArgument, DecodeResult>('frames.decode')

/** Frames of a batch are decoded side by side up to this much, so that a run of chunks that spans frames is one write. */
const DECODED_BYTES = 8 * 1024 * 1024
/** Numbers a write takes in `FrameRequest.writes`. */
export const WRITE_FIELDS = 4

export interface DecodeOptions {
  /** Comes between two frames, for hosts whose event loop runs on this thread. */
  pause?: () => Promise<void>
  /** Frames are decoded side by side up to this much, and at least one. 8 MiB by default. */
  decodedBytes?: number
}

/** Returns what gives the memory back. */
export function addDecodeOperations(
  handlers: Handlers,
  core: Core,
  platformAead: Aead,
  open: OpenVolumes,
  { pause, decodedBytes = DECODED_BYTES }: DecodeOptions = {},
): () => void {
  let buffers: { packed: CoreBuffer; plain: CoreBuffer } | undefined
  const releaseMemory = () => {
    buffers?.packed.free()
    buffers?.plain.free()
    buffers = undefined
  }
  const buffersFor = (frameBytes: number) => {
    if (buffers && buffers.packed.length >= encodeBufferBytes(frameBytes)) return buffers
    releaseMemory()
    buffers = { packed: core.buffer(encodeBufferBytes(frameBytes)), plain: core.buffer(Math.max(decodedBytes, frameBytes)) }
    return buffers
  }

  handle(
    handlers,
    decodeFrames,
    async ({ bytes, frames, key, fingerprintKey, encrypted, volume, collect }) => {
      const aead = aeadOf(encrypted, platformAead, core)
      const { packed, plain } = buffersFor(Math.max(0, ...frames.map(({ plainBytes }) => plainBytes)))
      const target = volume === undefined ? undefined : volumeOf(open, volume)
      const failures: DecodeFailure[] = []
      const collected: Uint8Array<ArrayBuffer>[] = []
      let writtenBytes = 0
      let runs: WriteRun[] = []
      const write = async () => {
        for (const { from, to, length } of runs) {
          await target?.writeAt(plain.bytes(from, length), to)
          writtenBytes += length
        }
        runs = []
      }

      // Tags do not depend on how a volume is cut.
      const tagger = core.scanner({ kind: 'fixed', size: 64 * 1024 }, fingerprintKey)
      try {
        let at = 0
        for (const [index, frame] of frames.entries()) {
          await pause?.()
          if (at + frame.plainBytes > plain.length) {
            await write()
            at = 0
          }
          const sealed = bytes.subarray(frame.offset, frame.offset + frame.storedBytes)
          const failure = await decodeFrame(core, aead, sealed, key, frame.number, frame.codec, frame.plainBytes, packed, plain, at)
          if (failure) {
            failures.push({ frame: index, reason: failure })
            continue
          }
          const wrong = wrongChunks(core, fingerprintKey, tagger, plain, at, frame)
          failures.push(...wrong.map((chunk) => ({ frame: index, chunk, reason: 'fingerprint' as const })))
          if (wrong.length > 0) continue
          if (target) addWrites(runs, frame, at)
          if (collect) collected.push(plain.bytes(at, frame.plainBytes).slice())
          at += frame.plainBytes
        }
        await write()
      } finally {
        tagger.free()
        discard(bytes)
      }
      return { failures, writtenBytes, collected }
    },
    ({ collected }) => collected.map(({ buffer }) => buffer),
  )
  return releaseMemory
}

/** Positions of wanted chunks whose bytes have neither their change tag nor their fingerprint, or do not lie inside the frame. */
function wrongChunks(core: Core, key: Uint8Array, tagger: Scanner, plain: CoreBuffer, at: number, frame: FrameRequest): number[] {
  const { fingerprints, changeTags } = frame
  const wrong: number[] = []
  for (let chunk = 0; chunk * 2 < frame.chunks.length; chunk++) {
    const offset = frame.chunks[chunk * 2] as number
    const length = frame.chunks[chunk * 2 + 1] as number
    if (offset + length > frame.plainBytes) {
      wrong.push(chunk)
      continue
    }
    const changeTag = changeTags.subarray(chunk * CHANGE_TAG_BYTES, (chunk + 1) * CHANGE_TAG_BYTES)
    if (changeTag.length > 0 && equalBytes(tagger.tag(plain, at + offset, Uint32Array.of(length)).changeTags, changeTag)) continue
    const fingerprint = fingerprints.subarray(chunk * FINGERPRINT_BYTES, (chunk + 1) * FINGERPRINT_BYTES)
    if (!equalBytes(core.fingerprint(key, plain, at + offset, length), fingerprint)) wrong.push(chunk)
  }
  return wrong
}

interface WriteRun {
  /** Where in the decoded bytes, and where in the volume. */
  from: number
  to: number
  length: number
}

/** Adds a frame's writes, joined with a neighbour before: fewer, longer system calls. `at`: where the frame was decoded to. */
function addWrites(runs: WriteRun[], frame: FrameRequest, at: number): void {
  for (let write = 0; write < frame.writes.length; write += WRITE_FIELDS) {
    const chunk = frame.writes[write] as number
    const from = at + (frame.chunks[chunk * 2] as number) + (frame.writes[write + 1] as number)
    const length = frame.writes[write + 2] as number
    const to = frame.writes[write + 3] as number
    const last = runs.at(-1)
    if (last && last.from + last.length === from && last.to + last.length === to) last.length += length
    else runs.push({ from, to, length })
  }
}
