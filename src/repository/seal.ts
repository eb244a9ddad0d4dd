/**
 * Sealed objects: manifests, index objects and packs share one 24-byte header and one way to derive key and additional data.
 *
 *   offset 0  "BVLT"   4  format version   5  object type   6  u16 epoch   8  16-byte random salt
 *
 * The additional data is header ‖ repository id ‖ object name: an object that is renamed, moved to another repository or
 * presented as another type does not open.
 */
import { BlockvaultError } from '../contract/errors.ts'
import type { Aead } from '../contract/platform.ts'
import { concatBytes, utf8 } from '../core/bytes.ts'
import { type FrameKey, frameNonce } from '../pipeline/frame.ts'
import { FORMAT_VERSION, OBJECT_TYPES, type ObjectType } from './format.ts'
import { currentEpoch, type Keyring, objectKey } from './keyring.ts'

export const HEADER_BYTES = 24
export const SALT_BYTES = 16
const MAGIC = utf8('BVLT')

/** What sealing and opening an object of one repository needs. */
export interface Sealer {
  repositoryId: string
  keyring: Keyring
  aead: Aead
}

export interface ObjectKey extends FrameKey {
  header: Uint8Array<ArrayBuffer>
}

/** Key and header for a new object. `salt` must be fresh random bytes. */
export async function newObjectKey(sealer: Sealer, type: ObjectType, name: string, salt: Uint8Array<ArrayBuffer>): Promise<ObjectKey> {
  const epoch = currentEpoch(sealer.keyring)
  const header = new Uint8Array(HEADER_BYTES)
  header.set(MAGIC)
  header[4] = FORMAT_VERSION
  header[5] = OBJECT_TYPES[type]
  new DataView(header.buffer).setUint16(6, epoch, true)
  header.set(salt, 8)
  const key = await objectKey(sealer.keyring, epoch, type, salt)
  if (!key) throw new BlockvaultError('INTERNAL', 'The newest epoch has no key.')
  return { key, header, additional: additionalData(sealer, header, name) }
}

/** Key of an object that was read, from its header. Rejects when the header is not one of this repository's. */
export async function readObjectKey(sealer: Sealer, type: ObjectType, name: string, header: Uint8Array<ArrayBuffer>): Promise<ObjectKey> {
  if (header.length !== HEADER_BYTES || !MAGIC.every((byte, index) => header[index] === byte)) throw damaged(name, 'it does not start with a blockvault header')
  if ((header[4] as number) > FORMAT_VERSION)
    throw new BlockvaultError('REPOSITORY_UNSUPPORTED', `${name} was written by a newer version of blockvault (format ${header[4]}). Update blockvault.`, {
      details: { object: name },
    })
  if (header[4] !== FORMAT_VERSION || header[5] !== OBJECT_TYPES[type]) throw damaged(name, 'its header names another type or version')
  const epoch = new DataView(header.buffer, header.byteOffset).getUint16(6, true)
  const key = await objectKey(sealer.keyring, epoch, type, header.slice(8, HEADER_BYTES))
  if (!key) throw damaged(name, `it names key epoch ${epoch}, which this key does not hold`)
  return { key, header, additional: additionalData(sealer, header, name) }
}

/** The parts of a sealed object that is one piece (manifest, index). */
export async function sealObject(sealer: Sealer, type: ObjectType, name: string, salt: Uint8Array<ArrayBuffer>, plaintext: Uint8Array): Promise<Uint8Array[]> {
  const { key, header, additional } = await newObjectKey(sealer, type, name, salt)
  return [header, ...(await sealer.aead.seal(key, frameNonce(0), additional, plaintext))]
}

/** The plaintext of a sealed object that is one piece. */
export async function openObject(sealer: Sealer, type: ObjectType, name: string, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const { key, additional } = await readObjectKey(sealer, type, name, bytes.slice(0, HEADER_BYTES))
  const plaintext = await sealer.aead.open(key, frameNonce(0), additional, bytes.subarray(HEADER_BYTES))
  if (!plaintext) throw damaged(name, 'its seal does not hold')
  return plaintext
}

export function damaged(name: string, reason: string, cause?: unknown): BlockvaultError {
  return new BlockvaultError('OBJECT_DAMAGED', `${name} is damaged: ${reason}. Run \`blockvault verify\` to see which backups it affects.`, {
    details: { object: name },
    cause,
  })
}

function additionalData(sealer: Sealer, header: Uint8Array, name: string): Uint8Array<ArrayBuffer> {
  return concatBytes([header, utf8(sealer.repositoryId), utf8(name)])
}
