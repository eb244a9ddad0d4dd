/** Services over volumes in memory, with rows, events and trouble where a test can look at them. */
import type { BackupDriver } from '../../src/contract/backup-driver.ts'
import type { BackupContext } from '../../src/contract/backup-context.ts'
import type { BackupRecord, VolumeRecord } from '../../src/contract/records.ts'
import type { VolumeFile } from '../../src/contract/volume.ts'
import type { BackupEvent } from '../../src/service/events.ts'
import { type BackupServiceOptions, createBackupService, type ServiceProblem } from '../../src/service/service.ts'
import { memoryContext, PROJECT, USER } from '../contract/support.ts'
import { noise } from '../repository/support/random.ts'
import { volumeRecord } from '../suites/database/records.ts'
import { ExampleBackupDriver } from './example-driver.ts'

export const MIB = 1024 * 1024
export const SERVICE = 'example.drivers.ExampleBackupDriver'

export interface TestService extends Awaited<ReturnType<typeof testService>> {}

export interface TestServiceOptions extends Partial<Omit<BackupServiceOptions, 'context' | 'drivers'>> {
  context?: Partial<BackupContext>
  drivers?: (context: BackupContext) => Record<string, BackupDriver>
  /** Volumes that another service of the test has already. */
  volumes?: Map<string, Uint8Array<ArrayBuffer>>
}

export async function testService({ context: contextChanges, drivers, volumes = new Map(), ...options }: TestServiceOptions = {}) {
  const context = await memoryContext(contextChanges)
  const driver = new ExampleBackupDriver(context)
  const events: BackupEvent[] = []
  const problems: ServiceProblem[] = []
  const service = createBackupService({
    context,
    drivers: drivers?.(context) ?? { [SERVICE]: driver },
    host: 'host-1',
    resolveVolume: (volume, mode) => {
      if (mode === 'create') volumes.set(volume.id, new Uint8Array(5 * MIB))
      const bytes = volumes.get(volume.id)
      if (!bytes) throw new Error(`no bytes for volume ${volume.id}`)
      return memoryVolume(bytes)
    },
    onEvent: (event) => events.push(event),
    onProblem: (problem) => problems.push(problem),
    ...options,
  })
  const { database } = context
  return {
    service,
    context,
    database,
    driver,
    events,
    problems,
    volumes,
    /** A volume with a row of 1 GiB, as rows have it, and 5 MiB of its own, as fits a test. */
    async addVolume(changes: Partial<VolumeRecord> = {}, bytes = noise(volumes.size + 1, 5 * MIB)): Promise<VolumeRecord> {
      const volume = volumeRecord({ size: 1, userId: USER, projectId: PROJECT, displayName: 'data', ...changes })
      await database.createVolume(volume)
      volumes.set(volume.id, bytes)
      return volume
    },
    row: (id: string): Promise<BackupRecord> => database.backup(id, { readDeleted: true }),
    volume: (id: string): Promise<VolumeRecord> => database.volume(id),
    typesOf: (): string[] => events.map(({ type }) => type),
  }
}

/** A volume in memory. */
export function memoryVolume(bytes: Uint8Array<ArrayBuffer>): VolumeFile & { closed: boolean } {
  const refuse = async (): Promise<never> => {
    throw new Error('not used by these tests')
  }
  const file = {
    kind: 'file' as const,
    size: bytes.length,
    closed: false,
    read: refuse,
    readAt: async (offset: number, length: number) => bytes.slice(offset, offset + length),
    write: refuse,
    async writeAt(offset: number, piece: Uint8Array) {
      bytes.set(piece, offset)
    },
    seek: refuse,
    tell: refuse,
    punchHole: refuse,
    flush: async () => {},
    async close() {
      file.closed = true
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
  return file
}

/** A promise that a test settles itself. */
export function deferred<Value = void>() {
  let resolve: (value: Value) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<Value>((yes, no) => {
    resolve = yes
    reject = no
  })
  promise.catch(() => {})
  return { promise, resolve, reject }
}

/** The error a promise rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('It did not reject.')
}
