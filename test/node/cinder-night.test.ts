/**
 * Nights of a backup service as a program embeds it: a SQLite file, an encrypted repository in a directory, volumes that are files, worker
 * threads. It is restarted, killed and loses its database.
 */
import { copyFileSync, statSync, truncateSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createBackupContext, createBackupService, type ExportRecord, RepositoryBackupDriver, type VolumeRecord } from '../../adapters/node/cinder.ts'
import { openDatabase } from '../../adapters/node/database.ts'
import { openRepository } from '../../adapters/node/index.ts'
import { volumeRecord } from '../suites/database/records.ts'
import { allocatedBytes, compare, MIB, noise, overwrite, printedSeed, randomNumbers } from './content.ts'
import { DIST, startProgram } from './embedder.ts'
import { type Workplace, workplace } from './workplace.ts'

const GIB = 1024 * MIB
const VOLUME_BYTES = 64 * MIB
const SERVICE = 'blockvault.drivers.RepositoryBackupDriver'
const KEY = new Uint8Array(32).fill(7)

/** Everything that a process has, from what stands on disk. */
async function started(place: Workplace, database = place.path('rows.db')) {
  const rows = await openDatabase({ path: database })
  const context = await createBackupContext({ database: rows, workers: 2 })
  const repository = await openRepository({ repository: place.path('repository'), credentials: { key: KEY }, create: true, workers: 2 })
  const service = createBackupService({
    context,
    drivers: { [SERVICE]: new RepositoryBackupDriver(context, { repository }) },
    host: 'host-1',
    resolveVolume: ({ id }) => place.path(id),
  })
  const stop = async () => {
    await service.close()
    await repository.close()
    await context.close()
    await rows.close()
  }
  return { service, rows, repository, stop }
}

/** A volume that is mostly holes. Its row says 1 GiB, the least there is; the tests need not be that patient. */
async function addVolume(place: Workplace, { rows }: { rows: Awaited<ReturnType<typeof openDatabase>> }, seed: number): Promise<VolumeRecord> {
  const volume = volumeRecord({ size: 1, displayName: `volume ${seed}` })
  await rows.createVolume(volume)
  place.file(volume.id, noise(seed, 20 * MIB))
  truncateSync(place.path(volume.id), VOLUME_BYTES)
  return volume
}

