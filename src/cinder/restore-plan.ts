/**
 * What a restore of a chain reads and writes: each byte of the volume once, from the newest backup that has it.
 *
 * Invariants: the ranges of all objects together cover the volume from 0 to its end without a gap and without an overlap; an object of
 * which every byte is newer elsewhere is not read at all. The plan takes 40 bytes a range, however long the chain is: a sweep over the
 * volume, with one heap for the extents that begin next and one for those that are open.
 */
import { BlockvaultError } from '../contract/errors.ts'
import type { ChainMember } from './chain.ts'
import type { Extent } from './extents.ts'
import { createHeap } from './heap.ts'
import { dataObjectName } from './names.ts'
import type { ObjectEntry } from './object-list.ts'

export interface PlannedObject {
  /** Index in the chain; 0 is the full backup. */
  member: number
  container: string
  name: string
  entry: ObjectEntry & { length: number }
  /** Parts of the volume to write from this object, in ascending order; all of them inside its extent. */
  ranges: readonly Extent[]
}

export interface RestorePlan {
  /** Length of the volume: where the last extent of the chain ends. */
  readonly bytes: number
  /** Objects that are read, in the order of their first range. */
  readonly objects: number
  /** What these objects hold when they are decoded. */
  readonly plainBytes: number
  object(index: number): PlannedObject
}

/** @throws InvalidBackup for an extent of unknown length, extents of one backup that overlap, or a part of the volume that no backup has */
export function planRestore(chain: readonly ChainMember[]): RestorePlan {
  const tracks = chain.map(createTrack)
  const firstOf = prefixSums(tracks.map(({ count }) => count))
  const ranges = createRanges(firstOf.at(-1)!)
  const starting = createHeap((left, right) => tracks[left]!.nextOffset < tracks[right]!.nextOffset)
  const open = createHeap((left, right) => left > right)
  for (const [member, track] of tracks.entries()) if (track.remains()) starting.push(member)

  let position = 0
  for (;;) {
    while (open.size > 0 && tracks[open.top()!]!.end <= position) tracks[open.pop()!]!.isOpen = false
    const next = starting.top()
    if (open.size === 0) {
      if (next === undefined) break
      const { nextOffset } = tracks[next]!
      if (nextOffset > position) throw gap(chain, position, nextOffset)
    }
    while (starting.size > 0 && tracks[starting.top()!]!.nextOffset <= position) {
      const member = starting.pop()!
      const track = tracks[member]!
      track.advance()
      // A member whose last extent has ended may still be in the heap: it has one place there.
      if (!track.isOpen) open.push(member)
      track.isOpen = true
      if (track.remains()) starting.push(member)
    }
    const newest = tracks[open.top()!]!
    if (newest.end <= position) continue
    const beginning = starting.top()
    const to = beginning === undefined ? newest.end : Math.min(newest.end, tracks[beginning]!.nextOffset)
    ranges.add(firstOf[open.top()!]! + newest.current, position, to)
    position = to
  }
  return planOf(chain, firstOf, ranges.finish(), position)
}

/** One backup's extents in ascending order, and how far the sweep has come in them. */
interface Track {
  readonly count: number
  isOpen: boolean
  /** Index of the extent that began last, in the manifest's order. */
  current: number
  end: number
  nextOffset: number
  remains(): boolean
  advance(): void
}

function createTrack({ prefix, manifest: { objects, backupId } }: ChainMember): Track {
  const order = ascending(objects.count, objects.offset)
  const indexAt = (at: number) => order?.[at] ?? at
  let at = 0
  const track: Track = {
    count: objects.count,
    isOpen: false,
    current: 0,
    end: 0,
    nextOffset: objects.count > 0 ? objects.offset(indexAt(0)) : Infinity,
    remains: () => at < objects.count,
    advance() {
      const index = indexAt(at++)
      const offset = objects.offset(index)
      const length = objects.length(index)
      const name = dataObjectName(prefix, objects.number(index))
      if (length === undefined) throw invalid(backupId, `its manifest does not say how long ${name} is`)
      if (offset < track.end) throw invalid(backupId, `the extent of ${name} overlaps the one before, at offset ${offset}`)
      track.current = index
      track.end = offset + length
      track.nextOffset = at < objects.count ? objects.offset(indexAt(at)) : Infinity
    },
  }
  return track
}

