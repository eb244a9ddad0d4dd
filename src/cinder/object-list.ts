/**
 * The data objects of one backup, in the order of its manifest.
 *
 * Invariant: kept in columns, 38 bytes an object, so that a manifest with a million entries takes 38 MB and not a gigabyte of JavaScript
 * objects. Names are not kept: they are the prefix and the number.
 */
import { fromHex, toHex } from '../core/bytes.ts'
import { COMPRESSION_NAMES, type CompressionName } from './compression.ts'

/** One data object, as an entry of the manifest's `objects` describes it. Offsets and lengths are bytes of the volume. */
export interface ObjectEntry {
  /** From 1: the object's name is the prefix, `-` and this, in five digits at least. */
  number: number
  offset: number
  /** Of the plain data. `undefined` when the manifest does not say: Cinder's reader does not need it. */
  length: number | undefined
  compression: CompressionName
  /** Of the plain data, in lower-case hex; `undefined` when the manifest does not say. */
  md5: string | undefined
}

export interface ObjectList extends Iterable<ObjectEntry> {
  readonly count: number
  number(index: number): number
  offset(index: number): number
  length(index: number): number | undefined
  compression(index: number): CompressionName
  md5(index: number): string | undefined
  entry(index: number): ObjectEntry
  append(entry: ObjectEntry): void
  /** For a length that the manifest does not say, once it is known. */
  setLength(index: number, length: number): void
}

const MD5_BYTES = 16
/** Stands for a length that is not known. */
const UNKNOWN = -1

export function createObjectList(entries: Iterable<ObjectEntry> = []): ObjectList {
  let count = 0
  let capacity = 16
  let columns = makeColumns(capacity)

  const grow = () => {
    capacity *= 2
    const larger = makeColumns(capacity)
    for (const name of COLUMN_NAMES) larger[name].set(columns[name])
    columns = larger
  }
  const md5 = (index: number) => (columns.hasMd5[index] === 1 ? toHex(columns.md5s.subarray(index * MD5_BYTES, (index + 1) * MD5_BYTES)) : undefined)
  const length = (index: number) => (columns.lengths[index] === UNKNOWN ? undefined : columns.lengths[index]!)
  const entry = (index: number): ObjectEntry => ({
    number: columns.numbers[index]!,
    offset: columns.offsets[index]!,
    length: length(index),
    compression: COMPRESSION_NAMES[columns.compressions[index]!]!,
    md5: md5(index),
  })
  const list: ObjectList = {
    get count() {
      return count
    },
    number: (index) => columns.numbers[index]!,
    offset: (index) => columns.offsets[index]!,
    length,
    compression: (index) => COMPRESSION_NAMES[columns.compressions[index]!]!,
    md5,
    entry,
    append(added) {
      if (count === capacity) grow()
      columns.numbers[count] = added.number
      columns.offsets[count] = added.offset
      columns.lengths[count] = added.length ?? UNKNOWN
      columns.compressions[count] = COMPRESSION_NAMES.indexOf(added.compression)
      columns.hasMd5[count] = added.md5 === undefined ? 0 : 1
      if (added.md5 !== undefined) columns.md5s.set(fromHex(added.md5), count * MD5_BYTES)
      count++
    },
    setLength(index, value) {
      columns.lengths[index] = value
    },
    *[Symbol.iterator]() {
      for (let index = 0; index < count; index++) yield entry(index)
    },
  }
  for (const added of entries) list.append(added)
  return list
}

const COLUMN_NAMES = ['numbers', 'offsets', 'lengths', 'compressions', 'hasMd5', 'md5s'] as const

function makeColumns(capacity: number) {
  return {
    numbers: new Uint32Array(capacity),
    offsets: new Float64Array(capacity),
    lengths: new Float64Array(capacity),
    compressions: new Uint8Array(capacity),
    hasMd5: new Uint8Array(capacity),
    md5s: new Uint8Array(capacity * MD5_BYTES),
  }
}
