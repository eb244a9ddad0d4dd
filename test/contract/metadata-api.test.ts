/** The volume metadata container, held against what Cinder 29.0.0 answered (`probes-29.0.0.txt`, quoted here and read where it is). */
import { describe, expect, it } from 'vitest'
import { BackupMetadataAPI } from '../../src/contract/backup-metadata-api.ts'
import type { Database } from '../../src/contract/database.ts'
import type { VolumeRecord } from '../../src/contract/records.ts'
import { coded } from '../repository/support/repositories.ts'
import { volumeRecord } from '../suites/database/records.ts'
import { memoryContext, PROJECT, shared, USER } from './support.ts'

const TYPE = '00000000-0000-4000-8000-0000000000aa'
const probes = shared('cinder/probes-29.0.0.txt')

/** What follows a probe's name on its line. */
function probe(name: string): string | undefined {
  return probes
    ?.split('\n')
    .find((line) => line.startsWith(name.padEnd(44)))
    ?.slice(Math.max(45, name.length + 1))
}

const GET =
  '{"version": 2, "volume-base-metadata": {"id": "fc040099-6054-429b-b2bc-34e73667a756", "_name_id": null, "use_quota": true, "ec2_id": null, "user_id": "00000000-0000-4000-8000-0000000000bb", "project_id": "00000000-0000-4000-8000-0000000000cc", "snapshot_id": null, "cluster_name": null, "host": "oracle@file#file", "size": 1, "availability_zone": "nova", "status": "backing-up", "attach_status": "detached", "migration_status": null, "scheduled_at": null, "launched_at": null, "terminated_at": null, "display_name": "n", "display_description": null, "provider_location": null, "provider_auth": null, "provider_geometry": null, "provider_id": null, "volume_type_id": "00000000-0000-4000-8000-0000000000aa", "source_volid": null, "encryption_key_id": null, "consistencygroup_id": null, "group_id": null, "bootable": false, "multiattach": false, "replication_status": null, "replication_extended_status": null, "replication_driver_data": null, "previous_status": "available", "service_uuid": null, "shared_targets": true, "deleted_at": null, "deleted": false, "created_at": "2024-01-01T00:00:00.000000", "updated_at": null}, "volume-metadata": {"a": "b"}, "volume-glance-metadata": {"g": "1"}}'
/** Columns that have no field of their own here. */
const OTHERS = {
  deleted: false,
  deleted_at: null,
  // biome-ignore format: one list
  ...Object.fromEntries(['_name_id', 'ec2_id', 'cluster_name', 'migration_status', 'scheduled_at', 'launched_at', 'terminated_at', 'provider_location', 'provider_auth', 'provider_geometry', 'provider_id', 'source_volid', 'consistencygroup_id', 'group_id', 'replication_status', 'replication_extended_status', 'replication_driver_data', 'service_uuid'].map((name) => [name, null])),
  use_quota: true,
  attach_status: 'detached',
  multiattach: false,
  shared_targets: true,
}

const target = (changes: Partial<VolumeRecord> = {}) =>
  volumeRecord({ size: 1, status: 'backing-up', displayName: null, volumeTypeId: TYPE, userId: USER, projectId: PROJECT, ...changes })

async function api(volume = target(), metadataVersion = 2) {
  const context = await memoryContext({ metadataVersion })
  await context.database.createVolume(volume)
  return { api: new BackupMetadataAPI(context), database: context.database, volume }
}

async function shown(database: Database, id: string) {
  const volume = await database.volume(id)
  return {
    bootable: volume.bootable,
    display_description: volume.displayDescription,
    display_name: volume.displayName,
    encryption_key_id: volume.encryptionKeyId,
    glance_metadata: (await database.volumeGlanceMetadata(id)) ?? {},
    id,
    metadata: await database.volumeMetadata(id),
    size: volume.size,
    status: volume.status,
    volume_type_id: volume.volumeTypeId,
  }
}

describe('the tags', () => {
  it('are seen on the class and on its instances', async () => {
    for (const place of [BackupMetadataAPI, (await api()).api]) {
      expect(place.TYPE_TAG_VOL_BASE_META).toBe('volume-base-metadata')
      expect(place.TYPE_TAG_VOL_META).toBe('volume-metadata')
      expect(place.TYPE_TAG_VOL_GLANCE_META).toBe('volume-glance-metadata')
    }
  })
})

