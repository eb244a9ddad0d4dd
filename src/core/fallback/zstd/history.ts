/** What one block of a zstd frame hands to the next. */
import type { FseTable } from './fse.ts'
import type { HuffmanCode } from './huffman.ts'

export interface History {
  huffman: HuffmanCode | undefined
  literalLengths: FseTable | undefined
  offsets: FseTable | undefined
  matchLengths: FseTable | undefined
  /** The last three offsets, newest first. */
  recent: [number, number, number]
}

export function createHistory(): History {
  return { huffman: undefined, literalLengths: undefined, offsets: undefined, matchLengths: undefined, recent: [1, 4, 8] }
}
