/** What every database keeps of volumes, their metadata, their types and snapshots. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { Database } from '../../../src/contract/database.ts'
import type { VolumeRecord } from '../../../src/contract/records.ts'
import type { DatabaseUnderTest } from './place.ts'
import { code, HARD_TEXTS, snapshotRecord, TIME, volumeRecord } from './records.ts'

export function volumeClaims(place: () => DatabaseUnderTest): void {
  let database: Database
  beforeEach(() => {
    database = place().database
  })
  const madeVolume = async (changes?: Partial<VolumeRecord>) => {
    const record = volumeRecord(changes)
    await database.createVolume(record)
    return record
  }

  describe('a volume', () => {
    it('comes back as it was written, with what it has beside the known fields', async () => {
      const others = { attach_status: 'detached', multiattach: false, list: [1, { deep: null }], ['__proto__']: { polluted: true }, text: '\0\ud83d' }
      const record = await madeVolume({ others, previousStatus: 'in-use', bootable: true, size: 2 ** 40, displayName: "it's \0" })
      expect(await database.volume(record.id)).toEqual(record)
      expect(Object.getPrototypeOf((await database.volume(record.id)).others)).toBe(Object.prototype)
      expect(Object.keys((await database.volume(record.id)).others)).toEqual(Object.keys(others))
    })

    it('is updated field by field, with a guard too', async () => {
      const record = await madeVolume({ status: 'available' })
      expect(await database.updateVolume(record.id, { status: 'backing-up', previousStatus: 'available' }, { from: ['in-use'] })).toBe(false)
      expect(await database.volume(record.id)).toEqual(record)
      expect(await database.updateVolume(record.id, { status: 'backing-up', previousStatus: 'available' }, { from: ['available', 'in-use'] })).toBe(true)
      expect(await database.volume(record.id)).toEqual({
        ...record,
        status: 'backing-up',
        previousStatus: 'available',
        updatedAt: expect.stringMatching(TIME),
      })
    })

    it('exists once, and is gone with its metadata once it was deleted', async () => {
      const record = await madeVolume()
      await expect(madeVolume({ id: record.id })).rejects.toEqual(code('InvalidVolume'))
      await database.updateVolumeMetadata(record.id, { key: 'value' })
      await database.replaceVolumeGlanceMetadata(record.id, { image: 'x' })
      await database.deleteVolume(record.id)
      await expect(database.volume(record.id)).rejects.toEqual(code('VolumeNotFound'))
      await madeVolume({ id: record.id })
      expect(await database.volumeMetadata(record.id)).toEqual({})
      expect(await database.volumeGlanceMetadata(record.id)).toBeUndefined()
    })

    it('of an unknown id is not found', async () => {
      await madeVolume()
      for (const asked of [
        () => database.volume('x'),
        () => database.updateVolume('x', {}),
        () => database.updateVolume('x', { status: 'error' }, { from: ['available'] }),
        () => database.deleteVolume('x'),
        () => database.volumeMetadata('x'),
        () => database.updateVolumeMetadata('x', {}),
        () => database.updateVolumeMetadata('x', {}, { replace: false }),
        () => database.volumeGlanceMetadata('x'),
        () => database.replaceVolumeGlanceMetadata('x', {}),
      ]) {
        await expect(asked()).rejects.toEqual(code('VolumeNotFound'))
      }
    })
  })

  describe('the metadata of a volume', () => {
    it('is empty at first, and replaced as a whole by default', async () => {
      const { id } = await madeVolume()
      expect(await database.volumeMetadata(id)).toEqual({})
      await database.updateVolumeMetadata(id, { a: '1', b: '2' })
      await database.updateVolumeMetadata(id, { b: '3' })
      expect(await database.volumeMetadata(id)).toEqual({ b: '3' })
      await database.updateVolumeMetadata(id, {})
      expect(await database.volumeMetadata(id)).toEqual({})
    })

    it('keeps its order, and other keys without `replace`', async () => {
      const { id } = await madeVolume()
      await database.updateVolumeMetadata(id, { zebra: '1', apple: '2' })
      await database.updateVolumeMetadata(id, { mango: '3', zebra: '4' }, { replace: false })
      expect(Object.entries(await database.volumeMetadata(id))).toEqual([
        ['zebra', '4'],
        ['apple', '2'],
        ['mango', '3'],
      ])
    })

    it('loses no key when many are added at once on two connections', async () => {
      const other = await place().again()
      const { id } = await madeVolume()
      const keys = Array.from({ length: 20 }, (_, index) => `key ${index}`)
      await Promise.all(keys.map((key, index) => [database, other][index % 2]!.updateVolumeMetadata(id, { [key]: 'x' }, { replace: false })))
      expect(Object.keys(await database.volumeMetadata(id)).sort()).toEqual([...keys].sort())
      await other.close()
    })

    it.each(Object.entries(HARD_TEXTS))('holds %s as a key and as a value', async (_, text) => {
      const { id } = await madeVolume()
      const metadata = { [text]: text, ['__proto__']: text, constructor: text }
      await database.updateVolumeMetadata(id, metadata)
      await database.replaceVolumeGlanceMetadata(id, metadata)
      for (const found of [await database.volumeMetadata(id), await database.volumeGlanceMetadata(id)]) {
        expect(Object.entries(found ?? {})).toEqual(Object.entries(metadata))
        expect(Object.getPrototypeOf(found)).toBe(Object.prototype)
      }
    })

    it('of the image is undefined until there is some, and again when it is replaced by nothing', async () => {
      const { id } = await madeVolume()
      expect(await database.volumeGlanceMetadata(id)).toBeUndefined()
      await database.replaceVolumeGlanceMetadata(id, { image_id: 'x', min_disk: '1' })
      await database.replaceVolumeGlanceMetadata(id, { image_id: 'y' })
      expect(await database.volumeGlanceMetadata(id)).toEqual({ image_id: 'y' })
      expect(await database.volumeMetadata(id)).toEqual({})
      await database.replaceVolumeGlanceMetadata(id, {})
      expect(await database.volumeGlanceMetadata(id)).toBeUndefined()
    })

    it('has strings only', async () => {
      const { id } = await madeVolume()
      const wrong = { size: 1 } as unknown as Record<string, string>
      await expect(database.updateVolumeMetadata(id, wrong)).rejects.toEqual(code('InvalidInput'))
      await expect(database.updateVolumeMetadata(id, wrong, { replace: false })).rejects.toEqual(code('InvalidInput'))
      await expect(database.replaceVolumeGlanceMetadata(id, wrong)).rejects.toEqual(code('InvalidInput'))
      expect(await database.volumeMetadata(id)).toEqual({})
    })

    it('is not touched by an update of the volume, nor the volume by its metadata', async () => {
      const { id } = await madeVolume()
      await database.updateVolumeMetadata(id, { key: 'value' })
      await database.updateVolume(id, { status: 'in-use' })
      expect(await database.volumeMetadata(id)).toEqual({ key: 'value' })
      const before = await database.volume(id)
      await database.updateVolumeMetadata(id, { key: 'other' })
      expect(await database.volume(id)).toEqual(before)
    })
  })

  describe('a volume type', () => {
    it('is found by its id, and exists once', async () => {
      await database.createVolumeType({ id: 'type-1', name: "fast 'n' encrypted" })
      expect(await database.volumeType('type-1')).toEqual({ id: 'type-1', name: "fast 'n' encrypted" })
      await expect(database.createVolumeType({ id: 'type-1', name: 'other' })).rejects.toEqual(code('InvalidInput'))
      await expect(database.volumeType('type-2')).rejects.toEqual(code('VolumeTypeNotFound'))
    })
  })

  describe('a snapshot', () => {
    it('is found, updated, and exists once', async () => {
      const record = snapshotRecord()
      await database.createSnapshot(record)
      expect(await database.snapshot(record.id)).toEqual(record)
      expect(await database.updateSnapshot(record.id, { status: 'backing-up' })).toBe(true)
      expect(await database.updateSnapshot(record.id, { status: 'error' }, { from: ['available'] })).toBe(false)
      expect(await database.snapshot(record.id)).toEqual({ ...record, status: 'backing-up' })
      await expect(database.createSnapshot(record)).rejects.toEqual(code('InvalidSnapshot'))
    })

    it('of an unknown id is no valid one', async () => {
      await expect(database.snapshot('x')).rejects.toEqual(code('InvalidSnapshot'))
      await expect(database.updateSnapshot('x', { status: 'error' })).rejects.toEqual(code('InvalidSnapshot'))
    })
  })
}
