/**
 * Key slots: each wraps the keyring for one passphrase or key file. Any slot that opens will do. Two lines: JSON, then the hex
 * SHA-256 of the first line's bytes, which tells a damaged slot from a wrong passphrase.
 *
 * Invariant: a slot's costs are checked against both bounds before any work is done for them, and a slot is bound to its
 * repository and to its own costs, so none can be exchanged for a cheaper one.
 */
import * as z from 'zod'
import { KEY_BYTES } from '../contract/core.ts'
import type { Credentials } from '../contract/backup.ts'
import { BlockvaultError } from '../contract/errors.ts'
import type { Aead } from '../contract/platform.ts'
import type { Port } from '../contract/port.ts'
import type { StorageBackend } from '../contract/storage.ts'
import { concatBytes, fromHex, fromUtf8, toHex, utf8 } from '../core/bytes.ts'
import { invoke } from '../io/operation.ts'
import { frameNonce } from '../pipeline/frame.ts'
import { stretchPassphrase } from '../pipeline/key-operation.ts'
import { ARGON2ID, FORMAT_VERSION, KEY_SLOT_BYTES_MAX, KEY_SLOTS_MAX } from './format.ts'
import { decodeKeyring, encodeKeyring, hkdf, type Keyring } from './keyring.ts'
import { KEYS_PREFIX, keySlotName, UUID } from './names.ts'

/** A slot of another repository. */
const FOREIGN = 'foreign'
/** What others put beside the slots is not ours to read. */
const SLOT_NAME = new RegExp(`^${KEYS_PREFIX}[0-9a-f]{32}$`)

const salt = z.string().regex(/^[0-9a-f]{32}$/)
const cost = (name: 'memoryKiB' | 'passes' | 'lanes') => z.int().min(ARGON2ID.min[name]).max(ARGON2ID.max[name])

const kdfSchema = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('argon2id'), salt, memoryKiB: cost('memoryKiB'), passes: cost('passes'), lanes: cost('lanes') }),
  /** For the 32 random bytes of a key file: nothing to stretch. */
  z.strictObject({ name: z.literal('hkdf-sha256'), salt }),
])
type Kdf = z.infer<typeof kdfSchema>

const slotSchema = z.strictObject({
  version: z.literal(FORMAT_VERSION),
  repository: z.string().regex(UUID),
  kdf: kdfSchema,
  /** The keyring, sealed under the derived key; hex. */
  keyring: z.string().regex(/^([0-9a-f]{2})+$/),
})

export interface SlotContext {
  storage: StorageBackend
  repositoryId: string
  aead: Aead
  /** Where Argon2id runs. */
  port: () => Port
  signal?: AbortSignal | undefined
}

/** Adds a slot for the credentials. Returns its name. */
export async function addKeySlot(
  context: SlotContext,
  credentials: Credentials,
  keyring: Keyring,
  random: (length: number) => Uint8Array<ArrayBuffer>,
): Promise<string> {
  const salt = toHex(random(16))
  const kdf: Kdf = credentials.key ? { name: 'hkdf-sha256', salt } : { name: 'argon2id', salt, ...ARGON2ID.default }
  const key = await slotKey(context, credentials, kdf)
  if (!key) throw new BlockvaultError('KEY_REQUIRED', 'An encrypted repository needs a passphrase or a key file.')
  const sealed = concatBytes(await context.aead.seal(key, frameNonce(0), slotAdditional(context.repositoryId, kdf), encodeKeyring(keyring)))
  const name = keySlotName(toHex(random(16)))
  const slot: z.infer<typeof slotSchema> = { version: FORMAT_VERSION, repository: context.repositoryId, kdf, keyring: toHex(sealed) }
  const line = JSON.stringify(slot)
  await context.storage.put(name, [utf8(`${line}\n${await sha256(line)}\n`)], { signal: context.signal })
  return name
}

/**
 * The keyring of the first slot that the credentials open. Rejects with KEY_WRONG when none does, KEY_REFUSED when a slot's
 * costs are out of bounds, OBJECT_DAMAGED when a slot is unreadable and no other one opens, REPOSITORY_INVALID when all of them
 * are of another repository.
 */
