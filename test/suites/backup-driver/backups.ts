/** What every driver keeps when it makes and removes backups: the row knows before the store does, and nothing is left behind. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { BackupRecord } from '../../../src/contract/records.ts'
import { noise } from '../../repository/support/random.ts'
import { code } from '../database/records.ts'
import { memoryVolume } from './memory-volume.ts'
import type { DriverPlace } from './place.ts'
import { sparse } from './restores.ts'

const MIB = 1024 * 1024

export function backupClaims(place: () => DriverPlace, context: (changes: object) => Promise<DriverPlace>): void {
  let at: DriverPlace
  beforeEach(() => {
    at = place()
  })
  const intact = async (backup: BackupRecord, bytes: Uint8Array) => {
    const fresh = new Uint8Array(bytes.length)
    await at.restored(backup, fresh, { isNew: true })
    expect(Buffer.compare(fresh, bytes)).toBe(0)
  }

  describe('a backup', () => {
    it('is in its row before a byte of the volume is read, and changes no status', async () => {
      const volume = await at.volume()
      const row = await at.row(volume)
      const seen: BackupRecord[] = []
      const onRead = async () => void seen.push(await at.database.backup(row.id))
      const updates = await at.driver.backup(row, memoryVolume(noise(1, MIB), { onRead }))
      expect(seen[0]?.container).toBeTruthy()
      expect(seen[0]?.serviceMetadata).toBeTruthy()
      const after = await at.database.backup(row.id)
      expect(after).toMatchObject({ status: 'creating', container: seen[0]?.container, serviceMetadata: seen[0]?.serviceMetadata })
      expect(updates).not.toHaveProperty('status')
      expect({ ...after, ...updates }).toEqual({ ...after, ...updates, container: after.container, serviceMetadata: after.serviceMetadata })
      expect(await at.database.volume(volume.id)).toEqual(volume)
    })

    it('does not change the volume, and tells how far it is, up to all of it', async () => {
      const bytes = sparse(2)
      const volume = memoryVolume(bytes.slice())
      const seen: number[] = []
      await at.driver.backup(await at.row(await at.volume()), volume, { onProgress: ({ doneBytes, totalBytes }) => seen.push(doneBytes / totalBytes) })
      expect(volume.done).toMatchObject({ written: 0, punched: 0 })
      expect(seen.at(-1)).toBe(1)
      expect(seen).toEqual([...seen].sort((left, right) => left - right))
    })

    it('stands beside others that are made at the same time', async () => {
      const contents = Array.from({ length: 4 }, (_, index) => noise(30 + index, MIB + index))
      const backups = await Promise.all(contents.map(async (bytes) => at.backedUp(await at.volume(), bytes.slice())))
      for (const [index, backup] of backups.entries()) await intact(backup, contents[index]!)
    })

    it.each(['deleting', 'deleted'] as const)('whose row turns %s meanwhile is given up, and leaves nothing', async (status) => {
      const row = await at.row(await at.volume())
      const onRead = async () =>
        void (await (status === 'deleting'
          ? at.database.updateBackup(row.id, { status })
          : at.database.deleteBackup(row.id, '2026-01-01T00:00:00Z').catch(() => {})))
      expect(await at.driver.backup(row, memoryVolume(noise(3, 2 * MIB), { onRead }))).toBeUndefined()
      expect(await at.store.stored(await at.database.backup(row.id, { readDeleted: true }))).toEqual([])
    })

    it('whose row is being deleted already is not begun', async () => {
      const row = await at.row(await at.volume(), { status: 'deleting' })
      const volume = memoryVolume(noise(4, MIB))
      expect(await at.driver.backup(row, volume)).toBeUndefined()
      expect(await at.store.stored(row)).toEqual([])
    })

    it('ends with CANCELLED when its signal fires, before it begins and while it reads; a delete then leaves nothing', async () => {
      const row = await at.row(await at.volume())
      const volume = memoryVolume(noise(5, MIB))
      await expect(at.driver.backup(row, volume, { signal: AbortSignal.abort() })).rejects.toEqual(code('CANCELLED'))
      expect(volume.done.read).toBe(0)
      const cancel = new AbortController()
      const reading = memoryVolume(noise(6, 2 * MIB), { onRead: () => cancel.abort() })
      await expect(at.driver.backup(row, reading, { signal: cancel.signal })).rejects.toEqual(code('CANCELLED'))
      await at.driver.deleteBackup(await at.database.backup(row.id))
      expect(await at.store.stored(await at.database.backup(row.id))).toEqual([])
    })

    it('ends with the volume’s own failure; a delete then leaves nothing', async () => {
      const row = await at.row(await at.volume())
      let reads = 0
      const onRead = () => {
        if (reads++ > 0) throw new Error('a bad sector')
      }
      const failing = memoryVolume(noise(7, 9 * MIB), { onRead })
      await expect(at.driver.backup(row, failing)).rejects.toThrow('a bad sector')
      await at.driver.deleteBackup(await at.database.backup(row.id))
      expect(await at.store.stored(await at.database.backup(row.id))).toEqual([])
    })
  })

  describe('deleting a backup', () => {
    it('removes all of it, and nothing of any other, its child and its parent among them', async () => {
      const volume = await at.volume()
      const [first, second] = [noise(8, MIB), noise(9, MIB)]
      const parent = await at.backedUp(volume, first.slice())
      const other = await at.backedUp(volume, second.slice())
      const child = await at.backedUp(volume, second.slice(), { parentId: parent.id })
      await at.driver.deleteBackup(child)
      expect(await at.store.stored(child)).toEqual([])
      await intact(parent, first)
      await intact(other, second)
      await at.driver.deleteBackup(parent)
      expect(await at.store.stored(parent)).toEqual([])
      await intact(other, second)
    })

    it('may be repeated, and of a backup that was never stored is no error', async () => {
      const backup = await at.backedUp(await at.volume(), noise(10, MIB))
      await at.driver.deleteBackup(backup)
      await at.driver.deleteBackup(backup)
      await at.driver.deleteBackup(await at.row(await at.volume()))
      await at.driver.deleteBackup(await at.row(await at.volume(), { status: 'error' }))
    })

    it('finds the objects of a backup whose row it was given before it began', async () => {
      const row = await at.row(await at.volume())
      await at.driver.backup(row, memoryVolume(noise(11, MIB)))
      await at.driver.deleteBackup(row)
      expect(await at.store.stored(await at.database.backup(row.id))).toEqual([])
    })

    it.each([{ container: '..' }, { container: '/' }, { serviceMetadata: '../x' }, { serviceMetadata: 'x\0' }])(
      'of a row that names something outside removes nothing: %j',
      async (changes) => {
        const bytes = noise(12, MIB)
        const backup = await at.backedUp(await at.volume(), bytes.slice())
        await expect(at.driver.deleteBackup({ ...backup, ...changes })).rejects.toMatchObject({ code: expect.stringMatching(/^Invalid/) })
        await intact(backup, bytes)
      },
    )
  })

  describe('a record', () => {
    it('that was exported is imported over an empty database, and the backup restored and deleted there', async () => {
      const bytes = sparse(14)
      const backup = await at.backedUp(await at.volume(), bytes.slice())
      const info = JSON.parse(JSON.stringify(await at.driver.exportRecord(backup))) as Record<string, unknown>
      const elsewhere = await context({})
      await elsewhere.database.createBackup(backup)
      await elsewhere.driver.importRecord(backup, info)
      const target = await elsewhere.volume()
      const fresh = new Uint8Array(bytes.length)
      await elsewhere.restored(backup, fresh, { isNew: true, volumeId: target.id })
      expect(Buffer.compare(fresh, bytes)).toBe(0)
      await elsewhere.driver.deleteBackup(backup)
      expect(await at.store.stored(backup)).toEqual([])
    })

    it.each([{ container: '../..' }, { serviceMetadata: '/etc/passwd' }, { serviceMetadata: 'x\0' }])(
      'that names something outside is refused: %j',
      async (changes) => {
        const backup = await at.backedUp(await at.volume(), noise(15, 1000))
        const info = await at.driver.exportRecord(backup)
        await expect(at.driver.importRecord({ ...backup, ...changes }, info)).rejects.toMatchObject({ code: expect.stringMatching(/^Invalid/) })
      },
    )
  })

  it('a driver that is set up says so', async () => {
    await at.driver.checkForSetupError()
  })
}
