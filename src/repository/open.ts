/** Opening and making repositories, and the object that callers hold. */
import * as z from 'zod'
import type { BackupOptions, Credentials, InitOptions, JobOptions, ListOptions, Repository } from '../contract/backup.ts'
import { BlockvaultError, isBlockvaultError } from '../contract/errors.ts'
import type { Platform } from '../contract/platform.ts'
import { WORKERS_MAX } from '../contract/platform.ts'
import type { Port } from '../contract/port.ts'
import type { StorageBackend } from '../contract/storage.ts'
import { createLazyPort } from '../io/lazy-port.ts'
import { createPool } from '../io/pool.ts'
import { aeadOf } from '../pipeline/checksum-seal.ts'
import { runBackup } from './backup.ts'
import { newConfig, readConfig, writeConfig } from './config.ts'
import type { RepositoryContext } from './context.ts'
import { endedInTime } from './give-up.ts'
import { addKeySlot, checkCredentials, openKeySlots } from './key-slot.ts'
import { newKeyring, openKeyring } from './keyring.ts'
import { backupInfo, readManifest, tagsSchema, TEXT_MAX } from './manifest.ts'
import { manifestName, UUID, uuidFrom } from './names.ts'
import { openStoredBackup } from './open-backup.ts'
import { backupIds, readManifests, resolveReference } from './reference.ts'
import { runRestore } from './restore.ts'
import type { Sealer } from './seal.ts'
import { createStoredIndex } from './stored-index.ts'
import { runVerify } from './verify.ts'

/** Asked once the config is known, so that a key can be looked up by repository id. */
export type CredentialsSource = Credentials | ((repository: { id: string; encrypted: boolean }) => Credentials | Promise<Credentials>)

export interface OpenOptions {
  credentials?: CredentialsSource | undefined
  /** Worker threads; 0 runs everything on the calling thread. The processors available by default. */
  workers?: number | undefined
  signal?: AbortSignal | undefined
}

const workersSchema = z.int().min(0).max(WORKERS_MAX)

/**
 * Makes a repository. The key slot is written first and `config` last: until then the place is no repository. Rejects with
 * REPOSITORY_EXISTS, or REPOSITORY_INVALID when the place holds something else.
 */
export async function initRepository(
  platform: Platform,
  storage: StorageBackend,
  options: OpenOptions & { init?: InitOptions | undefined } = {},
): Promise<{ id: string; encrypted: boolean }> {
  const state = await readConfig(storage, options.signal).then(
    () => 'exists' as const,
    (error: unknown) => {
      if (isBlockvaultError(error, 'REPOSITORY_MISSING')) return 'missing' as const
      throw error
    },
  )
  if (state === 'exists') throw alreadyThere(storage)
  const encrypted = options.init?.encryption ?? true
  const config = newConfig({ id: uuidFrom(platform.random(16)), createdAt: new Date(platform.now()).toISOString(), chunker: options.init?.chunker, encrypted })
  const credentials = await givenCredentials(options, { id: config.id, encrypted })
  if (encrypted && !credentials) throw keyRequired(storage)
  if (!encrypted && credentials) throw notEncrypted(storage)
  const keyring = encrypted ? newKeyring(platform.random) : await openKeyring(config.id)
  if (credentials) {
    await withPort(platform, options.workers, (port) =>
      addKeySlot({ storage, repositoryId: config.id, aead: platform.aead, port: () => port, signal: options.signal }, credentials, keyring, platform.random),
    )
  }
  await writeConfig(storage, config, keyring, options.signal).catch((error: unknown) => {
    throw isBlockvaultError(error, 'OBJECT_EXISTS') ? alreadyThere(storage) : error
  })
  return { id: config.id, encrypted }
}

/** Opens a repository. Rejects with the REPOSITORY_* and KEY_* codes. */
export async function openRepository(platform: Platform, storage: StorageBackend, options: OpenOptions = {}): Promise<Repository> {
  const { config, authenticate } = await readConfig(storage, options.signal)
  const encrypted = config.seal !== 'checksum'
  const credentials = await givenCredentials(options, { id: config.id, encrypted })
  if (encrypted && !credentials) throw keyRequired(storage)
  if (!encrypted && credentials) throw notEncrypted(storage)
  const workers = workersSchema.safeParse(options.workers ?? platform.workersDefault)
  if (!workers.success) throw new BlockvaultError('USAGE', `workers is a whole number from 0 to ${WORKERS_MAX}.`)

  // Who names a number gets that many. Otherwise a restore has one more than there are processors: 8 % faster, as workers wait for the disk.
  const spare = options.workers === undefined && platform.workersDefault > 0 ? createLazyPort(() => platform.spawn({ inline: false })) : undefined
  const pool = createPool(ports(platform, workers.data), spare)
  try {
    const slots = { storage, repositoryId: config.id, aead: platform.aead, port: () => pool.any(), signal: options.signal }
    if (credentials?.passphrase !== undefined) pool.start() // one stretches the passphrase, the others come up meanwhile
    const keyring = credentials ? await openKeySlots(slots, credentials) : await openKeyring(config.id)
    await authenticate(keyring)
    const sealer: Sealer = { repositoryId: config.id, keyring, aead: aeadOf(encrypted, platform.aead, platform.core) }
    const index = createStoredIndex(platform.core, storage, sealer, platform.random)
    return repositoryOf({ platform, storage, config, sealer, index, pool, encrypted })
  } catch (error) {
    await pool.close()
    throw error
  }
}

