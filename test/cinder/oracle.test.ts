/**
 * Beside the real Cinder: it restores what our drivers wrote, we restore what it wrote on top of ours, and export records are read both
 * ways. Skipped, with the reason in its title, where Cinder is not installed.
 */
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type BackupRecord,
  type BackupService,
  createBackupContext,
  createBackupService,
  type OwnedBackupContext,
  PosixBackupDriver,
  S3BackupDriver,
  SwiftBackupDriver,
  volumeRecord,
} from '../../adapters/node/cinder.ts'
import { createDirectoryObjects } from '../../adapters/node/object-store.ts'
import { cinderFields } from '../../src/cinder/export-record.ts'
import { createMemoryDatabase } from '../../src/database/memory.ts'
import { noise, numbers, SEED, text } from '../repository/support/random.ts'
import { oracle, type OracleError, oracleMissing } from './oracle.ts'

const BLOCK_BYTES = 4096
const OBJECT_BYTES = 10 * BLOCK_BYTES
const VOLUME = '3f1c2a44-0000-4000-8000-00000000abcd'
const SERVICES = {
  posix: 'cinder.backup.drivers.posix.PosixBackupDriver',
  s3: 'cinder.backup.drivers.s3.S3BackupDriver',
  swift: 'cinder.backup.drivers.swift.SwiftBackupDriver',
} as const
type Driver = keyof typeof SERVICES
const COMPRESSIONS = ['none', 'zlib', 'bz2', 'zstd'] as const