describe('get', () => {
  it('writes every column as Cinder does, byte by byte', async () => {
    const volume = target({
      id: 'fc040099-6054-429b-b2bc-34e73667a756',
      host: 'oracle@file#file',
      displayName: 'n',
      previousStatus: 'available',
      createdAt: '2024-01-01T00:00:00Z',
      others: OTHERS,
    })
    const { api: metadata, database } = await api(volume)
    await database.updateVolumeMetadata(volume.id, { a: 'b' })
    await database.replaceVolumeGlanceMetadata(volume.id, { g: '1' })
    await database.updateVolume(volume.id, { updatedAt: null })
    expect(await metadata.get(volume.id)).toBe(GET)
    if (probes) expect(probe('metadata get')).toBe(GET)
  })

  it('leaves out what there is none of, and has the version of the context', async () => {
    const { api: metadata, volume } = await api(target(), 1)
    const container = JSON.parse(await metadata.get(volume.id))
    expect(Object.keys(container)).toEqual(['version', 'volume-base-metadata'])
    expect(container.version).toBe(1)
  })

  it('leaves out values that JSON can not carry, and no field of its own', async () => {
    const hostile = {
      a_function: () => 1,
      not_a_number: Number.NaN,
      nothing: undefined,
      a_map: new Map(),
      deep: nested(200),
      id: 'another',
      kept: [1.5, { x: null }],
    }
    const volume = target({ others: hostile })
    const context = await memoryContext()
    const metadata = new BackupMetadataAPI({
      ...context,
      database: { ...context.database, volume: async () => volume, volumeMetadata: async () => ({}), volumeGlanceMetadata: async () => undefined },
    })
    const base = JSON.parse(await metadata.get(volume.id))['volume-base-metadata']
    expect(base.id).toBe(volume.id)
    expect(base.kept).toEqual([1.5, { x: null }])
    for (const name of ['a_function', 'not_a_number', 'nothing', 'a_map', 'deep']) expect(base).not.toHaveProperty(name)
  })

  it('writes times with six digits and no zone', async () => {
    const { api: metadata, volume } = await api(target({ createdAt: '2026-01-02T03:04:05.678901Z', updatedAt: '2026-01-02T03:04:05.678Z' }))
    const base = JSON.parse(await metadata.get(volume.id))['volume-base-metadata']
    expect([base.created_at, base.updated_at]).toEqual(['2026-01-02T03:04:05.678901', '2026-01-02T03:04:05.678000'])
  })

  it('rejects with VolumeNotFound', async () => {
    await expect((await api()).api.get('absent')).rejects.toEqual(coded('VolumeNotFound'))
  })
})

/** The container that Cinder was given in the probes. */
const container = (version: unknown) => ({
  version,
  'volume-base-metadata': { display_name: 'src', display_description: 'sd', encryption_key_id: 'k1', volume_type_id: TYPE, size: 7 },
  'volume-metadata': { a: '1' },
  'volume-glance-metadata': { image_id: 'i' },
})

describe.each([1, 2])('put of version %i', (version) => {
  const restoredName = { display_name: 'src', display_description: 'sd' }
  it.each([
    ['mine', { display_name: 'mine', display_description: null }],
    ['restore_backup_x', restoredName],
    [null, restoredName],
  ])('onto the name %s', async (name, names) => {
    const { api: metadata, database, volume } = await api(target({ displayName: name }))
    await database.updateVolumeMetadata(volume.id, { old: '1' })
    await metadata.put(volume.id, JSON.stringify(container(version)))
    const after = { ...(await shown(database, volume.id)), id: '' }
    expect(after).toEqual({
      bootable: true,
      ...names,
      encryption_key_id: version === 2 ? 'k1' : null,
      glance_metadata: { image_id: 'i' },
      id: '',
      metadata: { a: '1' },
      size: 1,
      status: 'backing-up',
      volume_type_id: TYPE,
    })
    const cinder = probe(`metadata put v${version} onto name ${name ?? 'None'}`)
    if (probes) expect(after).toEqual({ ...JSON.parse(cinder as string).after, id: '' })
  })
})