export async function openKeySlots(context: SlotContext, credentials: Credentials): Promise<Keyring> {
  const names: string[] = []
  for await (const { name } of context.storage.list(KEYS_PREFIX, { signal: context.signal })) if (SLOT_NAME.test(name)) names.push(name)
  if (names.length > KEY_SLOTS_MAX)
    throw new BlockvaultError(
      'KEY_REFUSED',
      `The repository has more than ${KEY_SLOTS_MAX} key slots: somebody may have added them to slow it down. Remove those you do not know from ${KEYS_PREFIX}.`,
    )
  let problem: BlockvaultError | undefined
  let foreign = 0
  for (const name of names.sort()) {
    try {
      const keyring = await openKeySlot(context, name, credentials)
      if (keyring === FOREIGN) foreign++
      else if (keyring) return keyring
    } catch (error) {
      if (!(error instanceof BlockvaultError)) throw error
      problem ??= error
    }
  }
  if (problem) throw problem
  if (names.length === 0)
    throw new BlockvaultError(
      'OBJECT_MISSING',
      `The repository is encrypted but has no key slot in ${KEYS_PREFIX}. Put back the ${KEYS_PREFIX} objects from a copy.`,
      { details: { object: KEYS_PREFIX } },
    )
  if (foreign === names.length)
    throw new BlockvaultError(
      'REPOSITORY_INVALID',
      `${context.storage.description} can not be opened as a blockvault repository: its key slots are another repository's, so its config or its ${KEYS_PREFIX} was exchanged.`,
    )
  const what = credentials.key ? 'key file' : 'passphrase'
  throw new BlockvaultError('KEY_WRONG', `The ${what} does not open the repository at ${context.storage.description}.`)
}

async function openKeySlot(context: SlotContext, name: string, credentials: Credentials): Promise<Keyring | typeof FOREIGN | undefined> {
  const text = fromUtf8(await context.storage.get(name, { bytesMax: KEY_SLOT_BYTES_MAX, signal: context.signal }))
  const [line = '', checksum, ...rest] = (text ?? '').split('\n')
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch (error) {
    throw slotDamaged(name, error)
  }
  const parsed = slotSchema.safeParse(json)
  if (!parsed.success) {
    const path = parsed.error.issues[0]?.path ?? []
    if (path[0] === 'kdf' && path.length > 1)
      throw new BlockvaultError(
        'KEY_REFUSED',
        `The key slot ${name} asks for ${path.join('.')} outside the accepted bounds, so it was not tried: somebody may have altered it. Put the original back from a copy.`,
        { details: { object: name } },
      )
    if (path[0] === 'version')
      throw new BlockvaultError('REPOSITORY_UNSUPPORTED', `The key slot ${name} was written by another version of blockvault. Update blockvault.`, {
        details: { object: name },
      })
    throw slotDamaged(name, parsed.error)
  }
  if (rest.length !== 1 || rest[0] !== '' || checksum !== (await sha256(line))) throw slotDamaged(name, undefined)
  const { kdf, keyring, repository } = parsed.data
  if (repository !== context.repositoryId) return FOREIGN
  const key = await slotKey(context, credentials, kdf)
  const opened = key && (await context.aead.open(key, frameNonce(0), slotAdditional(repository, kdf), fromHex(keyring)))
  return opened && decodeKeyring(fromUtf8(opened) ?? '')
}

/** `undefined` when the slot is for the other kind of credentials. */
async function slotKey(context: SlotContext, credentials: Credentials, kdf: Kdf): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (kdf.name === 'hkdf-sha256') return credentials.key && hkdf(Uint8Array.from(credentials.key), fromHex(kdf.salt), 'blockvault/1/key-slot')
  const { passphrase } = credentials
  if (passphrase === undefined) return undefined
  const bytes = typeof passphrase === 'string' ? utf8(passphrase) : Uint8Array.from(passphrase)
  if (bytes.length === 0) throw new BlockvaultError('USAGE', 'The passphrase is empty.')
  const { memoryKiB, passes, lanes } = kdf
  return invoke(context.port(), stretchPassphrase, { passphrase: bytes, salt: fromHex(kdf.salt), costs: { memoryKiB, passes, lanes } })
}

/** Credentials as they were given: one kind, and a key of the right length. */
export function checkCredentials(credentials: Credentials): Credentials {
  if (credentials.key !== undefined && credentials.passphrase !== undefined) throw new BlockvaultError('USAGE', 'Give a passphrase or a key file, not both.')
  if (credentials.key !== undefined && credentials.key.length !== KEY_BYTES)
    throw new BlockvaultError('USAGE', `A key has ${KEY_BYTES} bytes, this one has ${credentials.key.length}.`)
  return credentials
}

function slotAdditional(repositoryId: string, kdf: Kdf): Uint8Array<ArrayBuffer> {
  const costs = kdf.name === 'argon2id' ? `${kdf.memoryKiB}/${kdf.passes}/${kdf.lanes}` : ''
  return utf8(`blockvault/1/key-slot/${repositoryId}/${kdf.name}/${kdf.salt}/${costs}`)
}

async function sha256(text: string): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', utf8(text))))
}

function slotDamaged(name: string, cause: unknown): BlockvaultError {
  return new BlockvaultError('OBJECT_DAMAGED', `The key slot ${name} is damaged. Put it back from a copy of ${KEYS_PREFIX}.`, {
    details: { object: name },
    cause,
  })
}
