/**
 * The keys of a repository once it is unlocked, and the keys derived from them.
 *
 * Data keys come in epochs: a new epoch protects what is written after it, old epochs stay readable. No key of an epoch
 * encrypts anything itself: every object has its own key, HKDF-SHA256 (RFC 5869) of the epoch's key with the object's
 * random 16-byte salt, so a nonce counts inside one object only.
 */
import * as z from 'zod'
import { KEY_BYTES } from '../contract/core.ts'
import { BlockvaultError } from '../contract/errors.ts'
import { fromHex, toHex, utf8 } from '../core/bytes.ts'
import type { ObjectType } from './format.ts'

export interface Keyring {
  fingerprintKey: Uint8Array<ArrayBuffer>
  /** Newest last. */
  epochs: readonly { number: number; key: Uint8Array<ArrayBuffer> }[]
}

const hexKey = z.string().regex(new RegExp(`^[0-9a-f]{${KEY_BYTES * 2}}$`))
const keyringSchema = z.strictObject({
  fingerprintKey: hexKey,
  epochs: z
    .array(z.strictObject({ number: z.int().min(1).max(0xffff), key: hexKey }))
    .min(1)
    .max(4096),
})

export function newKeyring(random: (length: number) => Uint8Array<ArrayBuffer>): Keyring {
  return { fingerprintKey: random(KEY_BYTES), epochs: [{ number: 1, key: random(KEY_BYTES) }] }
}

/** Of a repository without encryption: known to everyone who knows its id, so that damage is found without a secret. */
export async function openKeyring(repositoryId: string): Promise<Keyring> {
  const secret = utf8(repositoryId)
  return {
    fingerprintKey: await hkdf(secret, new Uint8Array(0), 'blockvault/1/unencrypted/fingerprint'),
    epochs: [{ number: 1, key: await hkdf(secret, new Uint8Array(0), 'blockvault/1/unencrypted/epoch') }],
  }
}

export function encodeKeyring(keyring: Keyring): Uint8Array<ArrayBuffer> {
  return utf8(JSON.stringify({ fingerprintKey: toHex(keyring.fingerprintKey), epochs: keyring.epochs.map(({ number, key }) => ({ number, key: toHex(key) })) }))
}

/** `undefined` when the bytes are not a keyring. */
export function decodeKeyring(text: string): Keyring | undefined {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return undefined
  }
  const parsed = keyringSchema.safeParse(json)
  if (!parsed.success) return undefined
  return { fingerprintKey: fromHex(parsed.data.fingerprintKey), epochs: parsed.data.epochs.map(({ number, key }) => ({ number, key: fromHex(key) })) }
}

export function currentEpoch(keyring: Keyring): number {
  const newest = keyring.epochs.at(-1)
  if (!newest) throw new BlockvaultError('INTERNAL', 'A keyring without epochs.')
  return newest.number
}

/** The key of one object, or `undefined` when the keyring lacks the epoch. */
export async function objectKey(
  keyring: Keyring,
  epoch: number,
  type: ObjectType,
  salt: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const found = keyring.epochs.find(({ number }) => number === epoch)
  return found && hkdf(found.key, salt, `blockvault/1/${type}`)
}

/** The key that authenticates `config`. */
export function configKey(keyring: Keyring): Promise<Uint8Array<ArrayBuffer>> {
  const [first] = keyring.epochs
  if (!first) throw new BlockvaultError('INTERNAL', 'A keyring without epochs.')
  return hkdf(first.key, new Uint8Array(0), 'blockvault/1/config')
}

export async function hkdf(secret: Uint8Array<ArrayBuffer>, salt: Uint8Array<ArrayBuffer>, info: string): Promise<Uint8Array<ArrayBuffer>> {
  const key = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits'])
  return new Uint8Array(await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info: utf8(info) }, key, KEY_BYTES * 8))
}

export async function hmac(key: Uint8Array<ArrayBuffer>, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, bytes))
}
