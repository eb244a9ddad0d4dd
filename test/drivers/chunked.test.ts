/** What the chunked drivers do beside the format: rows, statuses, metadata, hooks, and deletes that hurt nobody. */
import { describe, expect, it } from 'vitest'
import { createDirectoryObjects } from '../../adapters/node/object-store.ts'
import type { BackupContext } from '../../src/contract/backup-context.ts'
import { BlockvaultError } from '../../src/contract/errors.ts'
import type { ObjectStore } from '../../src/contract/object-store.ts'
import type { BackupRecord, VolumeRecord } from '../../src/contract/records.ts'
import { ChunkedBackupDriver } from '../../src/drivers/chunked.ts'
import { S3BackupDriver, SwiftBackupDriver } from '../../src/drivers/object-storage.ts'
import { PosixBackupDriver } from '../../src/drivers/posix.ts'
import { createMemoryObjects } from '../../src/storage/memory-objects.ts'
import { noise } from '../repository/support/random.ts'
import { temporaryDirectory } from '../repository/support/volumes.ts'
import { volumeRecord } from '../suites/database/records.ts'
import { putObject } from '../suites/object-store.ts'
import { changedBytes, code, driverSetup, KIB, same, SIZES, volumeBytes } from './support.ts'

/** A store that tells of each call before it has an effect. */
function watchedStore(inner: ObjectStore, before: (call: keyof ObjectStore, name: string) => unknown): ObjectStore {
  const each = <Call extends 'create' | 'open' | 'delete'>(call: Call) =>
    (async (container: string, name: string, options?: object) => {
      await before(call, name)
      return inner[call](container, name, options)
    }) as ObjectStore[Call]
  return {
    ...inner,
    create: each('create'),
    open: each('open'),
    delete: each('delete'),
    async *list(container, prefix, options) {
      await before('list', prefix)
      yield* inner.list(container, prefix, options)
    },
  }
}

