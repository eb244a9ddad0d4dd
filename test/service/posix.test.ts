/** The service over real files, as an embedding program has it: `blockvault/cinder`, a posix driver, volumes that are paths. */
import { closeSync, existsSync, openSync, readdirSync, readSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createBackupContext, createBackupService, createDirectoryObjects, PosixBackupDriver } from '../../adapters/node/cinder.ts'
import type { Database } from '../../src/contract/database.ts'
import { createMemoryDatabase } from '../../src/database/memory.ts'
import { noise, text } from '../repository/support/random.ts'
import { coded } from '../repository/support/repositories.ts'
import { temporaryDirectory } from '../repository/support/volumes.ts'
import { volumeRecord } from '../suites/database/records.ts'
import { errorOf, MIB } from './support.ts'

const SERVICE = 'cinder.backup.drivers.posix.PosixBackupDriver'
const GIB = 1024 * MIB

/** A program with a directory of volumes, named by their ids. */
async function program({
  root = temporaryDirectory(),
  database = createMemoryDatabase(),
  host = 'host-1',
}: {
  root?: string
  database?: Database
  host?: string
} = {}) {
  const volumes = temporaryDirectory()
  const context = await createBackupContext({ database, workers: 0, userId: 'user', projectId: 'project' })
  const store = createDirectoryObjects(root)
  const problems: unknown[] = []
  const service = createBackupService({
    context,
    host,
    drivers: { [SERVICE]: new PosixBackupDriver(context, { store, objectBytes: MIB, blockBytes: 4096, compression: 'zlib' }) },
    resolveVolume: ({ id }) => join(volumes, id),
    onProblem: (problem) => problems.push(problem),
  })
  return {
    root,
    database,
    service,
    context,
    problems,
    path: (id: string) => join(volumes, id),
    async addVolume(bytes: Uint8Array) {
      const volume = volumeRecord({ size: 1, userId: 'user', projectId: 'project' })
      await database.createVolume(volume)
      writeFileSync(join(volumes, volume.id), bytes)
      return volume
    },
    objects: () =>
      readdirSync(root, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => name),
  }
}

/** True when the file begins with the bytes: a restored volume is a GiB long, most of it a hole. */
function same(path: string, bytes: Uint8Array): boolean {
  const file = openSync(path, 'r')
  try {
    const found = new Uint8Array(bytes.length)
    return readSync(file, found, 0, bytes.length, 0) === bytes.length && Buffer.compare(found, bytes) === 0
  } finally {
    closeSync(file)
  }
}

