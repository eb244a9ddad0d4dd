/** Streams of Cinder's objects in the WASM core: ranges go in, numbers come out. Its numbers for errors become coded errors here. */
import * as glue from '../../wasm/pkg/blockvault_core.js'
import type { StreamCodec, StreamDecoder, StreamEncoder } from '../contract/core.ts'
import { BlockvaultError } from '../contract/errors.ts'
import type { CoreMemory } from './memory.ts'

export function streamEncoder(memory: CoreMemory, codec: StreamCodec, level: number): StreamEncoder {
  const inner = glue.StreamEncoder[codec](level)
  if (inner === undefined) throw outOfMemory(codec)
  return {
    bound: (length) => inner.bound(length) >>> 0,
    encode(source, offset, length, target, { objectBytes, first, last }) {
      const from = memory.address(source, offset, length)
      check(codec, inner.encode(from, length, memory.address(target, 0, target.length), target.length, first ? objectBytes : -1, last))
      return { length: inner.length() >>> 0, adler32: inner.adler32() >>> 0 }
    },
    free: () => inner.free(),
  }
}

export function streamDecoder(memory: CoreMemory, codec: StreamCodec): StreamDecoder {
  const inner = glue.StreamDecoder[codec]()
  if (inner === undefined) throw outOfMemory(codec)
  return {
    decode(source, offset, length, target, targetOffset = 0) {
      const from = memory.address(source, offset, length)
      const room = target.length - targetOffset
      check(codec, inner.decode(from, length, memory.address(target, targetOffset, room), room))
      return { consumed: inner.consumed() >>> 0, produced: inner.produced() >>> 0 }
    },
    finish: () => check(codec, inner.finish()),
    free: () => inner.free(),
  }
}

/** The numbers of wasm/binding/src/streams.rs. */
const DONE = 0
const DAMAGED = -1
const OUT_OF_MEMORY = -2
const WINDOW_TOO_LARGE = -4

function check(codec: StreamCodec, answer: number): void {
  if (answer === DONE) return
  if (answer === DAMAGED) throw new BlockvaultError('OBJECT_DAMAGED', `An object is no whole ${codec} stream: restore it from a copy.`)
  if (answer === OUT_OF_MEMORY) throw outOfMemory(codec)
  if (answer === WINDOW_TOO_LARGE) throw new BlockvaultError('OBJECT_DAMAGED', 'A zstd object asks for a window of more than 128 MiB, which is not read.')
  throw new BlockvaultError('INTERNAL', `A part for ${codec} overlaps or exceeds its target, is empty, or is not of the announced length.`)
}

function outOfMemory(codec: StreamCodec): BlockvaultError {
  return new BlockvaultError('INTERNAL', `The core has no memory left for ${codec}: use fewer workers.`)
}
