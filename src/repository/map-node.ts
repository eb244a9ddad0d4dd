/**
 * Nodes of the volume map, as bytes (docs/format.md, "Volume map").
 *
 * A leaf lists one segment's chunks; an inner node lists its children. Runs of zeros are one entry. Nodes are stored as chunks,
 * so an unchanged part of a volume costs nothing in the next backup.
 *
 *   node:   u8 level (0 = leaf), then entries
 *   entry:  u8 0, u32 count              zeros: bytes in a leaf, children in an inner node
 *           u8 1, u32 count, 32 bytes    inner: count equal children in a row
 *           u8 1, u32 count, 32 + 16     leaf: a chunk of count bytes, its fingerprint and its change tag
 */
import { CHANGE_TAG_BYTES, FINGERPRINT_BYTES } from '../contract/core.ts'
import { equalBytes } from '../core/bytes.ts'

/** A child or root: a stored node, or `undefined` for nothing but zeros. */
export type NodeReference = Uint8Array | undefined

export interface MapEntry {
  /** Leaf: bytes. Inner: children. */
  count: number
  reference: NodeReference
  /** Of a stored chunk in a leaf. */
  changeTag?: Uint8Array
}

const ZERO_BYTES = 5

function entryBytes(level: number, stored: boolean): number {
  if (!stored) return ZERO_BYTES
  return ZERO_BYTES + FINGERPRINT_BYTES + (level === 0 ? CHANGE_TAG_BYTES : 0)
}

/** Appends an entry, joining zeros, and in inner nodes equal neighbours. */
export function pushEntry(entries: MapEntry[], entry: MapEntry, joinEqual: boolean): void {
  const last = entries.at(-1)
  const joins =
    last &&
    (entry.reference === undefined ? last.reference === undefined : joinEqual && last.reference !== undefined && equalBytes(last.reference, entry.reference))
  if (joins) last.count += entry.count
  else entries.push({ ...entry })
}

export function encodeNode(level: number, entries: readonly MapEntry[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(entries.reduce((sum, { reference }) => sum + entryBytes(level, reference !== undefined), 1))
  const view = new DataView(bytes.buffer)
  bytes[0] = level
  let at = 1
  for (const { count, reference, changeTag } of entries) {
    bytes[at] = reference ? 1 : 0
    view.setUint32(at + 1, count, true)
    if (reference) bytes.set(reference, at + ZERO_BYTES)
    if (changeTag) bytes.set(changeTag, at + ZERO_BYTES + FINGERPRINT_BYTES)
    at += entryBytes(level, reference !== undefined)
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
    const end = at + entryBytes(level, stored)
    if (end > bytes.length || (bytes[at] as number) > 1) return 'it is cut off or not a node'
    const count = view.getUint32(at + 1, true)
    if (count === 0) return 'an entry is empty'
    const hashes = bytes.subarray(at + ZERO_BYTES, end)
    if (!stored) entries.push({ count, reference: undefined })
    else if (level > 0) entries.push({ count, reference: hashes })
    else entries.push({ count, reference: hashes.subarray(0, FINGERPRINT_BYTES), changeTag: hashes.subarray(FINGERPRINT_BYTES) })
    sum += count
    at = end
  }
  return sum === total ? entries : `its entries add up to ${sum}, not ${total}`
}
