/** Volumes made from a seed: half compressible, with a chosen share of repeated 64 KiB chunks. Same seed, same bytes. */
import { open } from 'node:fs/promises'

/** The unit that repeats: the engine's default chunk. */
export const GENERATED_CHUNK_BYTES = 64 * 1024

/** A line is half noise and half one of a few phrases, so that fast compressors halve it, as they do a system disk's used part. */
const LINE_WORDS = 16
const PHRASE_WORDS = 8
const PHRASES = 64

/** `duplicates` is the share (0 to 1) of chunks that repeat an earlier chunk of this volume. */
export interface GeneratedVolume {
  bytes: number
  seed: number
  duplicates: number
}

/** Hands the volume out in pieces of at most `pieceBytes` (a multiple of the chunk); each piece reuses one buffer. */
export function* generateVolume(volume: GeneratedVolume, pieceBytes = 4 * 1024 * 1024): Generator<Uint8Array<ArrayBuffer>> {
  const piece = new Uint8Array(pieceBytes)
  const place = randomWords(volume.seed ^ 0x9e3779b9)
  const distinctShare = 1 - volume.duplicates
  let distinct = 0
  let chunk = 0
  for (let offset = 0; offset < volume.bytes; offset += pieceBytes) {
    const length = Math.min(pieceBytes, volume.bytes - offset)
    for (let at = 0; at < pieceBytes; at += GENERATED_CHUNK_BYTES, chunk++) {
      // exactly that share, evenly spread; the first chunk has nothing to repeat
      const fresh = distinct === 0 || Math.floor((chunk + 1) * distinctShare) >= distinct + 1
      const content = fresh ? distinct++ : place() % distinct
      fillChunk(piece.subarray(at, at + GENERATED_CHUNK_BYTES), volume.seed, content)
    }
    yield piece.subarray(0, length)
  }
}

/** The first `bytes` of such a volume without repeats, in memory. */
export function generateBytes(bytes: number, seed: number): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(bytes)
  let offset = 0
  for (const piece of generateVolume({ bytes, seed, duplicates: 0 })) {
    all.set(piece, offset)
    offset += piece.length
  }
  return all
}

/** Content number `content` of this seed. */
function fillChunk(chunk: Uint8Array<ArrayBuffer>, seed: number, content: number): void {
  const words = new Uint32Array(chunk.buffer, chunk.byteOffset, chunk.byteLength / 4)
  const next = randomWords(Math.imul(seed, 0x85ebca6b) ^ Math.imul(content + 1, 0xc2b2ae35))
  const phrases = phrasesOf(seed)
  for (let line = 0; line < words.length; line += LINE_WORDS) {
    for (let word = 0; word < LINE_WORDS - PHRASE_WORDS; word++) words[line + word] = next()
    const phrase = (next() % PHRASES) * PHRASE_WORDS
    words.set(phrases.subarray(phrase, phrase + PHRASE_WORDS), line + LINE_WORDS - PHRASE_WORDS)
  }
}

let phrasesSeed: number | undefined
let phrasesKept = new Uint32Array(0)
function phrasesOf(seed: number): Uint32Array {
  if (phrasesSeed !== seed) {
    const next = randomWords(seed)
    phrasesKept = Uint32Array.from({ length: PHRASES * PHRASE_WORDS }, next)
    phrasesSeed = seed
  }
  return phrasesKept
}

/** sfc32 (Chris Doty-Humphrey's Small Fast Counting generator, 32-bit). */
export function randomWords(seed: number): () => number {
  let a = seed | 0
  let b = 0x243f6a88
  let c = 0xb7e15162
  let counter = 1
  const next = (): number => {
    const result = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + result) | 0
    return result >>> 0
  }
  for (let warm = 0; warm < 12; warm++) next()
  return next
}

/**
 * `bytes` of a file, in memory: 64 KiB pieces that are not all zero, from all over it. The engine neither hashes nor
 * compresses zeros, and a disk's first megabytes are not like the rest.
 */
export async function sampleFile(file: string, bytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const handle = await open(file)
  try {
    const pieces = Math.floor((await handle.stat()).size / GENERATED_CHUNK_BYTES)
    const all = new Uint8Array(bytes)
    const piece = new Uint8Array(GENERATED_CHUNK_BYTES)
    // a pass takes every `stride`-th piece; the next pass those right behind
    const stride = Math.max(1, Math.floor((pieces * GENERATED_CHUNK_BYTES) / bytes / 4))
    let length = 0
    for (let first = 0; first < stride; first++) {
      for (let index = first; index < pieces && length < bytes; index += stride) {
        await handle.read(piece, 0, piece.length, index * GENERATED_CHUNK_BYTES)
        if (new BigUint64Array(piece.buffer).every((word) => word === 0n)) continue
        all.set(piece.subarray(0, bytes - length), length)
        length += piece.length
      }
    }
    if (length < bytes) throw new Error(`${file} has less than ${bytes / 1024 / 1024} MiB that is not zero: give a smaller --size`)
    return all
  } finally {
    await handle.close()
  }
}