/** Indexes by ascending offset; `undefined` when they are in order, as every manifest of Cinder's is. */
function ascending(count: number, offset: (index: number) => number): Uint32Array | undefined {
  let index = 1
  while (index < count && offset(index - 1) <= offset(index)) index++
  if (index >= count) return undefined
  return Uint32Array.from({ length: count }, (_, at) => at).sort((left, right) => offset(left) - offset(right))
}

interface Ranges {
  count: number
  from: Float64Array
  to: Float64Array
  /** Which object, counted over the whole chain. */
  object: Uint32Array
}

/** Grows as the sweep finds ranges: at most two a object, mostly one. */
function createRanges(objects: number) {
  let capacity = Math.max(16, objects)
  let ranges: Ranges = { count: 0, from: new Float64Array(capacity), to: new Float64Array(capacity), object: new Uint32Array(capacity) }
  return {
    add(object: number, from: number, to: number) {
      const last = ranges.count - 1
      if (last >= 0 && ranges.object[last] === object && ranges.to[last] === from) {
        ranges.to[last] = to
        return
      }
      if (ranges.count === capacity) {
        capacity *= 2
        const larger = { count: ranges.count, from: new Float64Array(capacity), to: new Float64Array(capacity), object: new Uint32Array(capacity) }
        larger.from.set(ranges.from)
        larger.to.set(ranges.to)
        larger.object.set(ranges.object)
        ranges = larger
      }
      ranges.from[ranges.count] = from
      ranges.to[ranges.count] = to
      ranges.object[ranges.count++] = object
    },
    finish: () => ranges,
  }
}

/** Brings the ranges of each object together: a counting sort by the order in which objects came first. */
function planOf(chain: readonly ChainMember[], firstOf: readonly number[], ranges: Ranges, bytes: number): RestorePlan {
  const NONE = 0xffff_ffff
  const planned = new Uint32Array(firstOf.at(-1)!).fill(NONE)
  const objects: number[] = []
  const counts: number[] = []
  for (let at = 0; at < ranges.count; at++) {
    const object = ranges.object[at]!
    if (planned[object] === NONE) {
      planned[object] = objects.length
      objects.push(object)
      counts.push(0)
    }
    counts[planned[object]!]!++
  }
  const firstRange = prefixSums(counts)
  const free = Uint32Array.from(firstRange)
  const sorted = new Uint32Array(ranges.count)
  for (let at = 0; at < ranges.count; at++) sorted[free[planned[ranges.object[at]!]!]!++] = at

  const place = (object: number) => {
    const member = lastNotAbove(firstOf, object)
    return { member, index: object - firstOf[member]! }
  }
  let plainBytes = 0
  for (const object of objects) {
    const { member, index } = place(object)
    plainBytes += chain[member]!.manifest.objects.length(index)!
  }
  return {
    bytes,
    objects: objects.length,
    plainBytes,
    object(index) {
      const found = place(objects[index]!)
      const { container, prefix, manifest } = chain[found.member]!
      const entry = manifest.objects.entry(found.index)
      const extents: Extent[] = []
      for (let at = firstRange[index]!; at < firstRange[index + 1]!; at++) {
        const range = sorted[at]!
        extents.push({ offset: ranges.from[range]!, length: ranges.to[range]! - ranges.from[range]! })
      }
      return { member: found.member, container, name: dataObjectName(prefix, entry.number), entry: { ...entry, length: entry.length! }, ranges: extents }
    },
  }
}

/** `[0, a, a + b, …]`. */
function prefixSums(counts: readonly number[]): number[] {
  const sums = [0]
  for (const count of counts) sums.push(sums.at(-1)! + count)
  return sums
}

/** The last index whose member has objects at or before `object`: members without any share their place with the next one. */
function lastNotAbove(firstOf: readonly number[], object: number): number {
  let low = 0
  let high = firstOf.length - 1
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (firstOf[middle]! <= object) low = middle
    else high = middle
  }
  return low
}

/** A full backup covers its volume, and incrementals only cover what it does. */
function gap(chain: readonly ChainMember[], from: number, to: number): BlockvaultError {
  return invalid(chain.at(-1)!.manifest.backupId, `no backup of its chain has the volume's bytes ${from} to ${to}`)
}

function invalid(id: string, reason: string): BlockvaultError {
  return new BlockvaultError('InvalidBackup', `Backup ${id} can not be restored: ${reason}.`, { details: { id } })
}
