/**
 * `config`: what a repository is, readable by all, authenticated by its key. Two lines: JSON, then the hex HMAC-SHA256 of the
 * first line's bytes. It is written last at `init`, only if absent: it is the commit that makes a place a repository.
 */
import * as z from 'zod'
import type { ChunkerOptions } from '../contract/core.ts'
import { BlockvaultError, isBlockvaultError } from '../contract/errors.ts'
import type { StorageBackend } from '../contract/storage.ts'
import { fromUtf8, toHex, utf8 } from '../core/bytes.ts'
import { CHUNK_BYTES, CONFIG_BYTES_MAX, FORMAT_VERSION, FRAME_BYTES, SEGMENT_BYTES } from './format.ts'
import { configKey, hmac, type Keyring } from './keyring.ts'
import { CONFIG_NAME, KEYS_PREFIX, UUID } from './names.ts'

/** Chunk sizes: below 512 the index outgrows the data, above 4 MiB a chunk would not fit a segment. */
const chunkBytes = z.int().min(512).max(SEGMENT_BYTES)

export const chunkerSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('fixed'), size: chunkBytes }),
  z
    .strictObject({ kind: z.literal('fastcdc'), min: chunkBytes, average: chunkBytes, max: chunkBytes })
    .refine(({ min, average, max }) => min <= average && average <= max, 'min <= average <= max does not hold'),
])

const configSchema = z.strictObject({
  format: z.literal('blockvault'),
  version: z.literal(FORMAT_VERSION),
  id: z.string().regex(UUID),
  createdAt: z.iso.datetime(),
  chunker: chunkerSchema,
  segmentBytes: z
    .int()
    .min(64 * 1024)
    .max(16 * 1024 * 1024),
  frameBytes: z
    .int()
    .min(64 * 1024)
    .max(16 * 1024 * 1024),
  fingerprint: z.literal('blake3-keyed'),
  seal: z.enum(['aes-256-gcm', 'checksum']),
})

export type Config = z.infer<typeof configSchema>

export function newConfig(options: { id: string; createdAt: string; chunker?: ChunkerOptions | undefined; encrypted: boolean }): Config {
  const chunker = options.chunker ?? { kind: 'fixed', size: CHUNK_BYTES }
  const chunkBytesMax = chunker.kind === 'fixed' ? chunker.size : chunker.max
  const parsed = chunkerSchema.safeParse(chunker)
  if (!parsed.success) throw new BlockvaultError('USAGE', `Not a chunker: ${z.prettifyError(parsed.error)}`)
  return {
    format: 'blockvault',
    version: FORMAT_VERSION,
    id: options.id,
    createdAt: options.createdAt,
    chunker: parsed.data,
    segmentBytes: SEGMENT_BYTES,
    frameBytes: Math.max(FRAME_BYTES, chunkBytesMax),
    fingerprint: 'blake3-keyed',
    seal: options.encrypted ? 'aes-256-gcm' : 'checksum',
  }
}

export async function writeConfig(storage: StorageBackend, config: Config, keyring: Keyring, signal?: AbortSignal): Promise<void> {
  const line = utf8(JSON.stringify(config))
  const mac = utf8(`\n${toHex(await hmac(await configKey(keyring), line))}\n`)
  await storage.put(CONFIG_NAME, [line, mac], { signal })
}

export interface ReadConfig {
  config: Config
  /** Rejects when the config is not the one that the holder of the keys wrote. */
  authenticate(keyring: Keyring): Promise<void>
}

/** Rejects with REPOSITORY_MISSING, REPOSITORY_INVALID or REPOSITORY_UNSUPPORTED. */
export async function readConfig(storage: StorageBackend, signal?: AbortSignal): Promise<ReadConfig> {
  const read = () => storage.get(CONFIG_NAME, { bytesMax: CONFIG_BYTES_MAX, signal })
  const bytes = await read()
    .catch(async (error: unknown) => {
      if (!isBlockvaultError(error, 'OBJECT_MISSING')) throw error
      const other = await otherThanKeys(storage)
      if (other === undefined) throw missing(storage, error)
      // Nothing else is written before the config: a repository that was made meanwhile has it now.
      return read().catch((again: unknown) => {
        throw isBlockvaultError(again, 'OBJECT_MISSING') ? foreign(storage, other, again) : again
      })
    })
    .catch((error: unknown) => {
      throw isBlockvaultError(error, 'OBJECT_DAMAGED') ? invalid(storage, 'its config is far too long', error) : error
    })
  const [line = '', mac = '', ...rest] = (fromUtf8(bytes) ?? '').split('\n')
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch (error) {
    throw invalid(storage, 'its config is not JSON', error)
  }
  const head = z.object({ format: z.literal('blockvault'), version: z.int() }).safeParse(json)
  if (!head.success) throw invalid(storage, 'its config does not say "blockvault"', head.error)
  if (head.data.version > FORMAT_VERSION) {
    throw new BlockvaultError(
      'REPOSITORY_UNSUPPORTED',
      `The repository at ${storage.description} has format version ${head.data.version}; this blockvault reads up to ${FORMAT_VERSION}. Update blockvault.`,
      { details: { version: head.data.version } },
    )
  }
  const parsed = configSchema.safeParse(json)
  if (!parsed.success) throw invalid(storage, `its config is damaged: ${z.prettifyError(parsed.error)}`, parsed.error)
  if (rest.length !== 1 || rest[0] !== '') throw invalid(storage, 'its config is truncated or has bytes added', undefined)
  const { chunker, segmentBytes, frameBytes } = parsed.data
  if ((chunker.kind === 'fixed' ? chunker.size : chunker.max) > Math.min(segmentBytes, frameBytes))
    throw invalid(storage, 'its config asks for chunks longer than a frame', undefined)
  return {
    config: parsed.data,
    async authenticate(keyring) {
      if (toHex(await hmac(await configKey(keyring), utf8(line))) !== mac)
        throw invalid(storage, 'its config was altered: the signature does not hold', undefined)
    },
  }
}

/**
 * No config: is this an empty place, somebody else's folder, or a repository that lost its config? Key slots alone are what an
 * `init` that was cut off leaves: nothing is lost by making the repository anew beside them.
 */
async function otherThanKeys(storage: StorageBackend): Promise<string | undefined> {
  for await (const { name } of storage.list('')) if (!name.startsWith(KEYS_PREFIX)) return name
  return undefined
}

function missing(storage: StorageBackend, cause: unknown): BlockvaultError {
  return new BlockvaultError('REPOSITORY_MISSING', `There is no repository at ${storage.description}. Make one with \`blockvault init\`.`, { cause })
}

function foreign(storage: StorageBackend, name: string, cause: unknown): BlockvaultError {
  return new BlockvaultError('REPOSITORY_INVALID', `${storage.description} is not a blockvault repository: it has no \`config\`, but holds ${name}.`, { cause })
}

function invalid(storage: StorageBackend, reason: string, cause: unknown): BlockvaultError {
  return new BlockvaultError('REPOSITORY_INVALID', `${storage.description} can not be opened as a blockvault repository: ${reason}.`, {
    cause,
    details: { object: CONFIG_NAME },
  })
}
