/**
 * The hashes of a backup on their way to its `_sha256file`: they come from scans and from objects in any order, and go on in volume order.
 *
 * Invariants: of a block that is stored, the hash of what was stored counts, not that of an earlier look; what is held is what the read
 * units under way have, 32 bytes a block.
 */
import { type Extent, HASH_BYTES } from './extents.ts'

export interface HashOrder {
  /** Hashes of the blocks from `offset` on. They may span read units. */
  put(offset: number, hashes: Uint8Array): void
  /** An object of this extent is under way: its unit waits for it. */
  expect(extent: Extent): void
  /** The object is stored. */
  stored(extent: Extent, hashes: Uint8Array): void
  /** No objects before `offset` come any more that are not expected. Resolves when what could go on has. */
  settle(offset: number): Promise<void>
  /** Resolves when everything went on. */
  finish(): Promise<void>
}

export interface HashOrderOptions {
  volumeBytes: number
  objectBytes: number
  blockBytes: number
  /** Gets the hashes of one read unit after the other, one call at a time. */
  onHashes(hashes: Uint8Array<ArrayBuffer>): Promise<void>
}

interface Unit {
  hashes: Uint8Array<ArrayBuffer>
  expected: number
}

export function createHashOrder({ volumeBytes, objectBytes, blockBytes, onHashes }: HashOrderOptions): HashOrder {
  const units = new Map<number, Unit>()
  const unitOf = (offset: number): Unit => {
    const index = Math.floor(offset / objectBytes)
    let unit = units.get(index)
    if (!unit) {
      const bytes = Math.min(objectBytes, volumeBytes - index * objectBytes)
      unit = { hashes: new Uint8Array(Math.ceil(bytes / blockBytes) * HASH_BYTES), expected: 0 }
      units.set(index, unit)
    }
    return unit
  }
  let next = 0
  let settledTo = 0
  let turn: Promise<void> = Promise.resolve()
  const advance = (): Promise<void> => {
    for (;;) {
      const unit = units.get(next)
      const end = Math.min((next + 1) * objectBytes, volumeBytes)
      if (!unit || unit.expected > 0 || end > settledTo) return turn
      units.delete(next++)
      turn = turn.then(() => onHashes(unit.hashes))
      // Told to whoever waits for it.
      turn.catch(() => {})
    }
  }
  const order: HashOrder = {
    put(offset, hashes) {
      for (let at = 0; at < hashes.length; ) {
        const position = offset + (at / HASH_BYTES) * blockBytes
        const from = ((position % objectBytes) / blockBytes) * HASH_BYTES
        const { hashes: all } = unitOf(position)
        const part = hashes.subarray(at, at + all.length - from)
        all.set(part, from)
        at += part.length
      }
    },
    expect({ offset }) {
      unitOf(offset).expected++
    },
    stored({ offset }, hashes) {
      order.put(offset, hashes)
      unitOf(offset).expected--
      void advance()
    },
    settle(offset) {
      settledTo = offset
      return advance()
    },
    finish: () => order.settle(volumeBytes),
  }
  return order
}
