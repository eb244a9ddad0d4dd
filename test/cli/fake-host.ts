/** A system in memory for the command: files, environment, output, and repositories that keep no bytes. */
import type { BackupInfo, Credentials, Progress, Repository, VerifyResult } from '../../src/contract/backup.ts'
import { BlockvaultError, cancelled, type ErrorCode } from '../../src/contract/errors.ts'
import type { CommandHost, OpenOptions } from '../../src/cli/host.ts'
import { runCommand } from '../../src/cli/run.ts'
import { createMemoryObjects, type MemoryContainers } from '../../src/storage/memory-objects.ts'

export const HOME = '/home/user'
export const DEFAULT_REPOSITORY = `${HOME}/.local/share/blockvault/repository`
export const SOURCE = '/dev/vdb'

export interface FakeSystem {
  host: CommandHost
  environment: Map<string, string>
  files: Map<string, { bytes: Uint8Array; exposed: boolean }>
  repositories: Map<string, FakeRepository>
  /** Directories with Cinder's containers. */
  objectStores: Map<string, MemoryContainers>
  /** What commands read, and what they wrote. `-` is standard input. */
  inputs: Map<string, string>
  outputs: Map<string, string>
  /** Calls of the library, in order, as `name(arguments)` with what matters to a test. */
  calls: { name: string; argument: unknown }[]
  clock: { ms: number }
  terminal: { columns: number } | undefined
  interrupt: AbortController
  stdout(): string
  stderr(): string
  /** The stdout lines parsed. */
  json(): Record<string, unknown>[]
  run(...argv: string[]): Promise<number>
}

export interface FakeRepository {
  id: string
  secret: string | undefined
  backups: BackupInfo[]
  /** Ids of backups that can not be read. */
  damaged: string[]
  progress: Progress[]
  verify: VerifyResult
  /** Thrown by every job. */
  failure?: unknown
  opened: number
  closed: number
}

export function repositoryId(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
}

export function backupInfo(number: number, fields: Partial<BackupInfo> = {}): BackupInfo {
  return {
    id: `${String(number).padStart(8, '0')}-1111-4111-8111-111111111111`,
    volume: 'vdb',
    createdAt: `2025-01-02T03:04:${String(number).padStart(2, '0')}.678Z`,
    volumeBytes: 4 * 1024 ** 3,
    sourcePath: SOURCE,
    hostName: 'server',
    tags: {},
    readBytes: 4 * 1024 ** 3,
    newBytes: 1536 * 1024 ** 2,
    storedBytes: 700 * 1024 ** 2,
    seconds: 8,
    digest: 'ab'.repeat(32),
    ...fields,
  }
}

export function fakeRepository(fields: Partial<FakeRepository> = {}): FakeRepository {
  const verify = { backups: 1, chunks: 65536, bytes: 4 * 1024 ** 3, errors: [], seconds: 2 }
  return { id: repositoryId(1), secret: undefined, backups: [], damaged: [], progress: [], verify, opened: 0, closed: 0, ...fields }
}

/** What a repository remembers of credentials, to compare later: copied, as the command wipes its own. */
export function secretOf(credentials: Credentials): string | undefined {
  if (credentials.key !== undefined) return `key:${Buffer.from(credentials.key).toString('hex')}`
  if (credentials.passphrase === undefined) return undefined
  return `passphrase:${Buffer.from(credentials.passphrase).toString('utf8')}`
}

