/**
 * What drivers answer where Cinder raises (FORMAT.md of Cinder's drivers, "Errors"): its exception's code, or a code of ours where it has a
 * Python error, or says nothing and restores wrong bytes. What is refused has stored nothing, and written nothing to an existing volume.
 */
import { describe, expect, it } from 'vitest'
import { createDirectoryObjects } from '../../adapters/node/object-store.ts'
import { isBlockvaultError } from '../../src/contract/errors.ts'
import type { BackupRecord } from '../../src/contract/records.ts'
import { S3BackupDriver } from '../../src/drivers/object-storage.ts'
import { PosixBackupDriver } from '../../src/drivers/posix.ts'
import { noise } from '../repository/support/random.ts'
import { changedBytes, code, driverSetup, KIB, type MakeDriver, same, SIZES, volumeBytes } from './support.ts'

const before = noise(99, 400 * KIB)
const codeOf = (error: unknown) => (isBlockvaultError(error) ? error.code : error)

/** Nothing was stored for the row, wherever that would have been. */
async function storesNothing({ store, driver }: Awaited<ReturnType<typeof driverSetup>>, backup: BackupRecord): Promise<void> {
  const container = driver.updateContainerName(backup)
  for await (const { name } of store.list(container, '')) expect(name).not.toContain(backup.id)
}

describe('a backup', () => {
  it.each([
    { objectBytes: 64 * KIB + 1, blockBytes: 4 * KIB },
    { objectBytes: 4 * KIB, blockBytes: 64 * KIB },
  ])('of objects that are no multiple of the block is InvalidBackup, and the setup check refuses it: %o', async (sizes) => {
    const setup = await driverSetup({ driver: (context, store) => new PosixBackupDriver(context, { store, ...sizes }) })
    await expect(setup.backUp(volumeBytes(1))).rejects.toEqual(code('InvalidBackup'))
    expect([...setup.places]).toEqual([])
    await expect(setup.driver.checkForSetupError()).rejects.toEqual(code('InvalidConfigurationValue'))
  })

  it.each([0, -4096, 1.5, Number.NaN, 2 ** 60])('of objects or blocks of %d bytes is InvalidConfigurationValue', async (bytes) => {
    for (const sizes of [
      { ...SIZES, objectBytes: bytes },
      { ...SIZES, blockBytes: bytes },
    ]) {
      const setup = await driverSetup({ driver: (context, store) => new S3BackupDriver(context, { store, ...sizes }) })
      await expect(setup.backUp(volumeBytes(1))).rejects.toEqual(code('InvalidConfigurationValue'))
      await expect(setup.driver.checkForSetupError()).rejects.toEqual(code('InvalidConfigurationValue'))
      expect([...setup.places]).toEqual([])
    }
  })

  it('on a parent with another block size is InvalidBackup', async () => {
    const setup = await driverSetup()
    const parent = await setup.backUp(volumeBytes(1))
    const other = new PosixBackupDriver(setup.context, { store: setup.store, objectBytes: 64 * KIB, blockBytes: 8 * KIB })
    const child = await setup.newRow({ parent })
    await expect(setup.withFile(volumeBytes(1), 'read', (file) => other.backup(child, file))).rejects.toEqual(code('InvalidBackup'))
    await storesNothing(setup, child)
  })

  it('of a volume that grew is InvalidBackup: by its row, or by its blocks, where Cinder has an IndexError', async () => {
    const setup = await driverSetup()
    const parent = await setup.backUp(volumeBytes(1, 200 * KIB))
    await expect(setup.backUp(volumeBytes(1, 200 * KIB), { parent, row: { size: 2 } })).rejects.toEqual(code('InvalidBackup'))
    const child = await setup.newRow({ parent })
    await expect(setup.withFile(volumeBytes(1, 200 * KIB + 1), 'read', (file) => setup.driver.backup(child, file))).rejects.toEqual(code('InvalidBackup'))
    await storesNothing(setup, child)
    expect((await setup.backUp(volumeBytes(1, 150 * KIB), { parent })).status, 'a smaller one is taken').toBe('available')
  })

  it('on a parent that no restore could follow is InvalidBackup: of another volume, or without objects', async () => {
    const setup = await driverSetup()
    const parent = await setup.backUp(volumeBytes(1))
    const never = await setup.newRow()
    await expect(setup.backUp(volumeBytes(1), { parent: never })).rejects.toEqual(code('InvalidBackup'))
    await setup.database.updateBackup(parent.id, { volumeId: '00000000-0000-4000-8000-000000000009' })
    await expect(setup.backUp(volumeBytes(1), { parent })).rejects.toEqual(code('InvalidBackup'))
  })

  it('on a parent whose row or hashes are gone is BackupNotFound, or OBJECT_MISSING', async () => {
    const setup = await driverSetup()
    const parent = await setup.backUp(volumeBytes(1))
    setup.alter(parent, '_sha256file', () => undefined)
    const child = await setup.newRow({ parent })
    await expect(setup.withFile(volumeBytes(1), 'read', (file) => setup.driver.backup(child, file))).rejects.toEqual(code('OBJECT_MISSING'))
    await storesNothing(setup, child)
    await setup.database.deleteBackup(parent.id, '2026-01-02T03:04:05.678Z')
    await expect(setup.backUp(volumeBytes(1), { parent })).rejects.toEqual(code('BackupNotFound'))
  })

  it('of a volume whose row has no size is InvalidVolume, and VolumeNotFound without a row', async () => {
    const setup = await driverSetup()
    for (const size of [0, -1]) {
      await setup.database.updateVolume(setup.volume.id, { size }).catch(() => {})
      const { size: stored } = await setup.database.volume(setup.volume.id)
      if (stored <= 0) await expect(setup.backUp(volumeBytes(1)), `${size} GiB`).rejects.toEqual(code('InvalidVolume'))
      if (size === 0) expect(stored, 'the database takes a size of 0').toBe(0)
    }
    await expect(setup.backUp(volumeBytes(1), { row: { volumeId: '00000000-0000-4000-8000-000000000009' } })).rejects.toEqual(code('VolumeNotFound'))
    expect([...setup.places]).toEqual([])
  })

  it.each(['lz4', '', 'zlib2', '__proto__', 'zstd '])('with compression %j is InvalidConfigurationValue', async (compression) => {
    await expect(driverSetup({ driver: (context, store) => new PosixBackupDriver(context, { store, compression }) })).rejects.toEqual(
      code('InvalidConfigurationValue'),
    )
  })

  it('whose container is not there and may not be made is BackupDriverException', async () => {
    const driver: MakeDriver = (context, store) => new PosixBackupDriver(context, { store, ...SIZES, createContainers: false })
    const setup = await driverSetup({ driver })
    await expect(setup.backUp(volumeBytes(1), { row: { container: 'mine' } })).rejects.toEqual(code('BackupDriverException'))
    expect([...setup.places]).toEqual([])
    await setup.store.createContainer('mine')
    expect((await setup.backUp(volumeBytes(1), { row: { container: 'mine' } })).container).toBe('mine')
  })

  it.each(['..', '../other', '/etc', 'a/../b', 'a//b', 'a\n', 'x'.repeat(256)])('into container %j is InvalidInput', async (container) => {
    const setup = await driverSetup()
    await expect(setup.backUp(volumeBytes(1), { row: { container } })).rejects.toEqual(code('InvalidInput'))
    expect([...setup.places]).toEqual([])
  })

  it('without a path is InvalidConfigurationValue, and not one in the working directory', () => {
    expect(() => createDirectoryObjects('')).toThrow(code('InvalidConfigurationValue'))
  })
})