describe('a chunked driver', () => {
  it('gives back what it stored: full, incremental, unchanged, shorter; to new volumes and over others', async () => {
    for (const [compression, store] of [
      ['zlib', createMemoryObjects()],
      ['none', createDirectoryObjects(temporaryDirectory())],
      ['ZSTD', createMemoryObjects()],
    ] as const) {
      const setup = await driverSetup({ store, driver: (context) => new PosixBackupDriver(context, { store, ...SIZES, compression }) })
      let volume = volumeBytes(1)
      const chain: [BackupRecord, Uint8Array][] = []
      for (const next of [volume, changedBytes(volume, 2), changedBytes(volume, 2), changedBytes(volume, 3).subarray(0, 190 * KIB)]) {
        volume = new Uint8Array(next)
        const parent = chain.at(-1)?.[0]
        // What the shorter volume lacks stays as its parent had it.
        const kept = Buffer.concat([volume, chain.at(-1)?.[1].subarray(volume.length) ?? Buffer.alloc(0)])
        chain.push([await setup.backUp(volume, parent ? { parent } : {}), kept])
      }
      expect(chain.map(([{ objectCount }]) => objectCount > 0)).toEqual([true, true, false, true])
      for (const [backup, expected] of chain) {
        const fresh = await setup.restore(backup)
        expect(fresh.error).toBeUndefined()
        expect(same(fresh.bytes, Buffer.concat([expected, Buffer.alloc(400 * KIB - expected.length)]))).toBe(true)
        const other = noise(5, 300 * KIB)
        const over = await setup.restore(backup, { before: other })
        expect(same(over.bytes, Buffer.concat([expected, other.subarray(expected.length)]))).toBe(true)
      }
    }
  })

  it('knows in the row where its objects are before it stores the first', async () => {
    const rows: unknown[] = []
    const setup = await driverSetup({
      store: watchedStore(createMemoryObjects(), async (call) => {
        if (call !== 'create') return
        const [row] = await setup.database.backups({ statuses: ['creating'] })
        rows.push([row?.container, row?.serviceMetadata])
      }),
    })
    const backup = await setup.backUp(volumeBytes(1))
    expect(rows.length).toBeGreaterThan(3)
    expect(new Set(rows.map((row) => JSON.stringify(row)))).toEqual(new Set([JSON.stringify([backup.container, backup.serviceMetadata])]))
    expect(backup.container).toMatch(/^..\/..\/[0-9a-f-]{36}$/)
  })

  it.each(['deleting', 'deleted'] as const)('stops when the row turns %s, leaves nothing, and returns nothing', async (status) => {
    for (const at of [1, 2, 4]) {
      let created = 0
      const setup = await driverSetup({
        store: watchedStore(createMemoryObjects(), async (call) => {
          if (call === 'create' && ++created === at)
            await setup.database.updateBackup(backup.id, { status, ...(status === 'deleted' ? { deleted: true } : {}) })
        }),
      })
      const backup = await setup.newRow()
      const updates = await setup.withFile(volumeBytes(1, 600 * KIB), 'read', (file) => setup.driver.backup(backup, file))
      expect(updates).toBeUndefined()
      const { container } = await setup.row(backup.id)
      expect(await setup.names(container as string), `at object ${at}`).toEqual([])
    }
  })

  it('does not begin when the row is being deleted already', async () => {
    const setup = await driverSetup()
    const backup = await setup.newRow()
    await setup.database.updateBackup(backup.id, { status: 'deleting' })
    expect(await setup.withFile(volumeBytes(1), 'read', (file) => setup.driver.backup(backup, file))).toBeUndefined()
    expect([...setup.places]).toEqual([])
    expect(await setup.row(backup.id)).toMatchObject({ container: null, serviceMetadata: null })
  })

  it('removes what it stored when it is cancelled, or the store fails, or the metadata can not be had', async () => {
    const controller = new AbortController()
    let created = 0
    const fails = { store: false }
    const setup = await driverSetup({
      store: watchedStore(createMemoryObjects(), (call) => {
        if (call === 'create' && ++created === 3) {
          controller.abort()
          if (fails.store) throw new BlockvaultError('STORAGE_FULL', 'full')
        }
      }),
    })
    const attempt = async (expected: string, options = {}) => {
      created = 0
      const backup = await setup.newRow()
      await expect(setup.withFile(volumeBytes(1, 600 * KIB), 'read', (file) => setup.driver.backup(backup, file, options))).rejects.toEqual(code(expected))
      expect(await setup.names((await setup.row(backup.id)).container as string)).toEqual([])
    }
    await attempt('CANCELLED', { signal: controller.signal })
    fails.store = true
    await attempt('STORAGE_FULL')
    fails.store = false
    setup.driver.getMetadata = () => Promise.reject(new BlockvaultError('DATABASE_FAILED', 'the database went away'))
    await attempt('DATABASE_FAILED')
  })

  it('saves the volume metadata unless told not to, and puts that of every backup on the restored volume, oldest first', async () => {
    const setup = await driverSetup()
    const backups: BackupRecord[] = []
    for (const [index, metadata] of [{ a: '1', b: '1' }, { a: '2' }, { a: '3' }].entries()) {
      await setup.database.updateVolumeMetadata(setup.volume.id, metadata)
      const parent = backups.at(-1)
      backups.push(await setup.backUp(volumeBytes(1), { ...(index === 2 ? { backupMetadata: false } : {}), ...(parent ? { parent } : {}) }))
    }
    const puts: string[] = []
    const { putMetadata } = setup.driver
    setup.driver.putMetadata = async (volumeId, json) => {
      puts.push((JSON.parse(json) as { 'volume-metadata': { a: string } })['volume-metadata'].a)
      await putMetadata.call(setup.driver, volumeId, json)
    }
    const target = volumeRecord({ displayName: `restore_backup_${backups[2]!.id}` })
    await setup.database.createVolume(target)
    expect((await setup.restore(backups[2]!, { volume: target })).error).toBeUndefined()
    expect(puts).toEqual(['1', '2'])
    expect(await setup.database.volumeMetadata(target.id)).toEqual({ a: '2' })
    expect((await setup.database.volume(target.id)).displayName).toBe('data')
  })

  it('puts no metadata on a volume whose data could not be restored', async () => {
    const setup = await driverSetup()
    const backup = await setup.backUp(volumeBytes(1))
    setup.alter(backup, '-00002', (bytes) => bytes.map((byte, index) => (index === 100 ? byte ^ 1 : byte)))
    let puts = 0
    setup.driver.putMetadata = async () => void puts++
    for (const before of [undefined, noise(1, 300 * KIB)]) expect((await setup.restore(backup, before ? { before } : {})).error).toEqual(code('OBJECT_DAMAGED'))
    expect(puts).toBe(0)
  })

  it('follows the hooks of a driver of somebody else: container, prefix, extra metadata and where it leads', async () => {
    const vault = createMemoryObjects()
    class VaultDriver extends ChunkedBackupDriver {
      constructor(context: BackupContext, store: ObjectStore) {
        super(context, { store, blockBytes: SIZES.blockBytes, compression: 'none' }, { objectBytes: SIZES.objectBytes })
      }
      override updateContainerName = ({ projectId }: BackupRecord) => `of-${projectId}`
      override generateObjectNamePrefix = ({ id }: BackupRecord) => `mine ${id}`
      override getExtraMetadata = async (_backup: BackupRecord, volume: VolumeRecord) => ({ vault: volume.displayName })
      override storeToRead = (extra: unknown) => ((extra as { vault?: string } | undefined)?.vault === 'data' ? vault : this.store)
    }
    const setup = await driverSetup({ driver: (context, store) => new VaultDriver(context, store) })
    const volume = volumeBytes(1)
    const full = await setup.backUp(volume)
    expect([full.container, full.serviceMetadata]).toEqual(['of-project', `mine ${full.id}`])
    const { extra_metadata: extra } = JSON.parse(Buffer.from(setup.places.get('of-project')!.get(`mine ${full.id}_metadata`)!).toString()) as {
      extra_metadata: unknown
    }
    expect(extra).toEqual({ vault: 'data' })
    // Its objects are moved to where the extra metadata leads; what lies here is not looked at.
    await vault.createContainer('of-project')
    for (const name of await setup.names('of-project', `mine ${full.id}-`)) {
      await putObject(vault, 'of-project', name, setup.places.get('of-project')!.get(name)!)
      setup.places.get('of-project')!.get(name)!.fill(0)
    }
    const restored = await setup.restore(full, { before: noise(1, 250 * KIB) })
    expect(restored.error).toBeUndefined()
    expect(same(restored.bytes.subarray(0, volume.length), volume)).toBe(true)
  })

  it('has the sizes, names and containers of Cinder’s drivers by default', async () => {
    const now = () => Date.parse('2024-05-06T07:08:09.123Z')
    const made = async (driver: (context: BackupContext, store: ObjectStore) => ChunkedBackupDriver, row: Partial<BackupRecord> = {}) => {
      const setup = await driverSetup({ driver, context: { now, availabilityZone: 'zone 1' } })
      const { container, serviceMetadata } = await setup.backUp(volumeBytes(1), { row })
      const names = await setup.names(container as string)
      const { objectBytes, blockBytes, compression, supportForceDelete, createContainers } = setup.driver
      const shorten = (text: string | null) => text?.replace(setup.volume.id, 'VOLUME').replaceAll(/[0-9a-f-]{36}/g, 'BACKUP')
      return [
        shorten(container),
        shorten(serviceMetadata),
        names.map((name) => name.slice(serviceMetadata!.length)),
        objectBytes,
        blockBytes,
        compression,
        supportForceDelete,
        createContainers,
      ]
    }
    const names = ['-00001', '_metadata', '_sha256file']
    const posix = ['volume_VOLUME_20240506070809_backup_BACKUP', names, 1_999_994_880, 32_768, 'zlib', true, true]
    expect(await made((context, store) => new PosixBackupDriver(context, { store }), { id: 'abcd0000-0000-4000-8000-00000000000f' })).toEqual([
      'ab/cd/BACKUP',
      ...posix,
    ])
    expect(await made((context, store) => new PosixBackupDriver(context, { store }), { container: 'mine/too' })).toEqual(['mine/too', ...posix])
    const objects = ['volume_VOLUME/20240506070809/az_zone 1_backup_BACKUP', names, 52_428_800, 32_768, 'zlib', true, true]
    expect(await made((context, store) => new S3BackupDriver(context, { store }))).toEqual(['volumebackups', ...objects])
    expect(await made((context, store) => new SwiftBackupDriver(context, { store }))).toEqual(['volumebackups', ...objects])
    expect(await made((context, store) => new SwiftBackupDriver(context, { store, container: 'ours' }))).toEqual(['ours', ...objects])
    expect(await made((context, store) => new S3BackupDriver(context, { store, container: 'ours' }), { container: 'mine' })).toEqual(['mine', ...objects])
    expect(ChunkedBackupDriver.DRIVER_VERSION).toBe('1.0.0')
  })
})

