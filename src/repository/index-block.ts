/**
 * The index block (docs/format.md): which chunks lie in which frames of which packs. It is the content of an index object and,
 * for its one pack, of a pack's directory. The core parses it into memory; here it is written, and cut into packs.
 */
import { FINGERPRINT_BYTES } from '../contract/core.ts'
import { concatBytes, toHex } from '../core/bytes.ts'
import { damaged } from './seal.ts'

export interface FrameRecord {
  storedBytes: number
  plainBytes: number
  codec: number
  lengths: Uint32Array
  /** 32 bytes a chunk. */
  fingerprints: Uint8Array
}

export interface PackRecord {
  /** 16 bytes. */
  id: Uint8Array
  /** Length of the whole object. */
  packBytes: number
  frames: FrameRecord[]
}

const BLOCK_HEAD_BYTES = 4
const PACK_ID_BYTES = 16
const PACK_HEAD_BYTES = PACK_ID_BYTES + 8
const FRAME_HEAD_BYTES = 12
const CHUNK_ENTRY_BYTES = 4 + FINGERPRINT_BYTES

/** Bytes that a pack's record takes in a block. */
export function packRecordBytes(pack: PackRecord): number {
  return pack.frames.reduce((sum, frame) => sum + FRAME_HEAD_BYTES + frame.lengths.length * CHUNK_ENTRY_BYTES, PACK_HEAD_BYTES)
}

export function encodePackRecord(pack: PackRecord): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(packRecordBytes(pack))
  const view = new DataView(bytes.buffer)
  bytes.set(pack.id)
  view.setUint32(16, pack.packBytes, true)
  view.setUint32(20, pack.frames.length, true)
  let at = PACK_HEAD_BYTES
  for (const frame of pack.frames) {
    view.setUint32(at, frame.storedBytes, true)
    view.setUint32(at + 4, frame.plainBytes, true)
    view.setUint8(at + 8, frame.codec)
    view.setUint16(at + 10, frame.lengths.length, true)
    at += FRAME_HEAD_BYTES
    for (const [chunk, length] of frame.lengths.entries()) {
      view.setUint32(at, length, true)
      bytes.set(frame.fingerprints.subarray(chunk * FINGERPRINT_BYTES, (chunk + 1) * FINGERPRINT_BYTES), at + 4)
      at += CHUNK_ENTRY_BYTES
    }
  }
  return bytes
}

/** A block of packs that are encoded already. */
export function joinBlock(packs: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(BLOCK_HEAD_BYTES)
  new DataView(head.buffer).setUint32(0, packs.length, true)
  return concatBytes([head, ...packs])
}

export interface BlockPart {
  /** Pack id, hex. */
  id: string
  packBytes: number
  record: Uint8Array
}

/** Cuts a block into its packs without looking at the chunks; the core checks those. Rejects with OBJECT_DAMAGED. */
export function splitBlock(block: Uint8Array, object: string): BlockPart[] {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength)
  const need = (end: number) => {
    if (end > block.length) throw damaged(object, 'its list of packs ends early')
  }
  need(BLOCK_HEAD_BYTES)
  const count = view.getUint32(0, true)
  if (count === 0) throw damaged(object, 'it names no pack')
  const parts: BlockPart[] = []
  let at = BLOCK_HEAD_BYTES
  for (let pack = 0; pack < count; pack++) {
    const start = at
    need(at + PACK_HEAD_BYTES)
    const packBytes = view.getUint32(at + 16, true)
    const frames = view.getUint32(at + 20, true)
    at += PACK_HEAD_BYTES
    for (let frame = 0; frame < frames; frame++) {
      need(at + FRAME_HEAD_BYTES)
      at += FRAME_HEAD_BYTES + view.getUint16(at + 10, true) * CHUNK_ENTRY_BYTES
      need(at)
    }
    parts.push({ id: toHex(block.subarray(start, start + PACK_ID_BYTES)), packBytes, record: block.subarray(start, at) })
  }
  if (at !== block.length) throw damaged(object, 'it has bytes behind its list of packs')
  return parts
}

/** The frames of one encoded pack record, for checks that read whole packs. */
export function decodePackRecord(record: Uint8Array): PackRecord {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength)
  const frames: FrameRecord[] = []
  let at = PACK_HEAD_BYTES
  while (at < record.length) {
    const count = view.getUint16(at + 10, true)
    const frame: FrameRecord = {
      storedBytes: view.getUint32(at, true),
      plainBytes: view.getUint32(at + 4, true),
      codec: view.getUint8(at + 8),
      lengths: new Uint32Array(count),
      fingerprints: new Uint8Array(count * FINGERPRINT_BYTES),
    }
    at += FRAME_HEAD_BYTES
    for (let chunk = 0; chunk < count; chunk++, at += CHUNK_ENTRY_BYTES) {
      frame.lengths[chunk] = view.getUint32(at, true)
      frame.fingerprints.set(record.subarray(at + 4, at + CHUNK_ENTRY_BYTES), chunk * FINGERPRINT_BYTES)
    }
    frames.push(frame)
  }
  return { id: record.slice(0, PACK_ID_BYTES), packBytes: view.getUint32(16, true), frames }
}
