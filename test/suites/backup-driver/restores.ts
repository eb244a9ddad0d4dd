/** What every driver keeps when it restores: the bytes, the volume's metadata, and the volume when it can not. */
import { beforeEach, describe, expect, it } from 'vitest'
import { noise } from '../../repository/support/random.ts'
import { code } from '../database/records.ts'
import { memoryVolume } from './memory-volume.ts'
import type { DriverPlace } from './place.ts'

const KIB = 1024
const MIB = 1024 * KIB
/** More than any driver has in its hands at once. */
const LONG = 28 * MIB

/** A volume with holes: noise, zeros, noise, zeros, in stretches that meet no border of anything. */
export function sparse(seed: number, length = 3 * MIB + 777): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  bytes.set(noise(seed, 300 * KIB + 5), 100)
  bytes.set(noise(seed + 1, 200 * KIB), 2 * MIB + 1)
  return bytes
}

export function restoreClaims(place: () => DriverPlace, context: (changes: object) => Promise<DriverPlace>): void {
  let at: DriverPlace
  beforeEach(() => {
    at = place()
  })

  describe('a restore', () => {
    it.each([
      ['of an empty volume', new Uint8Array(0)],
      ['of one byte', Uint8Array.of(7)],
      ['of zeros only', new Uint8Array(2 * MIB)],
      ['of noise', noise(1, 2 * MIB + 12_345)],
      ['of a volume with holes', sparse(2)],
    ])('%s gives the bytes back: to a new volume, and over another', async (_, bytes) => {
      const backup = await at.backedUp(await at.volume(), bytes.slice())
      const fresh = new Uint8Array(bytes.length)
      await at.restored(backup, fresh, { isNew: true })
      expect(Buffer.compare(fresh, bytes)).toBe(0)
      const used = noise(3, bytes.length + 70_000)
      const rest = used.slice(bytes.length)
      await at.restored(backup, used)
      expect(Buffer.compare(used.subarray(0, bytes.length), bytes)).toBe(0)
      expect(Buffer.compare(used.subarray(bytes.length), rest), 'what lies behind').toBe(0)
    })

    it('writes no zeros to a new volume, and makes what it wrote durable', async () => {
      const backup = await at.backedUp(await at.volume(), sparse(4))
      const target = memoryVolume(new Uint8Array(4 * MIB))
      await at.restored(backup, target, { isNew: true })
      expect(target.done.written).toBeLessThan(MIB)
      expect(target.done.punched).toBe(0)
      expect(target.done.flushed).toBeGreaterThan(0)
    })

    it('of each of several backups of a volume gives that one’s bytes: changed, grown zeros, shrunk back', async () => {
      const volume = await at.volume()
      const first = sparse(5)
      const second = first.slice()
      second.set(noise(6, 64 * KIB), MIB)
      second.fill(0, 2 * MIB, 2 * MIB + 200 * KIB)
      const third = second.slice()
      third.set(noise(7, 10), 3 * MIB)
      const full = await at.backedUp(volume, first.slice())
      const child = await at.backedUp(volume, second.slice(), { parentId: full.id })
      const grandchild = await at.backedUp(volume, third.slice(), { parentId: child.id })
      for (const [backup, bytes] of [
        [full, first],
        [child, second],
        [grandchild, third],
      ] as const) {
        const fresh = new Uint8Array(bytes.length)
        await at.restored(backup, fresh, { isNew: true })
        expect(Buffer.compare(fresh, bytes)).toBe(0)
        const used = noise(8, bytes.length)
        await at.restored(backup, used)
        expect(Buffer.compare(used, bytes)).toBe(0)
      }
    })

    it('changes no status, and no volume but the one it writes to', async () => {
      const volume = await at.volume()
      const backup = await at.backedUp(volume, noise(9, MIB))
      const target = await at.volume({ status: 'restoring-backup' })
      await at.database.updateBackup(backup.id, { status: 'restoring' })
      await at.driver.restore(await at.database.backup(backup.id), target.id, memoryVolume(new Uint8Array(MIB)), true)
      expect((await at.database.backup(backup.id)).status).toBe('restoring')
      expect((await at.database.volume(target.id)).status).toBe('restoring-backup')
      expect(await at.database.volume(volume.id)).toEqual(volume)
    })

    it('tells how far it is, up to all of it', async () => {
      const backup = await at.backedUp(await at.volume(), noise(10, 2 * MIB))
      const seen: number[] = []
      await at.restored(backup, new Uint8Array(2 * MIB), { onProgress: ({ doneBytes, totalBytes }) => seen.push(doneBytes / totalBytes) })
      expect(seen.at(-1)).toBe(1)
      expect(seen).toEqual([...seen].sort((left, right) => left - right))
    })
  })

  describe('a restore that can not be', () => {
    /** Rejects, and the volume is as it was. */
    const refused = async (attempt: (target: ReturnType<typeof memoryVolume>) => Promise<void>, size = 2 * MIB) => {
      const target = memoryVolume(noise(11, size))
      const error: unknown = await attempt(target).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      expect(target.done).toMatchObject({ written: 0, punched: 0 })
      return error
    }

    it('is refused for a volume that is too small', async () => {
      const backup = await at.backedUp(await at.volume(), noise(12, MIB))
      expect(await refused((target) => at.restored(backup, target), MIB - 1)).toEqual(code('InvalidBackup'))
    })

    it('of damaged data is found out before a volume that is not new is written', async () => {
      const backup = await at.backedUp(await at.volume(), noise(13, LONG))
      await at.store.damage(backup)
      expect(await refused((target) => at.restored(backup, target), LONG)).toEqual(code('OBJECT_DAMAGED'))
      await expect(at.restored(backup, new Uint8Array(LONG), { isNew: true })).rejects.toEqual(code('OBJECT_DAMAGED'))
    })

    it('is cancelled by another status, before the first byte when it has that already', async () => {
      const backup = await at.backedUp(await at.volume(), noise(14, 2 * MIB))
      for (const status of ['available', 'error', 'deleting'] as const) {
        await at.database.updateBackup(backup.id, { status })
        const row = { ...backup, status: 'restoring' as const }
        expect(await refused((target) => at.driver.restore(row, backup.volumeId, target, false))).toEqual(code('BackupRestoreCancel'))
      }
    })

    it('is cancelled by a status that changes while it writes', async () => {
      const backup = await at.backedUp(await at.volume({ displayName: 'source' }), noise(15, 2 * MIB))
      const target = await at.volume({ displayName: 'restore_backup_x' })
      const onWrite = async () => void (await at.database.updateBackup(backup.id, { status: 'error' }, { from: ['restoring'] }))
      const volume = memoryVolume(new Uint8Array(2 * MIB), { onWrite })
      await expect(at.restored(backup, volume, { isNew: true, volumeId: target.id })).rejects.toEqual(code('BackupRestoreCancel'))
      expect((await at.database.backup(backup.id)).status).toBe('error')
      expect((await at.database.volume(target.id)).displayName).toBe('restore_backup_x')
    })

    it('is cancelled by its signal, before it begins and while it writes', async () => {
      const backup = await at.backedUp(await at.volume(), noise(16, 2 * MIB))
      expect(await refused((target) => at.restored(backup, target, { signal: AbortSignal.abort() }))).toEqual(code('BackupRestoreCancel'))
      const long = await at.backedUp(await at.volume(), noise(23, LONG))
      const cancel = new AbortController()
      const volume = memoryVolume(new Uint8Array(LONG), { onWrite: () => cancel.abort() })
      await expect(at.restored(long, volume, { isNew: true, signal: cancel.signal })).rejects.toEqual(code('BackupRestoreCancel'))
      expect(volume.done.written).toBeLessThan(LONG)
    })

    it('ends with the volume’s own failure', async () => {
      const backup = await at.backedUp(await at.volume(), noise(17, MIB))
      const failing = memoryVolume(new Uint8Array(MIB), {
        onWrite: () => {
          throw new Error('the disk fell off')
        },
      })
      await expect(at.restored(backup, failing, { isNew: true })).rejects.toThrow('the disk fell off')
      const again = new Uint8Array(MIB)
      await at.restored(backup, again, { isNew: true })
      expect(Buffer.compare(again, noise(17, MIB))).toBe(0)
    })

    it.each([
      { serviceMetadata: null, container: null },
      { serviceMetadata: '' },
      { serviceMetadata: '../../etc/passwd' },
      { serviceMetadata: 'another' },
      { container: '/etc' },
      { container: '../..' },
      { serviceMetadata: 'with\0nul' },
    ])('is refused for a row that names something else: %j', async (changes) => {
      const backup = await at.backedUp(await at.volume(), noise(18, MIB))
      await at.database.updateBackup(backup.id, changes)
      const error = await refused((target) => at.restored(backup, target))
      expect(error).toMatchObject({ name: 'BlockvaultError', code: expect.stringMatching(/^(InvalidBackup|InvalidInput|OBJECT_MISSING)$/) })
    })
  })

  describe('the metadata of a volume', () => {
    it('comes along: to the volume that is restored to', async () => {
      const volume = await at.volume({ displayName: 'source', displayDescription: 'its description' })
      await at.database.updateVolumeMetadata(volume.id, { purpose: 'a "test" \u{1f4be}' })
      await at.database.replaceVolumeGlanceMetadata(volume.id, { image_id: 'i' })
      const backup = await at.backedUp(volume, noise(19, 1000))
      const target = await at.volume({ displayName: `restore_backup_${backup.id}` })
      await at.database.updateVolumeMetadata(target.id, { old: 'x' })
      await at.restored(backup, new Uint8Array(1000), { isNew: true, volumeId: target.id })
      expect(await at.database.volume(target.id)).toMatchObject({ displayName: 'source', displayDescription: 'its description', bootable: true })
      expect(await at.database.volumeMetadata(target.id)).toEqual({ purpose: 'a "test" \u{1f4be}' })
      expect(await at.database.volumeGlanceMetadata(target.id)).toEqual({ image_id: 'i' })
    })

    it('stays behind when it was not wanted', async () => {
      const volume = await at.volume({ displayName: 'source' })
      const row = await at.row(volume)
      const updates = await at.driver.backup(row, memoryVolume(noise(20, 1000)), { backupMetadata: false })
      await at.database.updateBackup(row.id, { ...updates, status: 'available' })
      const target = await at.volume({ displayName: 'restore_backup_x' })
      await at.restored(await at.database.backup(row.id), new Uint8Array(1000), { isNew: true, volumeId: target.id })
      expect(await at.database.volume(target.id)).toEqual(expect.objectContaining({ displayName: 'restore_backup_x' }))
    })

    it('of an unknown version is an error before the volume is written', async () => {
      const newer = await context({ metadataVersion: 3 })
      const backup = await newer.backedUp(await newer.volume(), noise(21, 1000))
      const target = memoryVolume(noise(22, 1000))
      await expect(newer.restored(backup, target)).rejects.toEqual(code('BackupOperationError'))
      expect(target.done).toMatchObject({ written: 0, punched: 0 })
    })
  })
}