function repositoryOf(context: RepositoryContext): Repository {
  const { storage, sealer, config, platform, index, pool } = context
  let closed: Promise<void> | undefined
  const running = new Set<Promise<unknown>>()
  /** Runs a job. Closing waits for it: what it works with must not be freed under it. */
  const job = async <Result>(work: () => Promise<Result>, { signal }: JobOptions = {}): Promise<Result> => {
    if (closed) throw new BlockvaultError('CLOSED', 'The repository was used after it was closed.')
    const run = work()
    running.add(run)
    try {
      return await endedInTime(run, signal, () => void pool.close())
    } catch (error) {
      if (closed && isBlockvaultError(error, 'WORKER_FAILED'))
        throw new BlockvaultError('CLOSED', 'The repository was closed while a job ran. Run the job again; what was stored is kept.', { cause: error })
      throw error
    } finally {
      running.delete(run)
    }
  }
  const resolve = (references: readonly string[], signal: AbortSignal | undefined) =>
    Promise.all(references.map((reference) => resolveReference(storage, sealer, reference, signal)))
  const repository: Repository = {
    id: config.id,
    encrypted: context.encrypted,
    location: storage.description,
    backup: (source, options = {}) =>
      job(async () => {
        const checked = checkBackupOptions(options)
        pool.start()
        return runBackup(context, source, { ...options, ...checked, id: options.id ?? uuidFrom(platform.random(16)) })
      }, options),
    list: (options: ListOptions = {}) =>
      job(async () => {
        const manifests = await readManifests(storage, sealer, options.onDamaged ?? (() => {}), options.signal)
        return manifests.filter(({ volume }) => options.volume === undefined || volume === options.volume).map(backupInfo)
      }),
    show: (reference) => job(async () => backupInfo(await readManifest(storage, sealer, await resolveReference(storage, sealer, reference)))),
    restore: (reference, target, options = {}) =>
      job(async () => {
        pool.start()
        const id = await resolveReference(storage, sealer, reference, options.signal)
        return runRestore(context, await readManifest(storage, sealer, id, options.signal), target, options)
      }, options),
    openBackup: (reference, options = {}) =>
      job(async () => {
        pool.start()
        const id = await resolveReference(storage, sealer, reference, options.signal)
        return openStoredBackup(context, await readManifest(storage, sealer, id, options.signal), options, job)
      }, options),
    verify: (options = {}) =>
      job(async () => {
        pool.start()
        const ids = options.backups ? await resolve(options.backups, options.signal) : await backupIds(storage, options.signal)
        return runVerify(context, [...new Set(ids)], options.backups !== undefined, options)
      }, options),
    delete: (references, options = {}) =>
      job(async () => {
        // Every reference is resolved before the first removal: a typing error deletes nothing.
        const ids = [...new Set(await resolve(references, options.signal))]
        for (const id of ids) await storage.delete(manifestName(id), options)
        return ids
      }),
    close() {
      closed ??= (async () => {
        await pool.close()
        await Promise.allSettled(running)
        index.free()
        await storage.close()
        await platform.close()
      })()
      return closed
    },
    [Symbol.asyncDispose]: () => repository.close(),
  }
  return repository
}

const backupOptionsSchema = z.object({
  id: z.string().regex(UUID, 'an id is a lower-case UUID').optional(),
  volume: z.string().min(1).max(TEXT_MAX).optional(),
  tags: tagsSchema.optional(),
})

function checkBackupOptions(options: BackupOptions): z.infer<typeof backupOptionsSchema> {
  const parsed = backupOptionsSchema.safeParse(options)
  if (!parsed.success) throw new BlockvaultError('USAGE', `Not valid for a backup: ${z.prettifyError(parsed.error)}`)
  return parsed.data
}

async function givenCredentials({ credentials }: OpenOptions, repository: { id: string; encrypted: boolean }): Promise<Credentials | undefined> {
  const given = typeof credentials === 'function' ? await credentials(repository) : credentials
  if (!given || (given.key === undefined && given.passphrase === undefined)) return undefined
  return checkCredentials(given)
}

/** Workers start with their first call: listing backups needs none. */
function ports(platform: Platform, workers: number): Port[] {
  return Array.from({ length: Math.max(1, workers) }, () => createLazyPort(() => platform.spawn({ inline: workers === 0 })))
}

async function withPort<Result>(platform: Platform, workers: number | undefined, work: (port: Port) => Promise<Result>): Promise<Result> {
  const port = await platform.spawn({ inline: workers === 0 })
  try {
    return await work(port)
  } finally {
    await port.close()
  }
}

function alreadyThere(storage: StorageBackend): BlockvaultError {
  return new BlockvaultError('REPOSITORY_EXISTS', `There is a repository at ${storage.description} already. Use it as it is, or choose another place.`)
}

function keyRequired(storage: StorageBackend): BlockvaultError {
  return new BlockvaultError(
    'KEY_REQUIRED',
    `The repository at ${storage.description} is encrypted. Give its passphrase (--passphrase-file, BLOCKVAULT_PASSPHRASE) or its key file (--key-file).`,
  )
}

/** Refusing protects from a store that swaps an encrypted repository for an open one. */
function notEncrypted(storage: StorageBackend): BlockvaultError {
  return new BlockvaultError(
    'KEY_WRONG',
    `A passphrase or key was given, but the repository at ${storage.description} is not encrypted. If that is right, leave the passphrase and key out.`,
  )
}
