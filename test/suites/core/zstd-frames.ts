/**
 * zstd frames written bit by bit (RFC 8878), without a checksum: only the rule that one breaks can refuse it.
 */
import { backward, packed } from './bits.ts'

export interface ZstdHeader {
  /** Makes a single segment of this content size. */
  contentBytes?: number
  /** The window byte of a frame that is none; 0 is 1 KiB. */
  window?: number
  dictionary?: number
  reserved?: boolean
}

export function zstdFrame(blocks: readonly (readonly number[])[], { contentBytes, window = 0, dictionary, reserved = false }: ZstdHeader): Uint8Array {
  const descriptor = (contentBytes === undefined ? 0 : 0xa0) | (dictionary === undefined ? 0 : 1) | (reserved ? 8 : 0)
  const size = contentBytes === undefined ? [] : [0, 8, 16, 24].map((shift) => (contentBytes >> shift) & 255)
  const last = blocks.length - 1
  const body = blocks.flatMap(([first, ...rest], index) => [first! | (index === last ? 1 : 0), ...rest])
  const head = [...(contentBytes === undefined ? [window] : []), ...(dictionary === undefined ? [] : [dictionary])]
  return Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, descriptor, ...head, ...size, ...body])
}

export const raw = (size: number) => block(0, size, new Array<number>(size).fill(9))
export const repeated = (size: number) => block(1, size, [9])
const reservedKind = (size: number) => block(3, size, new Array<number>(size).fill(9))
const compressed = (...content: (number | Uint8Array)[]) => {
  const bytes = content.flatMap((part) => (typeof part === 'number' ? [part] : [...part]))
  return block(2, bytes.length, bytes)
}

function block(kind: number, size: number, content: number[]): number[] {
  const header = (kind << 1) | (size << 3)
  return [header & 255, (header >> 8) & 255, header >> 16, ...content]
}

/** Literals sections: none, one `A`, as many as two bytes can say. */
const NO_LITERALS = 0x00
const ONE_LITERAL = Uint8Array.of(0x08, 65)
const rawLiterals = (size: number) => Uint8Array.from([0x04 | ((size & 15) << 4), size >> 4, ...new Array<number>(size).fill(65)])
/** One stream of Huffman-coded literals: plain weights, four bits each. */
const huffman = (size: number, weights: readonly number[], stream: Uint8Array) => coded(0, size, [127 + weights.length, ...pairs(weights), ...stream])
const coded = (format: number, size: number, content: number[]) =>
  Uint8Array.from([
    ...packed([
      [2, 2],
      [2, format],
      [10, size],
      [10, content.length],
    ]),
    ...content,
  ])
const pairs = (weights: readonly number[]) => weights.flatMap((weight, index) => (index % 2 === 0 ? [(weight << 4) | (weights[index + 1] ?? 0)] : []))
/** Weight 0 in 16 states and weight 1 in the others, of which 31 is one. */
const WEIGHTS = packed([
  [4, 0],
  [5, 17],
  [5, 31],
])

const NO_SEQUENCES = 0
/** One sequence whose three codes are each given once, in a byte. */
const one = (literalCode: number, offsetCode: number, matchCode: number, bits: string) =>
  Uint8Array.from([1, 0b01010100, literalCode, offsetCode, matchCode, ...backward(bits)])
/** One sequence whose literal lengths come from a table; no literals, offset 1, three bytes. */
const withTable = (table: Uint8Array, bits: string) => Uint8Array.from([1, 0b10010100, ...table, 2, 0, ...backward(bits)])
/** A table of one symbol, 0. */
const lone = (accuracy: number) => packed([[4, accuracy - 5], '1'.repeat(accuracy + 1)])
/** 31 states of symbol 0 and one of symbol `last`, by runs of zeros. */
const zeroAnd = (last: number) => packed([[4, 0], [6, 62], [2, 1], ...new Array<string>(Math.floor((last - 2) / 3)).fill('11'), [2, (last - 2) % 3], [2, 3]])

