/**
 * A frame: a run of chunks that is compressed and encrypted as one piece.
 *
 * Encoding:  chunks → compress (as `none` when it would not shrink) → seal.
 * Decoding:  open the seal → bound → decompress → (the caller checks the fingerprint of every chunk).
 * Nothing is believed before the seal holds, and nothing is allocated from a length that was read.
 */
import { CODECS, type Codec, type CodecNumber, type Core, type CoreBuffer } from '../contract/core.ts'
import type { Aead } from '../contract/platform.ts'
import { discard } from './spare-buffers.ts'

/** Bytes the seal adds: the AEAD tag. */
export const SEAL_BYTES = 16
/** A frame's plaintext is at most this long, whatever a repository's config says. */
export const FRAME_BYTES_MAX = 16 * 1024 * 1024

/** What seals the frames of one pack. */
export interface FrameKey {
  key: Uint8Array<ArrayBuffer>
  /** Bound to every frame: format version, repository and pack. */
  additional: Uint8Array<ArrayBuffer>
}

/** A frame's nonce is its number inside its pack: the pack's key is used for this pack alone. */
export function frameNonce(number: number): Uint8Array<ArrayBuffer> {
  const nonce = new Uint8Array(12)
  new DataView(nonce.buffer).setUint32(0, number, true)
  return nonce
}

const CODEC_NAMES = Object.entries(CODECS) as [Codec, CodecNumber][]

export function codecName(number: number): Codec | undefined {
  return CODEC_NAMES.find(([, value]) => value === number)?.[0]
}

/** Room a frame's output buffer needs: output that would be longer than the input is never kept. */
export function encodeBufferBytes(frameBytes: number): number {
  return frameBytes + Math.ceil(frameBytes / 128) + 1024
}

export interface FrameEncoderOptions {
  codec: Codec
  level: number
  /**
   * Decode every so many-th frame of a pack and compare, before it is stored: 1 is every frame. It finds a defect or failing
   * memory; `verify` with `readData` reads everything back from where it is stored.
   */
  checkEvery: number
}

export interface EncodedFrame {
  /** The pack it was sealed for, as `startPack` numbered it, and its number there: its nonce. */
  pack: number
  number: number
  /** Sealed: parts that follow each other, each owning its buffer. */
  parts: readonly Uint8Array<ArrayBuffer>[]
  storedBytes: number
  plainBytes: number
  codec: CodecNumber
  /** Chunks in it. */
  chunks: number
}

/**
 * Encodes `length` bytes at `at` of `plain`. `packed` has room for `encodeBufferBytes`. What compression does not make shorter by a share of
 * `leastGain` (0 to 1) is left as it is.
 */
export async function encodeFrame(
  core: Core,
  aead: Aead,
  plain: CoreBuffer,
  at: number,
  length: number,
  packed: CoreBuffer,
  options: FrameEncoderOptions,
  key: FrameKey,
  number: number,
  leastGain = 0,
): Promise<Pick<EncodedFrame, 'parts' | 'storedBytes' | 'codec'>> {
  const bytes = options.codec === 'none' ? 0 : core.compress(options.codec, options.level, plain, at, length, packed, number % options.checkEvery === 0)
  const packedBytes = bytes <= length * (1 - leastGain) ? bytes : 0
  const body = packedBytes > 0 ? packed.bytes(0, packedBytes) : plain.bytes(at, length)
  const storedBytes = body.length + SEAL_BYTES
  const parts = await aead.seal(key.key, frameNonce(number), key.additional, body)
  return { parts, storedBytes, codec: packedBytes > 0 ? CODECS[options.codec] : CODECS.none }
}

export type FrameFailure = 'seal' | 'codec'

/** Decodes one sealed frame to `at` of `plain`. Returns what failed, or `undefined` when `plainBytes` bytes are there. `sealed` is left as it is. */
export async function decodeFrame(
  core: Core,
  aead: Aead,
  sealed: Uint8Array,
  key: FrameKey,
  number: number,
  codec: number,
  plainBytes: number,
  packed: CoreBuffer,
  plain: CoreBuffer,
  at: number,
): Promise<FrameFailure | undefined> {
  const body = await aead.open(key.key, frameNonce(number), key.additional, sealed)
  if (!body) return 'seal'
  const name = codecName(codec)
  if (name === undefined || plainBytes > plain.length - at || body.length > packed.length) return 'codec'
  const isPlain = name === 'none'
  if (isPlain && body.length !== plainBytes) return 'codec'
  const packedBytes = body.length
  if (isPlain) plain.bytes(at, plainBytes).set(body)
  else packed.bytes(0, packedBytes).set(body)
  if (body.buffer !== sealed.buffer) discard(body)
  return isPlain || core.decompress(name, packed, 0, packedBytes, plain, plainBytes, at) ? undefined : 'codec'
}