describe('deleting a backup', () => {
  it('removes its objects and no neighbour’s, and may be repeated', async () => {
    const setup = await driverSetup({ driver: (context, store) => new S3BackupDriver(context, { store, ...SIZES }) })
    const [kept, gone] = [await setup.backUp(volumeBytes(1)), await setup.backUp(volumeBytes(2))]
    const prefix = gone.serviceMetadata as string
    // Backups and files whose names begin as ours do.
    const neighbours = [
      `${prefix}0-00001`,
      `${prefix}0_metadata`,
      `${prefix}-00001.tmp`,
      `${prefix}-00001-00001`,
      `${prefix}_metadata_metadata`,
      `${prefix}-0001`,
      `${prefix}x`,
    ]
    for (const name of neighbours) await putObject(setup.store, 'volumebackups', name, Uint8Array.of(1))
    const others = [...(await setup.names('volumebackups', kept.serviceMetadata as string)), ...neighbours].sort()
    for (let time = 0; time < 3; time++) {
      await setup.driver.deleteBackup(gone)
      expect(await setup.names('volumebackups')).toEqual(others)
    }
    expect((await setup.restore(kept)).error).toBeUndefined()
  })

  it('is an error when the store can not be listed, and nothing goes', async () => {
    let fails = true
    const setup = await driverSetup({
      store: watchedStore(createMemoryObjects(), (call) => {
        if (call === 'list' && fails) throw new BlockvaultError('STORAGE_FAILED', 'no listing today')
      }),
    })
    fails = false
    const backup = await setup.backUp(volumeBytes(1))
    const before = await setup.names(backup.container as string)
    fails = true
    await expect(setup.driver.deleteBackup(backup)).rejects.toEqual(code('STORAGE_FAILED'))
    fails = false
    expect(await setup.names(backup.container as string)).toEqual(before)
    await setup.driver.deleteBackup(backup)
    expect(await setup.names(backup.container as string)).toEqual([])
  })

  it('goes on when one object can not be removed, says so, and leaves no manifest', async () => {
    let stuck = true
    const setup = await driverSetup({
      store: watchedStore(createMemoryObjects(), (call, name) => {
        if (call === 'delete' && stuck && name.endsWith('-00002')) throw new BlockvaultError('STORAGE_DENIED', 'locked')
      }),
    })
    const backup = await setup.backUp(volumeBytes(1, 500 * KIB))
    await expect(setup.driver.deleteBackup(backup)).rejects.toMatchObject({ code: 'BackupDriverException', cause: { code: 'STORAGE_DENIED' } })
    expect(await setup.names(backup.container as string)).toEqual([`${backup.serviceMetadata}-00002`])
    stuck = false
    await setup.driver.deleteBackup(backup)
    expect(await setup.names(backup.container as string)).toEqual([])
  })

  it('that was never begun, or of which the caller knows an older row, does what the row says', async () => {
    const setup = await driverSetup()
    const never = await setup.newRow()
    await setup.driver.deleteBackup(never)
    const begun = await setup.newRow()
    await setup.withFile(volumeBytes(1), 'read', (file) => setup.driver.backup(begun, file))
    const { container } = await setup.row(begun.id)
    expect(await setup.names(container as string)).not.toEqual([])
    // `begun` is the row as it was before.
    await setup.driver.deleteBackup(begun)
    expect(await setup.names(container as string)).toEqual([])
  })

  it('removes what a process that died had begun, and nothing that a neighbour writes now', async () => {
    const store = createDirectoryObjects(temporaryDirectory())
    const setup = await driverSetup({ store })
    const backup = await setup.backUp(volumeBytes(1), { row: { container: 'shared' } })
    const left = await store.create('shared', `${backup.serviceMetadata}-00009`)
    await left.write(noise(1, 5000))
    const neighbour = await store.create('shared', `${backup.serviceMetadata}0-00001`)
    await neighbour.write(noise(2, 5000))
    await setup.driver.deleteBackup(backup)
    await neighbour.finish()
    await expect(left.finish()).rejects.toEqual(code('STORAGE_FAILED'))
    expect(await setup.names('shared')).toEqual([`${backup.serviceMetadata}0-00001`])
  })
})

describe('importing a record', () => {
  it('is refused when it leads out of the store; anything else is taken as it is', async () => {
    const setup = await driverSetup()
    const row = await setup.newRow({ row: { container: 'c', serviceMetadata: 'p' } })
    await setup.driver.importRecord(row, {})
    await setup.driver.importRecord({ ...row, container: null }, {})
    for (const changes of [{ container: '../c' }, { container: '/c' }, { serviceMetadata: 'a/../../b' }, { serviceMetadata: 'p\n' }])
      await expect(setup.driver.importRecord({ ...row, ...changes }, {})).rejects.toEqual(code('InvalidInput'))
    expect(await setup.driver.exportRecord(row)).toEqual({})
  })
})
