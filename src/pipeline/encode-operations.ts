/**
 * The worker's side of a backup: read a segment straight into the core's memory, scan it there, and turn the chunks that
 * proved new into sealed frames. Only fingerprints and sealed frames ever leave the worker.
 */
import type { ChunkerOptions, Core, CoreBuffer, Scanner } from '../contract/core.ts'
import { BlockvaultError } from '../contract/errors.ts'
import type { Aead } from '../contract/platform.ts'
import { type Handlers, handle, operation } from '../io/operation.ts'
import type { OpenVolumes } from '../io/volume-operations.ts'
import { aeadOf } from './checksum-seal.ts'
import { chunkBytesMax, type KnownChunks, PIECE_BYTES, scanInPieces, type SegmentScan } from './scan-pieces.ts'
import { type SegmentInput, segmentReader } from './segment-input.ts'
import { type EncodedFrame, encodeBufferBytes, encodeFrame, type FrameEncoderOptions, type FrameKey } from './frame.ts'

export interface EncoderOptions extends FrameEncoderOptions {
  chunker: ChunkerOptions
  fingerprintKey: Uint8Array<ArrayBuffer>
  encrypted: boolean
  segmentBytes: number
  frameBytes: number
}

/** Ranges inside a segment or buffer: offset and length in turn, one pair a chunk. */
export type ChunkRanges = Uint32Array<ArrayBuffer>

export const openEncoder = operation<{ encoder: number; options: EncoderOptions }, void>('encoder.open')
export const scanSegment = operation<{ encoder: number; slot: number; input: SegmentInput; known?: KnownChunks }, SegmentScan>('encoder.scan')
/**
 * Copies chunks of a scanned segment behind those taken before; returns the frames that became full. Chunks that are a whole frame as they lie
 * in the segment are not copied.
 */
export const takeChunks = operation<{ encoder: number; slot: number; chunks: ChunkRanges }, EncodedFrame[]>('encoder.take')
/** Frames from here on belong to pack `pack` (the caller's own count); their numbers start at 0. */
export const startPack = operation<{ encoder: number; pack: number; key: FrameKey }, void>('encoder.pack')
/** Encodes map nodes as a frame, apart from the chunks being gathered. */
export const encodeBytes = operation<{ encoder: number; bytes: Uint8Array; chunks: number }, EncodedFrame[]>('encoder.encode')
/** Closes the frame being gathered. */
export const flushFrame = operation<{ encoder: number }, EncodedFrame[]>('encoder.flush')
export const closeEncoder = operation<{ encoder: number }, void>('encoder.close')

/** Map nodes are hashes. Only where chunks repeat do they get smaller by this much; else the next backup, which reads them all, need decode none. */
const NODES_LEAST_GAIN = 0.25

interface Encoder {
  options: EncoderOptions
  aead: Aead
  scanner: Scanner
  slots: Map<number, CoreBuffer>
  /** Where bytes that may be unchanged are read to: small, so that it stays in the processor's cache. */
  piece: CoreBuffer
  gathered: CoreBuffer
  gatheredBytes: number
  gatheredChunks: number
  packed: CoreBuffer
  pack: { number: number; key: FrameKey } | undefined
  packFrames: number
}