describe('put', () => {
  it.each([3, 0, -1, 1.5, '2', null, [2], { x: 2 }])('refuses version %j', async (version) => {
    const { api: metadata, database, volume } = await api()
    const before = await shown(database, volume.id)
    await expect(metadata.put(volume.id, JSON.stringify(container(version)))).rejects.toEqual(coded('BackupMetadataUnsupportedVersion'))
    expect(await shown(database, volume.id)).toEqual(before)
    if (probes) for (const name of ['v3', "v'2'"]) expect(probe(`metadata put ${name} onto name mine`)).toContain('BackupMetadataUnsupportedVersion <')
  })

  it('makes a volume bootable by image metadata, even none, and takes old image metadata away', async () => {
    const { api: metadata, database, volume } = await api()
    await database.replaceVolumeGlanceMetadata(volume.id, { old: '1' })
    await metadata.put(volume.id, '{"version": 2, "volume-glance-metadata": {}}')
    expect(await shown(database, volume.id)).toMatchObject({ bootable: true, glance_metadata: {} })
    if (probes) expect(JSON.parse(probe('metadata put empty glance') as string).after).toMatchObject({ bootable: true, glance_metadata: {} })
  })

  it('ignores unknown tags', async () => {
    const { api: metadata, database, volume } = await api()
    const before = await shown(database, volume.id)
    await metadata.put(volume.id, '{"version": 2, "volume-of-a-cube": {"display_name": [[["x"]]]}}')
    expect(await shown(database, volume.id)).toEqual(before)
  })

  it('keeps the name when the backup has none, and the description with it', async () => {
    for (const name of [null, '']) {
      const { api: metadata, database, volume } = await api()
      await metadata.put(volume.id, JSON.stringify({ version: 2, 'volume-base-metadata': { display_name: name, display_description: 'd' } }))
      expect(await shown(database, volume.id)).toMatchObject({ display_name: null, display_description: null })
    }
  })

  it('writes only fields that the container has', async () => {
    const { api: metadata, database, volume } = await api(target({ displayName: 'mine', displayDescription: 'own', encryptionKeyId: 'k0' }))
    await metadata.put(volume.id, JSON.stringify({ version: 2, 'volume-base-metadata': { display_description: 'd' } }))
    expect(await shown(database, volume.id)).toMatchObject({ display_name: 'mine', display_description: 'd', encryption_key_id: 'k0', bootable: false })
  })

  it('takes every other user metadata away, and a value that is null is left out', async () => {
    const { api: metadata, database, volume } = await api()
    await database.updateVolumeMetadata(volume.id, { old: '1' })
    await metadata.put(volume.id, '{"version": 1, "volume-metadata": {"a": "1", "none": null}}')
    expect(await database.volumeMetadata(volume.id)).toEqual({ a: '1' })
  })
})

describe('put of an encrypted volume', () => {
  const encrypted = (volumeTypeId: string | null | undefined, key: string | null = 'k1') =>
    JSON.stringify({
      version: 2,
      'volume-base-metadata': { encryption_key_id: key, ...(volumeTypeId === undefined ? {} : { volume_type_id: volumeTypeId }) },
      'volume-metadata': { a: '1' },
    })

  it('refuses a volume of another type, and has changed nothing', async () => {
    const { api: metadata, database, volume } = await api()
    const before = await shown(database, volume.id)
    for (const type of ['other', null]) {
      const refused = expect.objectContaining({ code: 'EncryptedBackupOperationFailed', message: expect.stringContaining(`'${type}' is different than`) })
      await expect(metadata.put(volume.id, encrypted(type))).rejects.toEqual(refused)
      await expect(metadata.check(volume.id, encrypted(type))).rejects.toEqual(refused)
    }
    expect(await shown(database, volume.id)).toEqual(before)
  })

  it("gives a volume of no type the source's, which must exist", async () => {
    const { api: metadata, database, volume } = await api(target({ volumeTypeId: null }))
    await expect(metadata.put(volume.id, encrypted('luks'))).rejects.toEqual(coded('EncryptedBackupOperationFailed'))
    expect(await shown(database, volume.id)).toMatchObject({ encryption_key_id: null, volume_type_id: null, metadata: {} })
    await database.createVolumeType({ id: 'luks', name: 'LUKS' })
    await metadata.put(volume.id, encrypted('luks'))
    expect(await shown(database, volume.id)).toMatchObject({ encryption_key_id: 'k1', volume_type_id: 'luks', metadata: { a: '1' } })
  })

  it('lets a null key through, and writes it', async () => {
    const { api: metadata, database, volume } = await api(target({ encryptionKeyId: 'k0' }))
    await metadata.put(volume.id, encrypted('other', null))
    expect(await shown(database, volume.id)).toMatchObject({ encryption_key_id: null, volume_type_id: TYPE })
  })

  it('refuses a key without a type', async () => {
    const { api: metadata, volume } = await api()
    await expect(metadata.put(volume.id, encrypted(undefined))).rejects.toEqual(coded('InvalidInput'))
  })
})

