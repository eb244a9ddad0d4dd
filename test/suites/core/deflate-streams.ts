/**
 * Deflate streams written bit by bit (RFC 1951), each with a checksum that fits: only the rule it breaks can refuse it.
 */

import { packed } from './bits.ts'
import type { Bits } from './bits.ts'

export interface DeflateCase {
  name: string
  accepted: boolean
  plain: Uint8Array
  stream: Uint8Array
}

const FIXED: Bits = [[3, 0b011]]
const END_FIXED = '0000000'
const DYNAMIC: Bits = [[3, 0b101]]
const [A, B, END] = [97, 98, 256]
/** A dynamic block's head whose code lengths have the words 00 for 0, 01 for 1, 10 for a repeat, 11 for 11 zeros and more. */
const REPEATS: Bits = [...DYNAMIC, [5, 0], [5, 0], ...codeLengthCode({ 0: 2, 1: 2, 16: 2, 18: 2 })]
/** Behind 97 zeros: 1 for `a`, 158 zeros, 1 for the end of block. */
const AN_A_AND_AN_END: Bits = ['01', '11', [7, 138 - 11], '11', [7, 20 - 11], '01']

export const DEFLATE_CASES: readonly DeflateCase[] = [
  stream('a match by fixed codes', true, 'aaaa', [...FIXED, '10010001', '0000001', '00000', END_FIXED]),
  stream('a length by reserved code 286', false, 'a', [...FIXED, '10010001', '11000110', '00000', END_FIXED]),
  stream('a distance by reserved code 30', false, 'aaaa', [...FIXED, '10010001', '0000001', '11110', END_FIXED]),
  stream('a distance before the start', false, 'a\0a\0', [...FIXED, '10010001', '0000001', '00001', END_FIXED]),
  stream('a block of the reserved kind', false, 'a', [[3, 0b111], '10010001', END_FIXED]),
  stream('a stored block', true, 'ab', [
    [3, 0b001],
    [5, 0],
    [16, 2],
    [16, 0xfffd],
    [8, A],
    [8, B],
  ]),
  stream('a stored block whose length and complement differ', false, 'ab', [
    [3, 0b001],
    [5, 0],
    [16, 2],
    [16, 0xfffc],
    [8, A],
    [8, B],
  ]),
  stream('a complete code', true, 'ab', [...dynamic({ [A]: 1, [B]: 2, [END]: 2 }, [0]), '0', '10', '11']),
  stream('an oversubscribed code', false, 'b', [...dynamic({ [A]: 1, [B]: 1, [END]: 1 }, [0]), '1', '0']),
  stream('an incomplete code', false, 'a', [...dynamic({ [A]: 2, [END]: 2 }, [0]), '00', '01']),
  stream('an incomplete code-length code', false, 'a', [...dynamic({ [A]: 1, [END]: 1 }, [0], { 0: 2, 1: 2 }), '0', '1']),
  stream('codes without an end of block', false, 'a', [...dynamic({ [A]: 1, [B]: 1 }, [0]), '0', '1']),
  stream('a lone distance code of one bit', true, 'aaaa', [...dynamic({ [A]: 1, [END]: 2, 257: 2 }, [1]), '0', '11', '0', '10']),
  stream('the other word of a lone distance code', false, 'aaaa', [...dynamic({ [A]: 1, [END]: 2, 257: 2 }, [1]), '0', '11', '1', '10']),
  stream('a lone distance code of two bits', false, 'aaaa', [...dynamic({ [A]: 1, [END]: 2, 257: 2 }, [2]), '0', '11', '00', '10']),
  stream('30 distance codes', true, 'a', [...dynamic({ [A]: 1, [END]: 1 }, new Array<number>(30).fill(0)), '0', '1']),
  stream('31 distance codes', false, 'a', [...dynamic({ [A]: 1, [END]: 1 }, new Array<number>(31).fill(0)), '0', '1']),
  stream('286 literal codes', true, 'a', [...dynamic({ [A]: 1, [END]: 1, 285: 0 }, [0]), '0', '1']),
  stream('287 literal codes', false, 'a', [...dynamic({ [A]: 1, [END]: 1, 286: 0 }, [0]), '0', '1']),
  stream('repeats of code lengths', true, 'a', [...REPEATS, '11', [7, 97 - 11], ...AN_A_AND_AN_END, '00', '0', '1']),
  stream('a repeat of nothing', false, 'a', [...REPEATS, '10', [2, 0], '11', [7, 94 - 11], ...AN_A_AND_AN_END, '00', '0', '1']),
  stream('a repeat beyond the last code', false, 'a', [...REPEATS, '11', [7, 97 - 11], ...AN_A_AND_AN_END, '11', [7, 0], '0', '1']),
]

/** Four GiB of `a` in four MiB: each `00` says to copy 258 bytes from one byte before. */
export const DEFLATE_BOMB = Uint8Array.from([0x78, 0x01, ...packed([...dynamic({ [A]: 2, [END]: 2, 285: 1 }, [1]), '10']), ...new Uint8Array(4 << 20)])

function stream(name: string, accepted: boolean, text: string, bits: Bits): DeflateCase {
  const plain = new TextEncoder().encode(text)
  return { name, accepted, plain, stream: Uint8Array.from([0x78, 0x01, ...packed(bits), ...adler32(plain)]) }
}

/** The head of a dynamic block. Code lengths 0 to 15 are written in four bits each unless `codeLengths` says otherwise. */
function dynamic(literals: Record<number, number>, distances: readonly number[], codeLengths?: Record<number, number>): Bits {
  const literalCount = Math.max(END, ...Object.keys(literals).map(Number)) + 1
  const used = codeLengths ?? Object.fromEntries(Array.from({ length: 16 }, (_, length) => [length, 4]))
  const lengths = [...Array.from({ length: literalCount }, (_, symbol) => literals[symbol] ?? 0), ...distances]
  const word = (length: number) => length.toString(2).padStart(used[length]!, '0')
  return [...DYNAMIC, [5, literalCount - 257], [5, distances.length - 1], ...codeLengthCode(used), ...lengths.map(word)]
}

function codeLengthCode(lengths: Record<number, number>): Bits {
  const order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
  return [[4, order.length - 4], ...order.map((symbol) => [3, lengths[symbol] ?? 0] as const)]
}

function adler32(bytes: Uint8Array): number[] {
  let [low, high] = [1, 0]
  for (const byte of bytes) {
    low = (low + byte) % 65521
    high = (high + low) % 65521
  }
  return [high >> 8, high & 255, low >> 8, low & 255]
}