/** Returns what gives the memory of every encoder back. `pause` comes before each frame, for hosts whose event loop runs on this thread. */
export function addEncodeOperations(handlers: Handlers, core: Core, platformAead: Aead, open: OpenVolumes, pause?: () => Promise<void>): () => void {
  const encoders = new Map<number, Encoder>()
  const encoderOf = (number: number): Encoder => {
    const encoder = encoders.get(number)
    if (!encoder) throw new BlockvaultError('INTERNAL', `No encoder ${number} in this worker.`)
    return encoder
  }
  const buffers = (frames: EncodedFrame[]) => frames.flatMap(({ parts }) => parts.map((part) => part.buffer))

  handle(handlers, openEncoder, ({ encoder, options }) => {
    encoders.set(encoder, {
      options,
      aead: aeadOf(options.encrypted, platformAead, core),
      scanner: core.scanner(options.chunker, options.fingerprintKey),
      slots: new Map(),
      piece: core.buffer(Math.max(PIECE_BYTES, chunkBytesMax(options.chunker))),
      gathered: core.buffer(options.frameBytes),
      gatheredBytes: 0,
      gatheredChunks: 0,
      packed: core.buffer(encodeBufferBytes(options.frameBytes)),
      pack: undefined,
      packFrames: 0,
    })
  })

  handle(
    handlers,
    scanSegment,
    ({ encoder: number, slot, input, known }) => {
      const { scanner, piece, options } = encoderOf(number)
      const segment = slotOf(core, encoderOf(number), slot)
      return scanInPieces(
        {
          core,
          scanner,
          segment,
          piece,
          fixedBytes: options.chunker.kind === 'fixed' ? options.chunker.size : undefined,
          fingerprintKey: options.fingerprintKey,
        },
        segmentReader(input, open),
        known,
      )
    },
    (scan) => [scan.lengths.buffer, scan.zero.buffer, scan.fingerprints.buffer, scan.changeTags.buffer],
  )

  handle(
    handlers,
    takeChunks,
    async ({ encoder: number, slot, chunks }) => {
      const encoder = encoderOf(number)
      const segment = slotOf(core, encoder, slot)
      const frames: EncodedFrame[] = []
      for (let index = 0; index < chunks.length; ) {
        const offset = chunks[index] as number
        const length = chunks[index + 1] as number
        const whole = encoder.gatheredBytes === 0 ? wholeFrame(chunks.subarray(index), encoder.options.frameBytes) : undefined
        if (whole) {
          await pause?.()
          frames.push(await encode(core, encoder, segment, offset, whole.bytes, whole.chunks))
          index += 2 * whole.chunks
          continue
        }
        if (encoder.gatheredBytes + length > encoder.gathered.length) {
          await pause?.()
          frames.push(...(await closeFrame(core, encoder)))
        }
        encoder.gathered.bytes(encoder.gatheredBytes, length).set(segment.bytes(offset, length))
        encoder.gatheredBytes += length
        encoder.gatheredChunks += 1
        index += 2
      }
      return frames
    },
    buffers,
  )

  handle(handlers, startPack, ({ encoder: number, pack, key }) => {
    const encoder = encoderOf(number)
    encoder.pack = { number: pack, key }
    encoder.packFrames = 0
  })

  handle(
    handlers,
    encodeBytes,
    async ({ encoder: number, bytes, chunks }) => {
      const encoder = encoderOf(number)
      const plain = core.buffer(bytes.length)
      try {
        plain.bytes().set(bytes)
        return [await encode(core, encoder, plain, 0, bytes.length, chunks, NODES_LEAST_GAIN)]
      } finally {
        plain.free()
      }
    },
    buffers,
  )

  handle(handlers, flushFrame, ({ encoder }) => closeFrame(core, encoderOf(encoder)), buffers)

  const close = (number: number) => {
    const encoder = encoders.get(number)
    encoders.delete(number)
    if (!encoder) return
    encoder.scanner.free()
    for (const buffer of [...encoder.slots.values(), encoder.piece, encoder.gathered, encoder.packed]) buffer.free()
  }
  handle(handlers, closeEncoder, ({ encoder }) => close(encoder))
  return () => {
    for (const number of [...encoders.keys()]) close(number)
  }
}

function slotOf(core: Core, encoder: Encoder, slot: number): CoreBuffer {
  let buffer = encoder.slots.get(slot)
  if (!buffer) {
    buffer = core.buffer(encoder.options.segmentBytes)
    encoder.slots.set(slot, buffer)
  }
  return buffer
}

/** The first chunks of these, where they follow each other and gathering them would close a frame with the last of them. */
function wholeFrame(chunks: ChunkRanges, frameBytes: number): { bytes: number; chunks: number } | undefined {
  let bytes = 0
  for (let index = 0; index < chunks.length; index += 2) {
    const length = chunks[index + 1] as number
    if (bytes + length > frameBytes) return { bytes, chunks: index / 2 }
    if (chunks[index] !== (chunks[0] as number) + bytes) return undefined
    bytes += length
    if (bytes === frameBytes) return { bytes, chunks: index / 2 + 1 }
  }
  return undefined
}

async function closeFrame(core: Core, encoder: Encoder): Promise<EncodedFrame[]> {
  const { gatheredBytes, gatheredChunks } = encoder
  if (gatheredChunks === 0) return []
  encoder.gatheredBytes = 0
  encoder.gatheredChunks = 0
  return [await encode(core, encoder, encoder.gathered, 0, gatheredBytes, gatheredChunks)]
}

async function encode(core: Core, encoder: Encoder, plain: CoreBuffer, at: number, plainBytes: number, chunks: number, leastGain = 0): Promise<EncodedFrame> {
  if (!encoder.pack) throw new BlockvaultError('INTERNAL', 'Frames were asked for before a pack was started.')
  const number = encoder.packFrames++
  const sealed = await encodeFrame(core, encoder.aead, plain, at, plainBytes, encoder.packed, encoder.options, encoder.pack.key, number, leastGain)
  return { pack: encoder.pack.number, number, plainBytes, chunks, ...sealed }
}
