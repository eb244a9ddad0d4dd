/**
 * Which parts of a volume become objects (cinder/backup/chunkeddriver.py, `backup`).
 *
 * Invariants: extents are in ascending order and never cross a read unit of `objectBytes`; a full backup's cover the volume; an
 * incremental's are the longest runs of blocks that differ from the parent's, so a change across two read units is two extents.
 */
import { BlockvaultError } from '../contract/errors.ts'

/** Bytes of the volume. */
export interface Extent {
  offset: number
  length: number
}

export const HASH_BYTES = 32

export function* fullExtents(volumeBytes: number, objectBytes: number): Generator<Extent> {
  for (let offset = 0; offset < volumeBytes; offset += objectBytes) yield { offset, length: Math.min(objectBytes, volumeBytes - offset) }
}

export interface ExtentFinder {
  /**
   * The next blocks in volume order: SHA-256 of each, here and at the same place of the parent. Calls may cut the volume anywhere
   * between blocks. The parent's list may be longer than the volume; one that ends before it is the caller's error to tell first.
   * Returns how many blocks are the parent's.
   */
  compare(hashes: Uint8Array, parent: Uint8Array): number
  /** The extents found so far that no later block can make longer; each is given once. */
  take(): Extent[]
  /** The remaining extents. */
  finish(): Extent[]
}

/** `objectBytes` is a multiple of `blockBytes`. @throws INTERNAL when the parent's list ends before the volume */
export function createExtentFinder({ volumeBytes, objectBytes, blockBytes }: { volumeBytes: number; objectBytes: number; blockBytes: number }): ExtentFinder {
  const blocksPerObject = objectBytes / blockBytes
  let found: Extent[] = []
  let block = 0
  /** First block of the run that is open. */
  let from: number | undefined

  const closeRun = () => {
    if (from === undefined) return
    const offset = from * blockBytes
    found.push({ offset, length: Math.min(block * blockBytes, volumeBytes) - offset })
    from = undefined
  }
  const take = () => {
    const taken = found
    found = []
    return taken
  }
  return {
    compare(hashes, parent) {
      if (parent.length < hashes.length) throw new BlockvaultError('INTERNAL', 'The hashes of the parent end before those of the volume.')
      let equal = 0
      for (let at = 0; at < hashes.length; at += HASH_BYTES, block++) {
        if (block % blocksPerObject === 0) closeRun()
        if (equalHashes(hashes, parent, at)) {
          closeRun()
          equal++
        } else from ??= block
      }
      return equal
    },
    take,
    finish() {
      closeRun()
      return take()
    },
  }
}

function equalHashes(left: Uint8Array, right: Uint8Array, at: number): boolean {
  for (let index = at; index < at + HASH_BYTES; index++) if (left[index] !== right[index]) return false
  return true
}