const folder = mkdtempSync(join(tmpdir(), 'blockvault-oracle-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A store with one volume, our service, and the states that the volume had. */
interface Place {
  driver: Driver
  store: string
  volume: string
  context: OwnedBackupContext
  service: BackupService
  close(): Promise<void>
}

async function openPlace(name: string, driver: Driver, compression: (typeof COMPRESSIONS)[number]): Promise<Place> {
  const root = join(folder, name)
  const [store, volume] = [join(root, 'store'), join(root, 'volume.img')]
  mkdirSync(store, { recursive: true })
  const database = createMemoryDatabase()
  const context = await createBackupContext({ database, workers: 2 })
  const options = { store: createDirectoryObjects(store), compression, objectBytes: OBJECT_BYTES, blockBytes: BLOCK_BYTES }
  const drivers = {
    posix: () => new PosixBackupDriver(context, options),
    s3: () => new S3BackupDriver(context, options),
    swift: () => new SwiftBackupDriver(context, options),
  }
  const service = createBackupService({
    context,
    drivers: { [SERVICES[driver]]: drivers[driver]() },
    host: 'oracle',
    resolveVolume: (record) => (record.id === VOLUME ? volume : join(root, `${record.id}.img`)),
  })
  const names = { displayName: 'vöel “1”', displayDescription: 'back\\slash\nand line' }
  await database.createVolume(volumeRecord({ id: VOLUME, size: 1, ...names, createdAt: '2024-01-10T00:05:09.000Z' }))
  await database.updateVolumeMetadata(VOLUME, { purpose: 'tést' })
  await database.replaceVolumeGlanceMetadata(VOLUME, { image_id: 'i' })
  const close = async () => {
    await service.close()
    await context.close()
    await options.store.close()
  }
  return { driver, store, volume, context, service, close }
}

/** The volume's first state and three later ones: changed runs over read boundaries, new zeros over old data, a short last block. */
function states(seed: number): Uint8Array[] {
  const below = numbers(seed)
  const length = 20 * OBJECT_BYTES + 1234
  let bytes = new Uint8Array(length)
  const paint = (content: Uint8Array) => bytes.set(content, below(length - content.length))
  for (let run = 0; run < 12; run++) paint((run % 2 === 0 ? noise : text)(seed + run, 1 + below(2 * OBJECT_BYTES)))
  const all = [bytes]
  for (let step = 1; step <= 3; step++) {
    bytes = bytes.slice()
    for (let run = 0; run < 4; run++) paint(noise(seed + 100 * step + run, 1 + below(3 * BLOCK_BYTES)))
    paint(new Uint8Array(1 + below(2 * OBJECT_BYTES)))
    if (step === 2) bytes.set(noise(seed, 10), length - 10)
    all.push(bytes)
  }
  return all
}

/** The rows as the oracle takes them: this backup, and its ancestors, nearest first. */
async function recordFile({ service, driver }: Place, backup: BackupRecord): Promise<string> {
  const parents: BackupRecord[] = []
  for (let id = backup.parentId; id !== null; id = parents.at(-1)?.parentId ?? null) parents.push(await service.show(id))
  const path = join(folder, `${backup.id}.json`)
  const document = { format: 'cinder-oracle-record/1', driver, options: {}, backup: cinderFields(backup), parents: parents.map(cinderFields) }
  writeFileSync(path, JSON.stringify(document))
  return path
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** Cinder's restore of one of our backups, to a new volume or over one full of other bytes. */
async function cinderRestores(place: Place, backup: BackupRecord, size: number, isNew: boolean) {
  const out = join(folder, `${backup.id}-${isNew ? 'new' : 'over'}.img`)
  if (!isNew) writeFileSync(out, new Uint8Array(size).fill(0xee))
  const args = ['restore', '--driver', place.driver, '--record', await recordFile(place, backup), '--store', place.store, '--out', out]
  const answer = await oracle<{ sha256: string; volume: { display_name: string; metadata: object; glance_metadata: object } }>([
    ...args,
    ...(isNew ? ['--new', '--size', String(size)] : []),
  ])
  rmSync(out, { force: true })
  return answer
}

describe.skipIf(oracleMissing !== undefined)(`the real Cinder (seed ${SEED})${oracleMissing === undefined ? '' : ` — skipped: ${oracleMissing}`}`, () => {
  const wanted = states(SEED)
  const volumeBytes = (wanted[0] as Uint8Array).length

  describe.each(COMPRESSIONS)('restores what our posix driver wrote with %s:', (compression) => {
    let place: Place
    const backups: BackupRecord[] = []
    beforeAll(async () => {
      place = await openPlace(`posix-${compression}`, 'posix', compression)
      for (const [step, bytes] of wanted.entries()) {
        writeFileSync(place.volume, bytes)
        backups.push(await place.service.create({ volumeId: VOLUME, incremental: step > 0, name: `step ${step}` }))
      }
    }, 60_000)
    afterAll(() => place.close())

    it('a full backup and three incrementals, to a new volume and over an old one', async () => {
      const answers = await Promise.all(
        backups.flatMap((backup) => [cinderRestores(place, backup, volumeBytes, true), cinderRestores(place, backup, volumeBytes, false)]),
      )
      expect(answers.map((answer) => answer.sha256)).toEqual(wanted.flatMap((bytes) => [sha256(bytes), sha256(bytes)]))
      const metadata = { display_name: 'vöel “1”', metadata: { purpose: 'tést' }, glance_metadata: { image_id: 'i' } }
      for (const { volume } of answers) expect(volume).toMatchObject(metadata)
    }, 120_000)

    it('as the service here does', async () => {
      for (const [step, backup] of backups.entries()) {
        writeFileSync(place.volume, new Uint8Array(volumeBytes).fill(0xee))
        await place.service.restore(backup.id, { volumeId: VOLUME })
        expect(sha256(readFileSync(place.volume))).toBe(sha256(wanted[step] as Uint8Array))
      }
    }, 60_000)
  })

  it.each(['s3', 'swift'] as const)(
    'restores a chain that our %s driver wrote',
    async (driver) => {
      const place = await openPlace(driver, driver, 'zlib')
      try {
        for (const [step, bytes] of wanted.slice(0, 2).entries()) {
          writeFileSync(place.volume, bytes)
          const backup = await place.service.create({ volumeId: VOLUME, incremental: step > 0 })
          expect(await cinderRestores(place, backup, volumeBytes, false)).toMatchObject({ sha256: sha256(bytes) })
        }
      } finally {
        await place.close()
      }
    },
    60_000,
  )

  it('makes an incremental on top of our full backup, which we restore; records go both ways', async () => {
    const place = await openPlace('mixed', 'posix', 'zstd')
    try {
      const [first, second] = wanted as [Uint8Array, Uint8Array]
      writeFileSync(place.volume, first)
      const full = await place.service.create({ volumeId: VOLUME })

      // Our record, imported by Cinder.
      const ours = join(folder, 'ours.json')
      writeFileSync(ours, JSON.stringify(await place.service.exportRecord(full.id)))
      const imported = await oracle<{ backup: Record<string, unknown> }>(['import', '--file', ours, '--record', join(folder, 'imported.json')])
      expect(imported.backup).toMatchObject({
        id: full.id,
        volume_id: VOLUME,
        container: full.container,
        service_metadata: full.serviceMetadata,
        status: 'available',
      })

      // Cinder's incremental on it, and its record, imported by us.
      const next = join(folder, 'next.img')
      writeFileSync(next, second)
      const theirs = join(folder, 'theirs.json')
      const settings = ['--compression', 'zlib', '--file-size', String(OBJECT_BYTES), '--block-size', String(BLOCK_BYTES)]
      const parent = ['--parent', await recordFile(place, full)]
      const made = await oracle<{ id: string }>(['backup', '--volume', next, '--store', place.store, '--record', theirs, ...settings, ...parent])
      const exported = await oracle<{ 'backup-record': { backup_service: string; backup_url: string } }>(['export', '--record', theirs])
      const row = await place.service.importRecord(exported['backup-record'])
      expect(row).toMatchObject({ id: made.id, parentId: full.id, status: 'available' })
      copyFileSync(next, place.volume)
      writeFileSync(place.volume, new Uint8Array(volumeBytes).fill(0xee))
      await place.service.restore(row.id, { volumeId: VOLUME })
      expect(sha256(readFileSync(place.volume))).toBe(sha256(second))

      // And what is broken, Cinder says in its own way: the helper passes exceptions on.
      expect(await oracle<OracleError>(['import', '--url', '%', '--service', SERVICES.posix])).toMatchObject({ error: 'InvalidInput' })
    } finally {
      await place.close()
    }
  }, 60_000)
})