describe('a restore', () => {
  type Setup = Awaited<ReturnType<typeof driverSetup>>
  /** A full backup and two incrementals, in objects that are compressed and such that are not. */
  const chain = async (compression = 'zlib') => {
    const setup = await driverSetup({ driver: (context, store) => new PosixBackupDriver(context, { store, ...SIZES, compression }) })
    let volume = volumeBytes(1)
    const backups = [await setup.backUp(volume)]
    for (const seed of [2, 3]) {
      volume = changedBytes(volume, seed)
      backups.push(await setup.backUp(volume, { parent: backups.at(-1)! }))
    }
    return { setup, backups: backups as [BackupRecord, BackupRecord, BackupRecord], volume }
  }
  const json = (change: (text: string) => string) => (bytes: Uint8Array) => Buffer.from(change(Buffer.from(bytes).toString()))
  const flip = (bytes: Uint8Array<ArrayBuffer>) => {
    bytes[bytes.length >> 1]! ^= 1
    return bytes
  }

  /** What is wrong → the code. `member`: the backup it is done to; the last one is restored. */
  const wrongs: { title: string; expected: string; does: (setup: Setup, member: BackupRecord) => unknown }[] = [
    { title: 'an object is missing', expected: 'InvalidBackup', does: ({ alter }, member) => alter(member, '-00001', () => undefined) },
    {
      title: 'an object is one too many',
      expected: 'InvalidBackup',
      does: ({ places }, { container, serviceMetadata }) => places.get(container!)!.set(`${serviceMetadata}-00099`, new Uint8Array(10)),
    },
    { title: 'the manifest is missing', expected: 'OBJECT_MISSING', does: ({ alter }, member) => alter(member, '_metadata', () => undefined) },
    { title: 'the manifest is no JSON', expected: 'InvalidBackup', does: ({ alter }, member) => alter(member, '_metadata', (bytes) => bytes.slice(0, -5)) },
    {
      title: 'an object has an unknown compression',
      expected: 'InvalidBackup',
      does: ({ alter }, member) =>
        alter(
          member,
          '_metadata',
          json((text) => text.replace(/"compression": "\w+"/, '"compression": "lzma"')),
        ),
    },
    { title: 'a bit of an object is flipped', expected: 'OBJECT_DAMAGED', does: ({ alter }, member) => alter(member, '-00001', flip) },
    { title: 'a bit of the last object is flipped', expected: 'OBJECT_DAMAGED', does: ({ alter }, member) => alter(member, '-00002', flip) },
    {
      title: 'an object is cut',
      expected: 'OBJECT_DAMAGED or InvalidBackup',
      does: ({ alter }, member) => alter(member, '-00001', (bytes) => bytes.slice(0, -1)),
    },
    {
      title: 'an MD5 is another',
      expected: 'OBJECT_DAMAGED',
      does: ({ alter }, member) =>
        alter(
          member,
          '_metadata',
          json((text) => text.replace(/"md5": "(.)/, (_, digit) => `"md5": "${digit === '0' ? '1' : '0'}`)),
        ),
    },
    {
      title: 'a length is another',
      expected: 'OBJECT_DAMAGED or InvalidBackup',
      does: ({ alter }, member) =>
        alter(
          member,
          '_metadata',
          json((text) => text.replace(/"length": (\d+)/, (_, length) => `"length": ${Number(length) - 1}`)),
        ),
    },
    {
      title: 'an object lies beyond the volume',
      expected: 'InvalidBackup',
      does: ({ alter }, member) =>
        alter(
          member,
          '_metadata',
          json((text) => text.replace(/"offset": \d+(?![\s\S]*"offset")/, `"offset": ${2 ** 40}`)),
        ),
    },
    { title: 'its row is gone', expected: 'BackupNotFound', does: ({ database }, member) => database.deleteBackup(member.id, '2026-01-02T03:04:05.678Z') },
  ]
  const all = wrongs.flatMap((wrong) => ['none', 'zlib'].map((compression) => ({ ...wrong, compression })))
  it.each(all)('is refused when of an ancestor $title, with $compression: $expected', async ({ expected, does, compression }) => {
    for (const number of [0, 1] as const) {
      const { setup, backups } = await chain(compression)
      const [, , last] = backups
      await does(setup, backups[number])
      const { bytes, error } = await setup.restore(last, { before })
      expect(expected.split(' or ')).toContain(codeOf(error))
      expect(same(bytes, before), 'not a byte was written').toBe(true)
    }
  })

  it('of a backup with an unknown version of the manifest is InvalidBackup', async () => {
    const { setup, backups } = await chain()
    setup.alter(
      backups[2],
      '_metadata',
      json((text) => text.replace('"version": "1.0.0"', '"version": "2.0.0"')),
    )
    const { bytes, error } = await setup.restore(backups[2], { before })
    expect(error).toEqual(code('InvalidBackup'))
    expect(same(bytes, before)).toBe(true)
  })

  it('to a volume that is too small is InvalidBackup', async () => {
    const { setup, backups } = await chain()
    const { bytes, error } = await setup.restore(backups[2], { before: before.subarray(0, 199 * KIB) })
    expect(error).toEqual(code('InvalidBackup'))
    expect(same(bytes, before.subarray(0, 199 * KIB))).toBe(true)
  })

  it('of a backup that was never begun is InvalidBackup', async () => {
    const { setup } = await chain()
    const { error } = await setup.restore(await setup.newRow(), { before })
    expect(error).toEqual(code('InvalidBackup'))
  })

  it('whose status is no longer restoring is BackupRestoreCancel, and so is one whose signal fires', async () => {
    const { setup, backups } = await chain()
    const { error } = await setup.restore(backups[2], { before, signal: AbortSignal.abort() })
    expect(error).toEqual(code('BackupRestoreCancel'))
    await setup.withFile(before, 'write', async (file) => {
      // The row is `available` again: nobody restores.
      await expect(setup.driver.restore(backups[2], setup.volume.id, file, false)).rejects.toEqual(code('BackupRestoreCancel'))
    })
    let reports = 0
    const late = await setup.restore(backups[2], { before, onProgress: () => void reports++ })
    expect([late.error, reports > 0]).toEqual([undefined, true])
    const set = await setup.restore(backups[2], {
      before,
      onProgress: () => void setup.database.updateBackup(backups[2].id, { status: 'error' }),
    })
    expect(set.error).toEqual(code('BackupRestoreCancel'))
  })

  it.each([
    ['another version', '{"version": 3}', 'BackupOperationError'],
    ['a version that is text', '{"version": "2"}', 'BackupOperationError'],
    ['no JSON', 'x', 'InvalidInput'],
    [
      'an encrypted volume of another type',
      '{"version": 2, "volume-base-metadata": {"encryption_key_id": "key", "volume_type_id": "luks"}}',
      'EncryptedBackupOperationFailed',
    ],
  ])('of volume metadata of %s is refused before the first byte', async (_, container, expected) => {
    const { setup, backups } = await chain()
    await setup.database.updateVolume(setup.volume.id, { volumeTypeId: 'plain' })
    setup.alter(backups[1], '_metadata', (bytes) => Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(bytes).toString()), volume_meta: container })))
    const { bytes, error } = await setup.restore(backups[2], { before })
    expect(error).toEqual(code(expected))
    expect(same(bytes, before)).toBe(true)
  })
})