describe('a service over a posix driver', () => {
  it('backs up, adds an increment, restores both to new and existing volumes, and deletes without a trace', async () => {
    const { service, context, addVolume, path, database, objects, problems } = await program()
    const first = new Uint8Array([...noise(1, 2 * MIB + 4096), ...text(2, MIB)])
    const volume = await addVolume(first)
    await database.updateVolumeMetadata(volume.id, { owner: 'élève' })
    const full = await service.create({ volumeId: volume.id, name: 'full' })
    expect(full).toMatchObject({ status: 'available', objectCount: 4, container: `${full.id.slice(0, 2)}/${full.id.slice(2, 4)}/${full.id}` })

    const second = first.slice()
    second.fill(0, MIB, MIB + 8192)
    writeFileSync(path(volume.id), second)
    const increment = await service.create({ volumeId: volume.id, incremental: true })
    expect(increment).toMatchObject({ parentId: full.id, objectCount: 1 })

    const { volumeId } = await service.restore(increment.id)
    expect(statSync(path(volumeId)).size).toBe(GIB)
    expect(same(path(volumeId), second)).toBe(true)
    expect(await database.volume(volumeId)).toMatchObject({ status: 'available', displayName: volume.displayName })
    expect(await database.volumeMetadata(volumeId)).toEqual({ owner: 'élève', src_backup_id: increment.id })
    await service.restore(full.id, { volumeId: volume.id })
    expect(same(path(volume.id), first)).toBe(true)

    await expect(service.delete(full.id)).rejects.toEqual(coded('InvalidBackup'))
    await service.delete(increment.id)
    await service.delete(full.id)
    expect(objects()).toEqual([])
    expect(problems).toEqual([])
    await context.close()
  })

  it('hands a chain over to a service with another database by its records', async () => {
    const ours = await program()
    const bytes = noise(3, 3 * MIB)
    const volume = await ours.addVolume(bytes)
    const full = await ours.service.create({ volumeId: volume.id })
    bytes[5] = 1 ^ (bytes[5] as number)
    writeFileSync(ours.path(volume.id), bytes)
    const increment = await ours.service.create({ volumeId: volume.id, incremental: true })
    const theirs = await program({ root: ours.root, host: 'host-2' })
    for (const { id } of [increment, full]) await theirs.service.importRecord(await ours.service.exportRecord(id))
    expect(await theirs.service.show(increment.id)).toMatchObject({ host: 'host-2', parentId: full.id, volumeId: volume.id, status: 'available' })
    const { volumeId } = await theirs.service.restore(increment.id)
    expect(same(theirs.path(volumeId), bytes)).toBe(true)
    await ours.context.close()
    await theirs.context.close()
  })

  it('that is cancelled or fails leaves no object and no half of a new volume that counts as whole', async () => {
    const { service, context, addVolume, path, objects, database, problems } = await program()
    const volume = await addVolume(noise(4, 40 * MIB))
    const controller = new AbortController()
    const created = service.create({ volumeId: volume.id, signal: controller.signal, onProgress: ({ doneBytes }) => doneBytes > 0 && controller.abort() })
    expect(await errorOf(created)).toEqual(coded('CANCELLED'))
    expect(objects()).toEqual([])
    expect((await service.list()).map(({ status }) => status)).toEqual(['error'])

    const deletes: Promise<void>[] = []
    const id = crypto.randomUUID()
    const deleted = service.create({
      volumeId: volume.id,
      id,
      onProgress: ({ doneBytes }) => doneBytes > 0 && deletes.length === 0 && deletes.push(service.delete(id, { force: true })),
    })
    expect(await errorOf(deleted)).toEqual(coded('CANCELLED'))
    await Promise.all(deletes)
    expect(objects()).toEqual([])

    const backup = await service.create({ volumeId: volume.id })
    const restored = service.restore(backup.id, { onProgress: ({ doneBytes }) => doneBytes > 0 && void database.updateBackup(backup.id, { status: 'error' }) })
    expect(await errorOf(restored)).toEqual(coded('BackupRestoreCancel'))
    const { restoreVolumeId, status } = await database.backup(backup.id)
    expect(status).toBe('available')
    expect((await database.volume(restoreVolumeId as string)).status).toBe('error')
    expect(existsSync(path(restoreVolumeId as string))).toBe(true)
    expect(problems).toEqual([])
    await context.close()
  })

  it('whose process died removes the objects of what was not finished', async () => {
    const { service, context, addVolume, root, objects, database } = await program()
    const volume = await addVolume(noise(5, 2 * MIB))
    const done = await service.create({ volumeId: volume.id })
    const before = objects().sort()
    // What a dead process leaves: a row in creating, and objects whose names its prefix tells.
    const prefix = `volume_${volume.id}_20260101000000_backup_${'0'.repeat(8)}-0000-4000-8000-${'0'.repeat(12)}`
    const dead = { ...done, id: `${'0'.repeat(8)}-0000-4000-8000-${'0'.repeat(12)}`, status: 'creating' as const, serviceMetadata: prefix }
    await database.createBackup(dead)
    await database.updateVolume(volume.id, { status: 'backing-up', previousStatus: 'available' })
    for (const name of ['-00001', '-00002', '_sha256file']) writeFileSync(join(root, done.container as string, prefix + name), 'left behind')
    expect(await service.recover()).toEqual([{ backupId: dead.id, was: 'creating', became: 'error' }])
    expect(objects().sort()).toEqual(before)
    expect((await database.volume(volume.id)).status).toBe('available')
    await context.close()
  })
})