const nines = (count: number, text = '') => Uint8Array.from([...new Array<number>(count).fill(9), ...new TextEncoder().encode(text)])
const zeros = (count: number) => new Uint8Array(count)

export interface ZstdCase {
  name: string
  accepted: boolean
  plain: Uint8Array
  frame: Uint8Array
}

export const ZSTD_CASES: readonly ZstdCase[] = [
  frame('literals alone', true, nines(0, 'A'), compressed(ONE_LITERAL, NO_SEQUENCES)),
  frame('a count of no sequences in two bytes', true, nines(0, 'A'), compressed(ONE_LITERAL, 128, 0)),
  frame('a byte behind no sequences', false, nines(0, 'A'), compressed(ONE_LITERAL, NO_SEQUENCES, 0)),
  frame('an empty compressed block', false, nines(5), repeated(5), compressed()),
  frame('a literal and a match', true, nines(5, 'AAAA'), repeated(5), compressed(ONE_LITERAL, one(1, 2, 0, '00'))),
  frame('a match of the one before last offset', true, nines(4, 'A\t\t\t'), repeated(4), compressed(ONE_LITERAL, one(1, 1, 0, '0'))),
  frame('a match of the third last offset', true, nines(8, 'A\t\t\t'), repeated(8), compressed(ONE_LITERAL, one(1, 1, 0, '1'))),
  frame('a match as long as its window allows', true, nines(5, 'A'.repeat(516)), repeated(5), compressed(ONE_LITERAL, one(1, 2, 45, '00000000000'))),
  frame('a match much longer than its window', false, nines(5, 'A'.repeat(65540)), repeated(5), compressed(ONE_LITERAL, one(1, 2, 52, '0'.repeat(18)))),
  frame('an offset before the start', false, nines(5, 'A\0\0\0'), repeated(5), compressed(ONE_LITERAL, one(1, 3, 0, '010'))),
  frame('a recent offset of zero', false, nines(5, '\0\0\0'), repeated(5), compressed(NO_LITERALS, one(0, 1, 0, '1'))),
  frame('bits left over', false, nines(5, 'AAAA'), repeated(5), compressed(ONE_LITERAL, one(1, 2, 0, '000'))),
  frame('bits used up', false, nines(5, 'AAAA'), repeated(5), compressed(ONE_LITERAL, one(1, 2, 0, '0'))),
  frame('bits without an end mark', false, nines(5, 'A'.repeat(68)), repeated(5), compressed(ONE_LITERAL, Uint8Array.of(1, 0b01010100, 1, 2, 42, 0, 0))),
  frame('literals used up', false, nines(5, '\0AAAA'), repeated(5), compressed(ONE_LITERAL, one(2, 2, 0, '00'))),
  frame('reserved bits in the modes', false, nines(5, 'AAAA'), repeated(5), compressed(ONE_LITERAL, 1, 0b01010101, 1, 2, 0, backward('00'))),
  frame('a table of before where there is none', false, nines(5, 'AAAA'), repeated(5), compressed(ONE_LITERAL, 1, 0b11010100, 2, 0, backward('00'))),
  frame('a table of accuracy 9', true, nines(4, '\t\t\t'), repeated(4), compressed(NO_LITERALS, withTable(lone(9), '0'.repeat(11)))),
  frame('a table of accuracy 10', false, nines(4, '\t\t\t'), repeated(4), compressed(NO_LITERALS, withTable(lone(10), '0'.repeat(12)))),
  frame('a table with the highest symbol', true, nines(4, '\t\t\t'), repeated(4), compressed(NO_LITERALS, withTable(zeroAnd(35), '0000000'))),
  frame('a table with a symbol too many', false, nines(4, '\t\t\t'), repeated(4), compressed(NO_LITERALS, withTable(zeroAnd(36), '0000000'))),
  frame('Huffman codes', true, zeros(2), compressed(huffman(2, [1], backward('00')), NO_SEQUENCES)),
  frame('literals that leave bits over', false, zeros(2), compressed(huffman(2, [1], backward('000')), NO_SEQUENCES)),
  frame('a Huffman code of nothing', false, zeros(4), compressed(huffman(4, [0], backward('')), NO_SEQUENCES)),
  frame('a Huffman code that does not add up', false, zeros(1), compressed(huffman(1, [3, 1], backward('1')), NO_SEQUENCES)),
  frame('a Huffman code without its longest words', false, Uint8Array.of(2), compressed(huffman(1, [2, 2], backward('1')), NO_SEQUENCES)),
  frame('Huffman words of 11 bits', true, zeros(1), compressed(huffman(1, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1], backward('1')), NO_SEQUENCES)),
  frame(
    'a Huffman code of 13 bits without weights so large',
    false,
    zeros(1),
    compressed(huffman(1, [11, 11, 11, 11, 11, 11, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1], backward('001')), NO_SEQUENCES),
  ),
  frame('Huffman words of 13 bits', false, zeros(1), compressed(huffman(1, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1], backward('1')), NO_SEQUENCES)),
  frame(
    'compressed Huffman weights',
    true,
    Uint8Array.of(2),
    compressed(coded(0, 1, [4, ...WEIGHTS, ...backward('1111111111'), ...backward('1')]), NO_SEQUENCES),
  ),
  frame(
    'compressed Huffman weights of too few bits',
    false,
    Uint8Array.of(2),
    compressed(coded(0, 1, [3, ...WEIGHTS, ...backward('1111111'), ...backward('1')]), NO_SEQUENCES),
  ),
  frame('four streams', true, zeros(6), compressed(fourStreams(6, ['00', '00', '00', '']), NO_SEQUENCES)),
  frame('four streams of fewer than six literals', false, zeros(4), compressed(fourStreams(4, ['0', '0', '0', '0']), NO_SEQUENCES)),
  frame(
    'a Huffman code of before where there is none',
    false,
    zeros(1),
    compressed(
      Uint8Array.from([
        ...packed([
          [2, 3],
          [2, 0],
          [10, 1],
          [10, 1],
        ]),
        2,
      ]),
      NO_SEQUENCES,
    ),
  ),
  frame('a block as large as its window', true, nines(0, 'A'.repeat(1021)), compressed(rawLiterals(1021), NO_SEQUENCES)),
  frame('a compressed block larger than its window', false, nines(0, 'A'.repeat(1024)), compressed(rawLiterals(1024), NO_SEQUENCES)),
  frame('a block of the reserved kind', false, nines(5), reservedKind(5)),
  frame('a raw block longer than expected', false, nines(5), raw(6)),
  frame('a repeated block longer than expected', false, nines(5), repeated(6)),
]

