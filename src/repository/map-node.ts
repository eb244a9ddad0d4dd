/**
 * Nodes of the volume map, as bytes (docs/format.md, "Volume map").
 *
 * A leaf lists one segment's chunks; an inner node lists its children. Runs of zeros are one entry. Nodes are stored as chunks,
 * so an unchanged part of a volume costs nothing in the next backup.
 *
 *   node:   u8 level (0 = leaf), then entries
 *   entry:  u8 0, u32 count              zeros: bytes in a leaf, children in an inner node
 *           u8 1, u32 count, 32 bytes    leaf: a chunk of count bytes; inner: count equal children in a row
 */
import { FINGERPRINT_BYTES } from '../contract/core.ts'
import { equalBytes } from '../core/bytes.ts'

/** A child or root: a stored node, or `undefined` for nothing but zeros. */
export type NodeReference = Uint8Array | undefined

export interface MapEntry {
  /** Leaf: bytes. Inner: children. */
  count: number
  reference: NodeReference
}

const ZERO_BYTES = 5
const STORED_BYTES = ZERO_BYTES + FINGERPRINT_BYTES

/** Appends an entry, joining zeros, and in inner nodes equal neighbours. */
export function pushEntry(entries: MapEntry[], entry: MapEntry, joinEqual: boolean): void {
  const last = entries.at(-1)
  const joins = last && (entry.reference === undefined ? last.reference === undefined : joinEqual && last.reference !== undefined && equalBytes(last.reference, entry.reference))
  if (joins) last.count += entry.count
  else entries.push({ ...entry })
}

export function encodeNode(level: number, entries: readonly MapEntry[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(entries.reduce((sum, { reference }) => sum + (reference ? STORED_BYTES : ZERO_BYTES), 1))
  const view = new DataView(bytes.buffer)
  bytes[0] = level
  let at = 1
  for (const { count, reference } of entries) {
    bytes[at] = reference ? 1 : 0
    view.setUint32(at + 1, count, true)
    if (reference) bytes.set(reference, at + ZERO_BYTES)
    at += reference ? STORED_BYTES : ZERO_BYTES
  }
  return bytes
}

/** The entries, or a reason why the bytes are no node of this level with counts adding up to `total`. */
export function decodeNode(bytes: Uint8Array, level: number, total: number): MapEntry[] | string {
  if (bytes[0] !== level) return `it is of level ${bytes[0]}, not ${level}`
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const entries: MapEntry[] = []
  let sum = 0
  let at = 1
  while (at < bytes.length) {
    const stored = bytes[at] === 1
    const end = at + (stored ? STORED_BYTES : ZERO_BYTES)
    if (end > bytes.length || (bytes[at] as number) > 1) return 'it is cut off or not a node'
    const count = view.getUint32(at + 1, true)
    if (count === 0) return 'an entry is empty'
    entries.push({ count, reference: stored ? bytes.subarray(at + ZERO_BYTES, end) : undefined })
    sum += count
    at = end
  }
  return sum === total ? entries : `its entries add up to ${sum}, not ${total}`
}
