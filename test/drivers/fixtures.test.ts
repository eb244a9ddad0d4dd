/**
 * The seven sets of backups that Cinder 29.0.0 made, made again by our drivers with the same clock and ids: the same names, the same
 * `_metadata` and `_sha256file` byte for byte, the same bytes in each object once it is decoded.
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { createDirectoryObjects } from '../../adapters/node/object-store.ts'
import type { BackupContext } from '../../src/contract/backup-context.ts'
import type { ObjectStore } from '../../src/contract/object-store.ts'
import type { BackupRecord, VolumeRecord } from '../../src/contract/records.ts'
import { S3BackupDriver, SwiftBackupDriver } from '../../src/drivers/object-storage.ts'
import { PosixBackupDriver } from '../../src/drivers/posix.ts'
import { HAS_BZIP2, naiveRead } from '../cinder/support/naive.ts'
import { temporaryDirectory } from '../repository/support/volumes.ts'
import { backupRecord } from '../suites/database/records.ts'
import { driverSetup, same } from './support.ts'

const root = fileURLToPath(new URL('../../../shared/cinder/fixtures', import.meta.url))

interface Step {
  backup_id: string
  container: string | null
  options: Record<string, string>
  parent_id: string | null
  record: string
  time: string
  volume: { bytes: number; recipe: [number, number, string][]; recipe_on: string; sha256: string }
  volume_args: string[]
}

/** `expected.json` says how to read it: shared/cinder/README.md. */
function paint(before: Uint8Array, { bytes, recipe, recipe_on }: Step['volume']): Uint8Array {
  const volume = new Uint8Array(bytes)
  if (recipe_on !== 'zeros') volume.set(before.subarray(0, bytes))
  for (const [offset, length, fill] of recipe) volume.set(filling(fill, length), offset)
  return volume
}

function filling(fill: string, length: number): Uint8Array {
  if (fill === 'zero') return new Uint8Array(length)
  if (fill.startsWith('byte:')) return new Uint8Array(length).fill(Number(fill.slice(5)))
  if (fill === 'text') return Buffer.alloc(length, 'The quick brown fox jumps over the lazy dog. 0123456789\n')
  const parts: Buffer[] = []
  for (let part = 0; part * 32 < length; part++)
    parts.push(
      createHash('sha256')
        .update(`${fill.slice(5)}:${part}`)
        .digest(),
    )
  return Buffer.concat(parts).subarray(0, length)
}

/** The volume's row as it was when Cinder saved its columns. */
function volumeOf(base: Record<string, unknown>): VolumeRecord {
  const own: Record<string, keyof VolumeRecord> = {
    id: 'id',
    user_id: 'userId',
    project_id: 'projectId',
    snapshot_id: 'snapshotId',
    host: 'host',
    size: 'size',
    availability_zone: 'availabilityZone',
    status: 'status',
    display_name: 'displayName',
    display_description: 'displayDescription',
    volume_type_id: 'volumeTypeId',
    encryption_key_id: 'encryptionKeyId',
    bootable: 'bootable',
    previous_status: 'previousStatus',
    created_at: 'createdAt',
    updated_at: 'updatedAt',
  }
  const volume: Record<string, unknown> = { others: Object.fromEntries(Object.entries(base).filter(([name]) => !(name in own))) }
  for (const [name, field] of Object.entries(own)) volume[field] = name.endsWith('_at') && base[name] !== null ? `${String(base[name])}Z` : base[name]
  return volume as unknown as VolumeRecord
}

const files = (directory: string): string[] =>
  readdirSync(directory).flatMap((name) => (statSync(join(directory, name)).isDirectory() ? files(join(directory, name)) : [join(directory, name)]))