export function fakeSystem(): FakeSystem {
  let out = ''
  let err = ''
  let random = 0
  const interrupt = new AbortController()
  const system: FakeSystem = {
    environment: new Map(),
    files: new Map(),
    repositories: new Map(),
    objectStores: new Map(),
    inputs: new Map(),
    outputs: new Map(),
    calls: [],
    clock: { ms: 1000 },
    terminal: undefined,
    interrupt,
    stdout: () => out,
    stderr: () => err,
    json: () =>
      out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    run: (...argv) => runCommand(argv, system.host),
    host: {
      version: '1.2.3',
      interrupted: interrupt.signal,
      environment: (name) => system.environment.get(name),
      homeDirectory: () => HOME,
      now: () => system.clock.ms,
      random: (length) => new Uint8Array(length).fill(++random),
      writeOutput(text) {
        out += text
      },
      writeError(text) {
        err += text
      },
      drain: async () => {},
      errorTerminal: () => system.terminal,
      async readSecretFile(path, bytesMax) {
        const file = system.files.get(path)
        return file && { bytes: file.bytes.slice(0, bytesMax), exposed: file.exposed }
      },
      async createSecretFile(path, bytes) {
        system.calls.push({ name: 'createSecretFile', argument: path })
        if (system.files.has(path)) return undefined
        system.files.set(path, { bytes: bytes.slice(), exposed: false })
        return path
      },
      async volumeFacts(path) {
        if (path !== SOURCE) return undefined
        return { kind: 'block-device', size: 4096, path, identity: path }
      },
      openObjectStore(path) {
        const containers = system.objectStores.get(path)
        if (containers === undefined) throw new BlockvaultError('STORAGE_FAILED', `There is no directory ${path}`)
        return createMemoryObjects(containers)
      },
      async createPlatform() {
        throw new Error('there are no volumes here')
      },
      async readInputFile(path, bytesMax) {
        const text = system.inputs.get(path)
        if (text === undefined || text.length > bytesMax) throw new BlockvaultError('InvalidInput', `no ${path}`)
        return new TextEncoder().encode(text)
      },
      async writeFile(path, bytes) {
        system.outputs.set(path, new TextDecoder().decode(bytes))
      },
      async openRepository(options) {
        const repository = system.repositories.get(options.repository)
        if (repository === undefined) throw new BlockvaultError('REPOSITORY_MISSING', 'nothing there')
        await unlock(repository, options)
        return repositoryFace(repository, options.repository, system)
      },
      async initRepository(options) {
        system.calls.push({ name: 'initRepository', argument: { repository: options.repository, encryption: options.encryption } })
        if (system.repositories.has(options.repository)) throw new BlockvaultError('REPOSITORY_EXISTS', 'exists')
        const id = repositoryId(system.repositories.size + 1)
        const secret = secretOf(await options.credentials(id, options.encryption !== false))
        system.calls.push({ name: 'config written', argument: id })
        const repository = fakeRepository({ id, secret })
        system.repositories.set(options.repository, repository)
        return repositoryFace(repository, options.repository, system)
      },
      async bench(device, { onLine, ...options }) {
        system.calls.push({ name: 'bench', argument: { device, workers: options.workers } })
        onLine({ name: 'scan', bytes: 2 * 1024 ** 3, seconds: 1, note: '2 workers' })
        onLine({ name: 'encrypt', bytes: 1024 ** 3, seconds: 0.5 })
      },
    },
  }
  return system
}

async function unlock(repository: FakeRepository, options: OpenOptions): Promise<void> {
  const secret = secretOf(await options.credentials(repository.id, repository.secret !== undefined))
  if (secret !== repository.secret) throw new BlockvaultError('KEY_WRONG', 'does not open this repository')
}

function repositoryFace(repository: FakeRepository, location: string, system: FakeSystem): Repository {
  repository.opened++
  const find = (reference: string) => {
    const backup = repository.backups.find(({ id }) => reference === 'latest' || id.startsWith(reference))
    if (backup === undefined) throw new BlockvaultError('BACKUP_NOT_FOUND', `no backup matches ${reference}`)
    return backup
  }
  const job = (name: string, argument: Record<string, unknown>, options: object = {}) => {
    const { signal, onProgress, ...rest } = options as { signal?: AbortSignal; onProgress?: (progress: Progress) => void }
    system.calls.push({ name, argument: { ...argument, ...rest } })
    for (const progress of repository.progress) {
      onProgress?.(progress)
      system.clock.ms += 400
    }
    if (repository.failure !== undefined) throw repository.failure
    if (signal?.aborted) throw cancelled(signal)
  }
  const close = async () => void repository.closed++
  return {
    id: repository.id,
    encrypted: repository.secret !== undefined,
    location,
    async backup(source, options) {
      job('backup', { source }, options)
      return backupInfo(1, { volume: options?.volume ?? 'vdb', tags: options?.tags ?? {} })
    },
    async list(options) {
      job('list', {}, options)
      for (const id of repository.damaged) options?.onDamaged?.(id, failing('OBJECT_DAMAGED'))
      return repository.backups
    },
    async show(reference) {
      job('show', { reference })
      return find(reference)
    },
    async restore(reference, target, options) {
      job('restore', { reference, target }, options)
      return { id: find(reference).id, target, bytes: 4 * 1024 ** 3, writtenBytes: 1024 ** 3, seconds: 2 }
    },
    async openBackup(reference, options) {
      job('openBackup', { reference }, options)
      find(reference)
      throw new Error('there are no volumes here')
    },
    async verify(options) {
      job('verify', {}, options)
      return repository.verify
    },
    async delete(references, options) {
      job('delete', { references }, options)
      return references.map((reference) => find(reference).id)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** A system whose default place holds an unencrypted repository. */
export function systemWithRepository(fields: Partial<FakeRepository> = {}): FakeSystem & { repository: FakeRepository } {
  const system = fakeSystem()
  const repository = fakeRepository(fields)
  system.repositories.set(DEFAULT_REPOSITORY, repository)
  return Object.assign(system, { repository })
}

export function failing(code: ErrorCode): BlockvaultError {
  return new BlockvaultError(code, `it failed with ${code}`, { details: { offset: 4096 } })
}