describe('a backup service with a repository', () => {
  it('restores each night after restarts, over used volumes, and when its database is lost', { timeout: 180_000 }, async () => {
    const place = workplace()
    let process = await started(place)
    const volume = await addVolume(place, process, 1)
    await process.rows.updateVolumeMetadata(volume.id, { owner: 'somebody' })
    const monday = await process.service.create({ volumeId: volume.id, name: 'monday' })
    copyFileSync(place.path(volume.id), place.path('monday'))
    overwrite(place.path(volume.id), 10 * MIB + 5, noise(2, 3 * MIB))
    overwrite(place.path(volume.id), 5 * MIB, new Uint8Array(2 * MIB))
    const tuesday = await process.service.create({ volumeId: volume.id, name: 'tuesday', incremental: true })
    expect(tuesday).toMatchObject({ parentId: monday.id, status: 'available', container: process.repository.id, serviceMetadata: tuesday.id })
    expect((await process.repository.show(tuesday.id)).newBytes).toBeLessThan(4 * MIB)
    await process.stop()

    process = await started(place)
    const { volumeId: fresh } = await process.service.restore(monday.id)
    compare(place.path(fresh), place.path('monday'), '-n', String(VOLUME_BYTES))
    expect(statSync(place.path(fresh)).size).toBe(GIB)
    expect(allocatedBytes(place.path(fresh))).toBeLessThan(30 * MIB)
    expect(await process.rows.volumeMetadata(fresh)).toMatchObject({ owner: 'somebody', src_backup_id: monday.id })

    const used = await addVolume(place, process, 3)
    overwrite(place.path(used.id), VOLUME_BYTES - MIB, noise(4, MIB))
    await process.service.restore(tuesday.id, { volumeId: used.id })
    compare(place.path(used.id), place.path(volume.id))

    await expect(process.service.delete(monday.id)).rejects.toMatchObject({ code: 'InvalidBackup' })
    const records: ExportRecord[] = JSON.parse(JSON.stringify([await process.service.exportRecord(monday.id), await process.service.exportRecord(tuesday.id)]))
    await process.stop()

    process = await started(place, place.path('new-rows.db'))
    for (const record of records) await process.service.importRecord(record)
    // Records tell the second of a backup, and both may be of the same one: no order then.
    expect((await process.service.list()).map(({ displayName, parentId }) => [displayName, parentId]).sort()).toEqual([
      ['monday', null],
      ['tuesday', monday.id],
    ])
    const { volumeId: again } = await process.service.restore(tuesday.id)
    compare(place.path(again), place.path(volume.id), '-n', String(VOLUME_BYTES))
    await process.service.delete(tuesday.id)
    await process.service.delete(monday.id)
    expect(await process.repository.list()).toEqual([])
    await process.stop()
  })

  it('that is killed at any moment of a backup has it in error or whole after a restart, and goes on', { timeout: 180_000 }, async () => {
    const random = randomNumbers(printedSeed('moments of kill -9'))
    const place = workplace()
    let process = await started(place)
    const volume = await addVolume(place, process, 5)
    const first = await process.service.create({ volumeId: volume.id })
    await process.stop()
    const module = (name: string) => JSON.stringify(new URL(name, DIST).href)
    const program = `
      import { openRepository } from ${module('index.js')}
      import { openDatabase } from ${module('database.js')}
      import { createBackupContext, createBackupService, RepositoryBackupDriver } from ${module('cinder.js')}
      const database = await openDatabase({ path: ${JSON.stringify(place.path('rows.db'))} })
      const context = await createBackupContext({ database, workers: 1 })
      const repository = await openRepository({ repository: ${JSON.stringify(place.path('repository'))}, credentials: { key: new Uint8Array(32).fill(7) }, workers: 1 })
      const service = createBackupService({
        context,
        drivers: { ${JSON.stringify(SERVICE)}: new RepositoryBackupDriver(context, { repository }) },
        host: 'host-1',
        resolveVolume: ({ id }) => ${JSON.stringify(place.directory)} + '/' + id,
      })
      console.log('begins')
      await service.create({ volumeId: ${JSON.stringify(volume.id)} })
      console.log('done')
      process.exit()`
    let cut = 0
    for (let round = 0; round < 6; round++) {
      overwrite(place.path(volume.id), 0, noise(100 + round, 20 * MIB))
      const killed = startProgram(place, program)
      await killed.said('stdout', /begins/)
      await sleep(random() * 700)
      killed.signal('SIGKILL')
      await killed.answer

      process = await started(place)
      const before = await process.service.list()
      const recovered = await process.service.recover()
      const unfinished = before.filter(({ status }) => status === 'creating')
      cut += unfinished.length
      expect(recovered.map(({ backupId, became }) => [backupId, became])).toEqual(unfinished.map(({ id }) => [id, 'error']))
      for (const { id, status } of await process.service.list()) {
        if (status === 'error') await process.service.delete(id)
        else expect(status).toBe('available')
      }
      const rows = (await process.service.list()).map(({ id }) => id).sort()
      expect((await process.repository.list()).map(({ id }) => id).sort()).toEqual(rows)
      expect((await process.rows.volume(volume.id)).status).toBe('available')
      const next = await process.service.create({ volumeId: volume.id })
      const target = await addVolume(place, process, 6)
      await process.service.restore(next.id, { volumeId: target.id })
      compare(place.path(target.id), place.path(volume.id))
      await process.stop()
    }
    expect(cut).toBeGreaterThan(0)
    process = await started(place)
    expect((await process.service.show(first.id)).status).toBe('available')
    expect((await process.repository.verify({ readData: true })).errors).toEqual([])
    await process.stop()
  })
})
