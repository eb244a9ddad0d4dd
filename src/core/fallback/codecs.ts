/**
 * Compression of frames without WASM: reads all codecs, writes deflate.
 *
 * Invariant: `decompress` fills `target` exactly from all of `source` or answers false; only refusal is caught, a defect
 * still throws.
 */
import { zlibSync } from 'fflate'
import type { Codec } from '../../contract/core.ts'
import { BlockvaultError, isBlockvaultError } from '../../contract/errors.ts'
import { equalBytes } from '../bytes.ts'
import { damaged } from './damaged.ts'
import { nearestLevel } from './deflate.ts'
import { lz4Decompress } from './lz4.ts'
import { zlibDecompress } from './zlib.ts'
import type { LowChecksum } from './zstd/checksum.ts'
import { zstdDecompress } from './zstd/frame.ts'

export const WRITES: readonly Codec[] = ['none', 'deflate']

export interface Codecs {
  /** The compressed bytes, or nothing when they would not be fewer. Levels beyond 0 to 9 mean the nearest of these. */
  compress(codec: Codec, level: number, source: Uint8Array): Uint8Array | undefined
  decompress(codec: Codec, source: Uint8Array, target: Uint8Array): boolean
}

export function createCodecs(checksum: LowChecksum): Codecs {
  return {
    compress(codec, level, source) {
      if (codec === 'none' || source.length === 0) return undefined
      if (codec !== 'deflate') {
        throw new BlockvaultError('USAGE', `Without its WebAssembly core, blockvault can not write ${codec}: choose ${WRITES.join(' or ')}.`)
      }
      const compressed = zlibSync(source, { level: nearestLevel(level) })
      return compressed.length < source.length ? compressed : undefined
    },
    decompress(codec, source, target) {
      try {
        if (codec === 'none') copyExactly(source, target)
        else if (codec === 'deflate') zlibDecompress(source, target)
        else if (codec === 'lz4') lz4Decompress(source, target)
        else zstdDecompress(source, target, checksum)
        return true
      } catch (error) {
        if (isBlockvaultError(error, 'OBJECT_DAMAGED')) return false
        throw error
      }
    },
  }
}

/** Throws INTERNAL unless `compressed` decompresses to `source`. */
export function checkCompressed(codecs: Codecs, codec: Codec, compressed: Uint8Array, source: Uint8Array): void {
  const again = new Uint8Array(source.length)
  if (codecs.decompress(codec, compressed, again) && equalBytes(again, source)) return
  throw new BlockvaultError('INTERNAL', `What ${codec} wrote does not decompress to its source. Nothing was stored; test this machine's memory.`)
}

function copyExactly(source: Uint8Array, target: Uint8Array): void {
  if (source.length !== target.length) damaged('Stored bytes are not of the expected length')
  target.set(source)
}
