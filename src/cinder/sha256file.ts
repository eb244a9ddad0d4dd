/**
 * `_sha256file`: the SHA-256 of each block of the whole volume, in full and incremental backups alike (cinder/backup/chunkeddriver.py,
 * `_write_sha256file`). An incremental is made by comparing with its parent's.
 *
 * Invariant: hashes pass by in batches and are never all held: there are 32 bytes for each 32 KiB of the volume.
 */
import * as z from 'zod'
import { BlockvaultError } from '../contract/errors.ts'
import { toHex } from '../core/bytes.ts'
import { HASH_BYTES } from './extents.ts'
import { readLongJson } from './long-json-reader.ts'
import { createLongJsonWriter } from './long-json-writer.ts'
import { type BackupDescription, descriptionFields, descriptionOf, descriptionRecord } from './metadata.ts'
import { sha256FileName } from './names.ts'

export interface Sha256File extends BackupDescription {
  /** What Cinder calls `chunk_size`: bytes of one block. */
  blockBytes: number
  /** Blocks of the volume: the last may be short. */
  blocks: number
}

/** Cinder's default is 32 KiB. Beyond this it is a mistake, and one block would not fit a worker. */
export const BLOCK_BYTES_MAX = 1024 ** 3

const sha256FileSchema = z.object({ ...descriptionFields, chunk_size: z.int().min(1).max(BLOCK_BYTES_MAX) })

export interface ReadSha256FileOptions {
  /** The object name prefix: `_sha256file`'s own name without its suffix. */
  prefix: string
  /**
   * Receives the hashes in order, some thousand at once, 32 bytes each; the bytes are the receiver's. They are checked one by one, but
   * what the file says beside them is known only at its end: read it twice where that matters.
   */
  onHashes?: ((hashes: Uint8Array<ArrayBuffer>) => void) | undefined
}

/** @throws InvalidBackup */
export async function readSha256File(pieces: AsyncIterable<Uint8Array>, { prefix, onHashes }: ReadSha256FileOptions): Promise<Sha256File> {
  const name = sha256FileName(prefix)
  let blocks = 0
  const values = await readLongJson(pieces, {
    name,
    arrayKey: 'sha256s',
    onItems(items) {
      const hashes = new Uint8Array(items.length * HASH_BYTES)
      for (const [index, item] of items.entries()) {
        if (typeof item !== 'string' || !decodeHash(item, hashes, index * HASH_BYTES)) throw notValid(name, `hash ${blocks + index} is no SHA-256`)
      }
      blocks += items.length
      onHashes?.(hashes)
    },
  })
  if (!values.has('sha256s')) throw notValid(name, 'it has no list of hashes')
  const parsed = sha256FileSchema.safeParse(Object.fromEntries(values))
  if (!parsed.success) throw notValid(name, z.prettifyError(parsed.error).replaceAll('\n', ' '), parsed.error)
  return { ...descriptionOf(parsed.data), blockBytes: parsed.data.chunk_size, blocks }
}

export interface Sha256FileWriter {
  /** The next bytes of the file, for the next whole number of hashes, 32 bytes each. */
  append(hashes: Uint8Array): Uint8Array<ArrayBuffer>
  /** The last bytes. */
  end(): Uint8Array<ArrayBuffer>
}

export function createSha256FileWriter(file: Omit<Sha256File, 'blocks'>): Sha256FileWriter {
  const writer = createLongJsonWriter({ ...descriptionRecord(file), chunk_size: file.blockBytes }, 'sha256s')
  return {
    append(hashes) {
      const items = Array.from(
        { length: hashes.length / HASH_BYTES },
        (_, index) => `"${toHex(hashes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES))}"`,
      )
      return writer.append(items)
    },
    end: () => writer.end(),
  }
}

/** Digits of hex by their character code; 255 for anything else. Half a million hashes a second of `Number.parseInt` are too few. */
const HEX_DIGITS = Uint8Array.from({ length: 128 }, (_, code) => {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(code).toLowerCase())
  return digit < 0 ? 255 : digit
})

function decodeHash(text: string, into: Uint8Array, at: number): boolean {
  if (text.length !== HASH_BYTES * 2) return false
  for (let index = 0; index < HASH_BYTES; index++) {
    const high = HEX_DIGITS[text.charCodeAt(index * 2)] ?? 255
    const low = HEX_DIGITS[text.charCodeAt(index * 2 + 1)] ?? 255
    if (high === 255 || low === 255) return false
    into[at + index] = (high << 4) | low
  }
  return true
}

function notValid(object: string, reason: string, cause?: unknown): BlockvaultError {
  return new BlockvaultError('InvalidBackup', `${object} is not a valid list of hashes: ${reason}.`, { details: { object }, cause })
}
