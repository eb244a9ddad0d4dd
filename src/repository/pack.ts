/**
 * Packs: header ‖ sealed frames ‖ sealed directory ‖ trailer. The directory is the index block of this one pack, so that an
 * index that was lost is made again from the packs alone.
 *
 *   trailer, 8 bytes:  u32 length of the sealed directory   "BVPE"
 */
import type { StorageBackend } from '../contract/storage.ts'
import { equalBytes, fromHex, toHex, utf8 } from '../core/bytes.ts'
import { frameNonce } from '../pipeline/frame.ts'
import { INDEX_BYTES_MAX } from './format.ts'
import { type BlockPart, encodePackRecord, joinBlock, type PackRecord, packRecordBytes, splitBlock } from './index-block.ts'
import { packName } from './names.ts'
import { damaged, HEADER_BYTES, newObjectKey, type ObjectKey, readObjectKey, SALT_BYTES, type Sealer } from './seal.ts'
import { SEAL_BYTES } from '../pipeline/frame.ts'

const TRAILER_BYTES = 8
const TRAILER_MAGIC = utf8('BVPE')
/** The directory's nonce: no frame reaches this number. */
const DIRECTORY_NUMBER = 0xffffffff
const BLOCK_HEAD_BYTES = 4

/** A pack that is being filled. */
export interface OpenPack {
  id: Uint8Array<ArrayBuffer>
  key: ObjectKey
  frames: PackRecord['frames']
  parts: Uint8Array[]
  storedBytes: number
}

export async function openPack(sealer: Sealer, id: Uint8Array<ArrayBuffer>): Promise<OpenPack> {
  const key = await newObjectKey(sealer, 'pack', packName(toHex(id)), id)
  return { id, key, frames: [], parts: [key.header], storedBytes: HEADER_BYTES }
}

/** Seals the directory and stores the pack. Resolves, once it is durable, with what an index says of it. */
export async function storePack(storage: StorageBackend, sealer: Sealer, pack: OpenPack, signal?: AbortSignal): Promise<BlockPart> {
  const record: PackRecord = { id: pack.id, packBytes: 0, frames: pack.frames }
  const directoryBytes = BLOCK_HEAD_BYTES + packRecordBytes(record) + SEAL_BYTES
  record.packBytes = pack.storedBytes + directoryBytes + TRAILER_BYTES
  const encoded = encodePackRecord(record)
  const directory = await sealer.aead.seal(pack.key.key, frameNonce(DIRECTORY_NUMBER), pack.key.additional, joinBlock([encoded]))
  const trailer = new Uint8Array(TRAILER_BYTES)
  new DataView(trailer.buffer).setUint32(0, directoryBytes, true)
  trailer.set(TRAILER_MAGIC, 4)
  await storage.put(packName(toHex(pack.id)), [...pack.parts, ...directory, trailer], { signal })
  return { id: toHex(pack.id), packBytes: record.packBytes, record: encoded }
}

/** Key and additional data of a stored pack. Needs no read: the pack's id is its salt, and its epoch stands in `header`. */
export function packKey(sealer: Sealer, id: string, header: Uint8Array<ArrayBuffer>): Promise<ObjectKey> {
  return readObjectKey(sealer, 'pack', packName(id), header)
}

/** Reads a pack's header. Rejects with OBJECT_MISSING or OBJECT_DAMAGED. */
export async function readPackKey(storage: StorageBackend, sealer: Sealer, id: string, signal?: AbortSignal): Promise<ObjectKey> {
  const name = packName(id)
  const header = await storage.getRange(name, 0, HEADER_BYTES, { signal })
  if (!equalBytes(header.subarray(HEADER_BYTES - SALT_BYTES), fromHex(id))) throw damaged(name, 'its header names another pack')
  return packKey(sealer, id, header)
}

/** Reads a pack's own directory. `packBytes` is the object's length as the storage lists it. */
export async function readDirectory(storage: StorageBackend, sealer: Sealer, id: string, packBytes: number, signal?: AbortSignal): Promise<BlockPart> {
  const name = packName(id)
  if (packBytes < HEADER_BYTES + SEAL_BYTES + TRAILER_BYTES) throw damaged(name, 'it is too short to be a pack')
  const trailer = await storage.getRange(name, packBytes - TRAILER_BYTES, TRAILER_BYTES, { signal })
  const length = new DataView(trailer.buffer, trailer.byteOffset).getUint32(0, true)
  const start = packBytes - TRAILER_BYTES - length
  if (!equalBytes(trailer.subarray(4), TRAILER_MAGIC) || start < HEADER_BYTES || length > INDEX_BYTES_MAX) throw damaged(name, 'it does not end as a pack does')
  const key = await readPackKey(storage, sealer, id, signal)
  const block = await sealer.aead.open(key.key, frameNonce(DIRECTORY_NUMBER), key.additional, await storage.getRange(name, start, length, { signal }))
  if (!block) throw damaged(name, 'the seal of its directory does not hold')
  const [part, ...more] = splitBlock(block, name)
  if (!part || more.length > 0 || part.id !== id || part.packBytes !== packBytes) throw damaged(name, 'its directory is of another pack')
  return part
}
