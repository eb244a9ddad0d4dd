/**
 * An open-addressing table from the leading words of a fingerprint to a few words of value.
 *
 * Invariant: records stay in the order they came, so a record's number never changes. A Map keyed by strings would take
 * over 100 bytes a record and ends at 2^24 of them: a volume of 1 TiB.
 */
import { FINGERPRINT_BYTES } from '../../contract/core.ts'
import { BlockvaultError } from '../../contract/errors.ts'

const SLOTS_MIN = 64
const RECORDS_MIN = 32

/** A batch of fingerprints, checked to hold `count` of them. */
export function fingerprintView(fingerprints: Uint8Array, count: number): DataView {
  if (fingerprints.length < count * FINGERPRINT_BYTES) {
    throw new BlockvaultError('INTERNAL', `${fingerprints.length} bytes are too few for ${count} fingerprints.`)
  }
  return new DataView(fingerprints.buffer, fingerprints.byteOffset, fingerprints.byteLength)
}

export class FingerprintTable {
  /** Records held. */
  size = 0
  readonly #keyWords: number
  readonly #recordWords: number
  #records: Uint32Array
  /** Record number + 1, or 0: free. Never more than three quarters taken. */
  #slots = new Uint32Array(SLOTS_MIN)

  /** Compares the first `keyWords` × 4 bytes of a fingerprint; each record has `valueWords` beside. */
  constructor(keyWords: number, valueWords: number) {
    this.#keyWords = keyWords
    this.#recordWords = keyWords + valueWords
    this.#records = new Uint32Array(RECORDS_MIN * this.#recordWords)
  }

  get memoryBytes(): number {
    return this.#records.byteLength + this.#slots.byteLength
  }

  /** Number of the record of the fingerprint at `offset`, or -1. */
  find(view: DataView, offset: number): number {
    return this.#slots[this.#slotOf(view, offset)]! - 1
  }

  /** Adds a record, its values zero, and returns its number; -1 when the fingerprint has one already. */
  insert(view: DataView, offset: number): number {
    if (this.#slots[this.#slotOf(view, offset)] !== 0) return -1
    if ((this.size + 1) * 4 > this.#slots.length * 3) this.#rehash()
    if ((this.size + 1) * this.#recordWords > this.#records.length) {
      const records = new Uint32Array(this.#records.length * 2)
      records.set(this.#records)
      this.#records = records
    }
    const start = this.size * this.#recordWords
    for (let word = 0; word < this.#keyWords; word++) this.#records[start + word] = view.getUint32(offset + word * 4, true)
    this.#slots[this.#slotOf(view, offset)] = ++this.size
    return this.size - 1
  }

  value(record: number, index: number): number {
    return this.#records[record * this.#recordWords + this.#keyWords + index]!
  }

  setValue(record: number, index: number, value: number): void {
    this.#records[record * this.#recordWords + this.#keyWords + index] = value
  }

  /** The slot of this fingerprint, or the free one it would take. */
  #slotOf(view: DataView, offset: number): number {
    const mask = this.#slots.length - 1
    let slot = view.getUint32(offset, true) & mask
    while (this.#slots[slot] !== 0 && !this.#equals(this.#slots[slot]! - 1, view, offset)) slot = (slot + 1) & mask
    return slot
  }

  #equals(record: number, view: DataView, offset: number): boolean {
    const start = record * this.#recordWords
    for (let word = 0; word < this.#keyWords; word++) {
      if (this.#records[start + word] !== view.getUint32(offset + word * 4, true)) return false
    }
    return true
  }

  #rehash(): void {
    const slots = new Uint32Array(this.#slots.length * 2)
    const mask = slots.length - 1
    for (let record = 0; record < this.size; record++) {
      let slot = this.#records[record * this.#recordWords]! & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = record + 1
    }
    this.#slots = slots
  }
}
