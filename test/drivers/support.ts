/** Chunked drivers over stores and rows in memory, and volumes that a test can look at. */
import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import type { BackupContext } from '../../src/contract/backup-context.ts'
import type { BackupDriverOptions } from '../../src/contract/backup-driver.ts'
import type { JobOptions } from '../../src/contract/backup.ts'
import type { ObjectStore } from '../../src/contract/object-store.ts'
import type { BackupRecord, VolumeRecord } from '../../src/contract/records.ts'
import type { VolumeFile } from '../../src/contract/volume.ts'
import type { ChunkedBackupDriver } from '../../src/drivers/chunked.ts'
import { PosixBackupDriver } from '../../src/drivers/posix.ts'
import { createPool } from '../../src/io/pool.ts'
import { openVolumeFile } from '../../src/io/volume-file.ts'
import { createMemoryObjects, type MemoryContainers } from '../../src/storage/memory-objects.ts'
import { memoryContext } from '../contract/support.ts'
import { noise, numbers, text } from '../repository/support/random.ts'
import { fileOf } from '../repository/support/volumes.ts'
import { backupRecord, volumeRecord } from '../suites/database/records.ts'

export const KIB = 1024
/** Small, so that a volume of 200 KiB has several objects. */
export const SIZES = { objectBytes: 64 * KIB, blockBytes: 4 * KIB }
export const code = (expected: string) => expect.objectContaining({ name: 'BlockvaultError', code: expected })
export const same = (left: Uint8Array, right: Uint8Array): boolean => Buffer.compare(left, right) === 0

export type MakeDriver = (context: BackupContext, store: ObjectStore) => ChunkedBackupDriver

export interface DriverSetup {
  /** The posix driver with zlib by default. */
  driver?: MakeDriver
  store?: ObjectStore
  context?: Partial<BackupContext>
}

export interface BackUpOptions extends BackupDriverOptions {
  row?: Partial<BackupRecord>
  parent?: BackupRecord
}

export interface RestoreTo extends JobOptions {
  /** What the volume holds before: zeros by default. */
  before?: Uint8Array
  /** True when nothing is said of before. */
  isNew?: boolean
  volume?: VolumeRecord
}

export async function driverSetup({ driver: makeDriver, context: changes, ...options }: DriverSetup = {}) {
  const places: MemoryContainers = new Map()
  const store = options.store ?? createMemoryObjects(places)
  const context = await memoryContext(changes)
  const database = context.database
  const driver = makeDriver?.(context, store) ?? new PosixBackupDriver(context, { store, ...SIZES })
  const volume = volumeRecord({ size: 1, displayName: 'data' })
  await database.createVolume(volume)

  const withFile = async <Result>(bytes: Uint8Array, mode: 'read' | 'write', work: (file: VolumeFile, path: string) => Promise<Result>) => {
    const path = fileOf(bytes)
    const file = await openVolumeFile(createPool(context.ports), path, { mode })
    try {
      return await work(file, path)
    } finally {
      await file.close()
    }
  }
  return {
    places,
    store,
    context,
    database,
    driver,
    volume,
    withFile,
    row: (id: string) => database.backup(id, { readDeleted: true }),
    /** A row in status `creating`, as the service makes one. */
    async newRow({ row = {}, parent }: Pick<BackUpOptions, 'row' | 'parent'> = {}): Promise<BackupRecord> {
      const backup = backupRecord({ volumeId: volume.id, parentId: parent?.id ?? null, ...row })
      await database.createBackup(backup)
      return backup
    },
    /** Backs up, and finishes the row as the service does. */
    async backUp(bytes: Uint8Array, { row, parent, ...more }: BackUpOptions = {}): Promise<BackupRecord> {
      const backup = await this.newRow({ ...(row ? { row } : {}), ...(parent ? { parent } : {}) })
      const updates = await withFile(bytes, 'read', (file) => driver.backup(backup, file, more))
      await database.updateBackup(backup.id, { ...updates, status: 'available' })
      return database.backup(backup.id)
    },
    /** What the volume holds after the restore, also when it rejects: then with the error. */
    async restore(backup: BackupRecord, { before, isNew = before === undefined, volume: target = volume, ...more }: RestoreTo = {}) {
      await database.updateBackup(backup.id, { status: 'restoring' })
      const restoring = await database.backup(backup.id)
      return withFile(before ?? new Uint8Array(400 * KIB), 'write', async (file, path) => {
        const error: unknown = await driver.restore(restoring, target.id, file, isNew, more).then(
          () => undefined,
          (failure: unknown) => failure,
        )
        await database.updateBackup(backup.id, { status: 'available' })
        return { bytes: readFileSync(path), error }
      })
    },
    async names(container: string, prefix = ''): Promise<string[]> {
      const names: string[] = []
      for await (const { name } of store.list(container, prefix)) names.push(name)
      return names
    },
    /** Changes one object of the memory store; `undefined` removes it. */
    alter({ container, serviceMetadata }: BackupRecord, suffix: string, change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array | undefined) {
      const objects = places.get(container as string)!
      const name = `${serviceMetadata}${suffix}`
      const changed = change(objects.get(name)!.slice())
      if (changed) objects.set(name, new Uint8Array(changed))
      else objects.delete(name)
    },
  }
}

/** Noise, text, one byte and zeros: what compresses and what does not. */
export function volumeBytes(seed: number, length = 200 * KIB): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  const part = Math.floor(length / 5)
  bytes.set(noise(seed, part), 0)
  bytes.set(text(seed, part), part)
  bytes.fill(1 + (seed % 255), part * 2, part * 3)
  bytes.set(noise(seed + 1, part), part * 4)
  return bytes
}

/** The volume a day later. */
export function changedBytes(bytes: Uint8Array, seed: number): Uint8Array<ArrayBuffer> {
  const below = numbers(seed)
  const changed = new Uint8Array(bytes)
  for (let change = 0; change < 4; change++) {
    const at = below(changed.length - 9000)
    if (change % 2 === 0) changed.set(noise(seed + change, 5000), at)
    else changed.fill(0, at, at + 9000)
  }
  return changed
}