describe.skipIf(!existsSync(root))('a backup of the same volume is what Cinder wrote', () => {
  const names = existsSync(root) ? readdirSync(root) : []
  it('in seven sets', () => expect(names).toHaveLength(7))

  it.each(names.filter((name) => HAS_BZIP2 || !name.endsWith('bz2')))('%s', async (name) => {
    const { driver: kind, steps } = JSON.parse(readFileSync(join(root, name, 'expected.json'), 'utf8')) as { driver: 'posix' | 's3' | 'swift'; steps: Step[] }
    const [first] = steps as [Step]
    let now = 0
    const mine = temporaryDirectory()
    const theirs = join(root, name, 'store')
    const makeDriver = (context: BackupContext, store: ObjectStore) => {
      const { compression, 'file-size': objectBytes, 'block-size': blockBytes } = first.options
      const options = { store, compression, objectBytes: Number(objectBytes), blockBytes: Number(blockBytes) }
      return new { posix: PosixBackupDriver, s3: S3BackupDriver, swift: SwiftBackupDriver }[kind](context, options)
    }
    const setup = await driverSetup({
      store: createDirectoryObjects(mine),
      driver: makeDriver,
      context: { now: () => now, availabilityZone: first.options['az'] ?? 'nova' },
    })
    let volume: Uint8Array = new Uint8Array(0)
    let parent: BackupRecord | undefined
    for (const step of steps) {
      volume = paint(volume, step.volume)
      expect(createHash('sha256').update(volume).digest('hex'), 'the recipe is read right').toBe(step.volume.sha256)
      const row = (JSON.parse(readFileSync(join(root, name, step.record), 'utf8')) as { backup: Record<string, string> }).backup
      const { container, service_metadata: prefix } = row as { container: string; service_metadata: string }
      const manifest = readFileSync(join(theirs, container, `${prefix}_metadata`))
      const { volume_meta: volumeMeta, created_at: createdAt } = JSON.parse(manifest.toString()) as { volume_meta: string | null; created_at: string }
      await prepareVolume(setup, row['volume_id'] as string, volumeMeta)
      // Prefixes have the second in which the backup began; rows, when they were made.
      now = Date.parse(/_?(\d{14})[_/]/.exec(prefix.replace(row['volume_id'] as string, ''))![1]!.replace(/(....)(..)(..)(..)(..)(..)/, '$1-$2-$3T$4:$5:$6Z'))
      const backup = await setup.backUp(volume, {
        backupMetadata: volumeMeta !== null,
        ...(parent ? { parent } : {}),
        row: backupRecord({
          id: step.backup_id,
          volumeId: row['volume_id'] as string,
          parentId: step.parent_id,
          container: step.container,
          displayName: row['display_name'] as string,
          displayDescription: row['display_description'] as string,
          createdAt: `${createdAt.slice(0, 10)}T${createdAt.slice(11, 19)}${/\.\d+/.exec(createdAt)?.[0] ?? '.000'}Z`,
        }),
      })
      expect([backup.container, backup.serviceMetadata, backup.objectCount]).toEqual([container, prefix, row['object_count']])
      parent = backup
      for (const suffix of ['_metadata', '_sha256file'])
        expect(readFileSync(join(mine, container, prefix + suffix), 'utf8'), suffix).toBe(readFileSync(join(theirs, container, prefix + suffix), 'utf8'))
      const [ours, cinders] = [await naiveRead(setup.store, container, prefix), await naiveRead(createDirectoryObjects(theirs), container, prefix)]
      for (const [index, { name: object, plain }] of cinders.objects.entries()) expect(same(ours.objects[index]!.plain, plain), object).toBe(true)
    }
    const below = (directory: string) =>
      files(directory)
        .map((path) => path.slice(directory.length + 1))
        .sort()
    expect(below(mine)).toEqual(below(theirs))
  })
})

async function prepareVolume({ database }: Awaited<ReturnType<typeof driverSetup>>, volumeId: string, volumeMeta: string | null): Promise<void> {
  const saved = volumeMeta === null ? undefined : (JSON.parse(volumeMeta) as Record<string, Record<string, string>>)
  await database.deleteVolume(volumeId).catch(() => {})
  await database.createVolume(volumeOf({ ...PLAIN, id: volumeId, ...saved?.['volume-base-metadata'] }))
  await database.updateVolumeMetadata(volumeId, saved?.['volume-metadata'] ?? {})
  await database.replaceVolumeGlanceMetadata(volumeId, saved?.['volume-glance-metadata'] ?? {})
}

const PLAIN = {
  user_id: '',
  project_id: '',
  snapshot_id: null,
  host: null,
  size: 1,
  availability_zone: null,
  status: 'backing-up',
  display_name: null,
  display_description: null,
  volume_type_id: null,
  encryption_key_id: null,
  bootable: false,
  previous_status: null,
  created_at: '2024-01-01T00:00:00.000',
  updated_at: null,
}