describe('a hostile container', () => {
  const meta = (value: unknown) => JSON.stringify({ version: 2, 'volume-base-metadata': { display_name: 'x' }, 'volume-metadata': value })
  it.each<[string, string]>([
    ['nothing', ''],
    ['no JSON', '{"version": 2'],
    ['no object', '[2]'],
    ['null', 'null'],
    ['no version', '{"volume-metadata": {}}'],
    ['a number as metadata', meta(7)],
    ['a list as metadata', meta(['a'])],
    ['null as metadata', meta(null)],
    ['a value that is no text', meta({ a: 1 })],
    ['a value that is an object', meta({ a: { b: 'c' } })],
    ['a key longer than its column', meta({ ['k'.repeat(256)]: 'v' })],
    ['too many items', meta(Object.fromEntries(Array.from({ length: 10_001 }, (_, index) => [`k${index}`, ''])))],
    ['a name that is no text', '{"version": 2, "volume-base-metadata": {"display_name": {"toString": "x"}}}'],
    ['a name longer than its column', JSON.stringify({ version: 2, 'volume-base-metadata': { display_name: '💾'.repeat(256) } })],
    ['a base that is a text', '{"version": 2, "volume-base-metadata": "display_name"}'],
    ['__proto__ as a tag', '{"version": 2, "volume-metadata": {"a": "1"}, "__proto__": {"polluted": "1"}}'],
    ['__proto__ as a key', '{"version": 2, "volume-metadata": {"a": "1", "__proto__": "1"}}'],
    ['__proto__ written in escapes', '{"version": 2, "volume-metadata": {"\\u005f_proto__": "1"}}'],
    ['__proto__ inside an ignored tag', '{"version": 2, "other": [{"x": {"__proto__": {}}}]}'],
    ['deep nesting', `{"version": 2, "other": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['deep nesting that does not end', '{"a":'.repeat(100_000)],
    ['100 MB', `{"version": 2, "volume-metadata": {"a": "${'x'.repeat(100_000_000)}"}}`],
  ])('%s is refused with InvalidInput, and nothing is written', async (_name, json) => {
    const { api: metadata, database, volume } = await api()
    const before = await shown(database, volume.id)
    await expect(metadata.put(volume.id, json)).rejects.toEqual(coded('InvalidInput'))
    expect(await shown(database, volume.id)).toEqual(before)
    expect({}).not.toHaveProperty('polluted')
  })

  it('with braces inside of texts is no deep one', async () => {
    const { api: metadata, database, volume } = await api()
    const value = `"${'{['.repeat(1000)}\\`
    await metadata.put(volume.id, meta({ a: value }))
    expect(await database.volumeMetadata(volume.id)).toEqual({ a: value })
  })

  it('of 255 characters beyond the basic plane fits', async () => {
    const { api: metadata, database, volume } = await api()
    await metadata.put(volume.id, JSON.stringify({ version: 1, 'volume-base-metadata': { display_name: '💾'.repeat(255) } }))
    expect((await database.volume(volume.id)).displayName).toBe('💾'.repeat(255))
  })

  it('for a volume that is not there rejects with VolumeNotFound', async () => {
    await expect((await api()).api.put('absent', meta({}))).rejects.toEqual(coded('VolumeNotFound'))
  })
})

function nested(depth: number): unknown {
  return depth === 0 ? 0 : [nested(depth - 1)]
}
