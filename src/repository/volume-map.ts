/**
 * The volume map: a tree over the volume's segments. Level 0 covers one segment, level L covers 128 nodes of the level below.
 * The shape follows from the volume's size alone, so equal content gives an equal root, and two volumes are compared by walking
 * only what differs.
 */
import type { Scan } from '../contract/core.ts'
import { CHANGE_TAG_BYTES, FINGERPRINT_BYTES } from '../contract/core.ts'
import { MAP_FANOUT, MAP_LEVELS_MAX } from './format.ts'
import { decodeNode, encodeNode, type MapEntry, type NodeReference, pushEntry } from './map-node.ts'
import { damaged } from './seal.ts'

export interface MapRoot {
  level: number
  reference: NodeReference
}

/** The root's level for a volume: the lowest whose one node covers all segments. */
export function rootLevel(volumeBytes: number, segmentBytes: number): number {
  let nodes = Math.max(1, Math.ceil(volumeBytes / segmentBytes))
  let level = 0
  for (; nodes > 1; level++) nodes = Math.ceil(nodes / MAP_FANOUT)
  return level
}

/** Takes scans in volume order, gives nodes to `store` (which returns the fingerprint), ends with the root. */
export function createMapBuilder(store: (node: Uint8Array<ArrayBuffer>) => Uint8Array) {
  const levels: NodeReference[][] = []

  const push = (level: number, reference: NodeReference) => {
    const waiting = (levels[level] ??= [])
    waiting.push(reference)
    if (waiting.length === MAP_FANOUT) closeNode(level)
  }
  const closeNode = (level: number) => {
    const children = levels[level] ?? []
    levels[level] = []
    const entries: MapEntry[] = []
    for (const reference of children) pushEntry(entries, { count: 1, reference }, true)
    push(level + 1, entries.every(({ reference }) => reference === undefined) ? undefined : store(encodeNode(level + 1, entries)))
  }

  return {
    add(scan: Scan): void {
      const entries: MapEntry[] = []
      for (let chunk = 0; chunk < scan.count; chunk++) {
        const reference = scan.zero[chunk] ? undefined : scan.fingerprints.subarray(chunk * FINGERPRINT_BYTES, (chunk + 1) * FINGERPRINT_BYTES)
        const changeTag = scan.changeTags.subarray(chunk * CHANGE_TAG_BYTES, (chunk + 1) * CHANGE_TAG_BYTES)
        pushEntry(entries, { count: scan.lengths[chunk] as number, reference, ...(reference ? { changeTag } : {}) }, false)
      }
      push(0, entries.every(({ reference }) => reference === undefined) ? undefined : store(encodeNode(0, entries)))
    },
    finish(): MapRoot {
      for (let level = 0; ; level++) {
        const waiting = levels[level] ?? []
        const isTop = levels.slice(level + 1).every((above) => above.length === 0)
        if (isTop && waiting.length <= 1) return { level, reference: waiting[0] }
        if (waiting.length > 0) closeNode(level)
      }
    },
  }
}

/** A part of the volume: zeros, or one stored chunk. */
export interface MapPiece {
  offset: number
  length: number
  fingerprint: NodeReference
  /** Of a stored chunk. */
  changeTag?: Uint8Array | undefined
}

export interface WalkOptions {
  volumeBytes: number
  segmentBytes: number
  /** Only pieces that touch this range; the whole volume by default. */
  range?: { offset: number; length: number }
  /** Told of every node before it is read; answers whether to go into it. */
  enter?: (reference: Uint8Array) => boolean
}

/**
 * The volume's pieces in order. `read` returns a stored chunk's bytes, checked against its fingerprint; `undefined` passes over
 * what is below that node.
 */
export async function* walkMap(
  root: MapRoot,
  read: (fingerprint: Uint8Array) => Promise<Uint8Array | undefined>,
  options: WalkOptions,
): AsyncGenerator<MapPiece> {
  const { volumeBytes, segmentBytes, range = { offset: 0, length: volumeBytes }, enter } = options
  if (root.level !== rootLevel(volumeBytes, segmentBytes) || root.level > MAP_LEVELS_MAX) throw damaged('the volume map', 'its depth does not fit the volume')
  const rangeEnd = range.offset + range.length

  async function* node(level: number, reference: NodeReference, offset: number): AsyncGenerator<MapPiece> {
    const span = segmentBytes * MAP_FANOUT ** level
    const length = Math.min(span, volumeBytes - offset)
    if (length <= 0 || offset >= rangeEnd || offset + length <= range.offset) return
    if (reference === undefined) {
      yield { offset, length, fingerprint: undefined }
      return
    }
    if (enter && !enter(reference)) return
    const childSpan = level === 0 ? 1 : span / MAP_FANOUT
    const bytes = await read(reference)
    if (!bytes) return
    const entries = decodeNode(bytes, level, Math.ceil(length / childSpan))
    if (typeof entries === 'string') throw damaged('the volume map', `of a node at offset ${offset}, ${entries}`)
    let at = offset
    for (const { count, reference: child, changeTag } of entries) {
      if (level === 0 || child === undefined) {
        const bytes = Math.min(count * childSpan, volumeBytes - at)
        if (at < rangeEnd && at + bytes > range.offset) yield { offset: at, length: bytes, fingerprint: child, changeTag }
        at += count * childSpan
        continue
      }
      for (let repeat = 0; repeat < count; repeat++, at += childSpan) yield* node(level - 1, child, at)
    }
  }
  yield* node(root.level, root.reference, 0)
}
