/**
 * Writes one extent of a volume as an object.
 *
 * Invariant: what would not get smaller is stored as it is, as Cinder does (cinder/backup/chunkeddriver.py, `_prepare_output_data`).
 * Such an object is read again, and what is recorded of it is of what was stored.
 */
import type { ObjectStore, ObjectWriter } from '../contract/object-store.ts'
import { adler32Combine, ADLER32_START, ZLIB_HEADER, zlibTrailer } from '../core/zlib-stream.ts'
import { concatBytes } from '../core/bytes.ts'
import type { EncodedObjectPart, ObjectCompression } from '../pipeline/object-encode-operations.ts'
import { type CompressionName, recordedName } from './compression.ts'
import type { Extent } from './extents.ts'
import { encodeParts, type PartsContext } from './write-parts.ts'

export interface ObjectContext extends PartsContext {
  store: ObjectStore
  container: string
  compression: ObjectCompression & { name: CompressionName }
  /** Told of plain bytes that were encoded and of bytes that were stored for them; of less than none when an object is written again. */
  onBytes(plainBytes: number, storedBytes: number): void
}

export interface WrittenObject {
  compression: CompressionName
  /** Of the plain bytes, in hex. */
  md5: string
  /** Of the blocks, 32 bytes each. */
  sha256s: Uint8Array<ArrayBuffer>
}

const STORED: ObjectContext['compression'] = { name: 'none', codec: undefined, level: 0 }

/** Resolves when the object is durable. On failure nothing is left under its name. `onWritten`: all is encoded, and the disk has the word. */
export async function writeObject(context: ObjectContext, name: string, extent: Extent, onWritten: () => void): Promise<WrittenObject> {
  return (await attempt(context, name, extent, context.compression, onWritten)) ?? (await attempt(context, name, extent, STORED, onWritten))!
}

/** `undefined` when the object did not get smaller: it was not kept. */
async function attempt(
  context: ObjectContext,
  name: string,
  extent: Extent,
  compression: ObjectContext['compression'],
  onWritten: () => void,
): Promise<WrittenObject | undefined> {
  const { store, container, signal } = context
  const writer = await store.create(container, name, { signal })
  try {
    const object = createStream(writer, compression, (plain, stored) => context.onBytes(plain, stored))
    const md5 = await encodeParts(context, extent, compression, object.add)
    await object.end()
    if (compression.codec !== undefined && object.compressed && object.storedBytes >= extent.length) {
      await writer.discard()
      context.onBytes(-extent.length, -object.storedBytes)
      return undefined
    }
    onWritten()
    await writer.finish()
    return { compression: object.compressed ? recordedName(compression.name) : 'none', md5, sha256s: concatBytes(object.sha256s) }
  } catch (error) {
    await writer.discard().catch(() => {})
    throw error
  }
}

/** Puts the parts together to what is stored: zlib's need a header and a checksum around them. */
function createStream(writer: ObjectWriter, { codec }: ObjectCompression, onBytes: (plainBytes: number, storedBytes: number) => void) {
  const sha256s: Uint8Array[] = []
  let adler32 = ADLER32_START
  let started = false
  const stream = {
    sha256s,
    storedBytes: 0,
    /** False when the only part did not get smaller and came back as it was. */
    compressed: codec !== undefined,
    async add(part: EncodedObjectPart, plainBytes: number) {
      sha256s.push(part.sha256s)
      if (part.incompressible) stream.compressed = false
      if (codec === 'zlib' && stream.compressed) {
        if (!started) await write(ZLIB_HEADER)
        adler32 = adler32Combine(adler32, part.adler32, plainBytes)
      }
      started = true
      await write(part.bytes)
      onBytes(plainBytes, 0)
    },
    async end() {
      if (codec === 'zlib' && stream.compressed) await write(zlibTrailer(adler32))
    },
  }
  const write = async (bytes: Uint8Array) => {
    await writer.write(bytes)
    stream.storedBytes += bytes.length
    onBytes(0, bytes.length)
  }
  return stream
}