function frame(name: string, accepted: boolean, plain: Uint8Array, ...blocks: number[][]): ZstdCase {
  return { name, accepted, plain, frame: zstdFrame(blocks, {}) }
}

/** Two symbols of one bit each. */
function fourStreams(size: number, streams: readonly string[]): Uint8Array {
  const coded4 = streams.map((digits) => [...backward(digits)])
  const jumps = coded4.slice(0, 3).flatMap((stream) => [stream.length, 0])
  return coded(1, size, [128, 0x10, ...jumps, ...coded4.flat()])
}

/** A block of 98,047 sequences that take no bits but those of the match lengths, which are not there. */
const greedy = (matchCode: number) => compressed(ONE_LITERAL, 255, 255, 255, 0b01010100, 0, 0, matchCode, 1)
const LARGE = { window: 13 << 3 }

export const ZSTD_BOMBS: { name: string; bytes: Uint8Array }[] = [
  { name: 'a zstd bomb of repeated bytes', bytes: zstdFrame(new Array<number[]>(10_000).fill(repeated(131_072)), LARGE) },
  { name: 'a zstd bomb of one sequence over and over', bytes: zstdFrame(new Array<number[]>(100).fill(greedy(52)), LARGE) },
  { name: 'a zstd bomb that says its size', bytes: zstdFrame([greedy(32)], { contentBytes: 100_000 }) },
]
