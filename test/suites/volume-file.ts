/** What every `VolumeFile` keeps (src/contract/volume.ts), whichever way its calls reach the volume. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { VolumeFile, VolumeKind, VolumeMode } from '../../src/contract/volume.ts'
import type { Pool } from '../../src/io/pool.ts'
import { openVolumeFile } from '../../src/io/volume-file.ts'
import { noise, numbers, SEED } from '../repository/support/random.ts'
import { same } from './bytes.ts'

export interface VolumePlace {
  kind: VolumeKind
  pool(): Promise<Pool>
  /** A volume that holds the bytes; its path. */
  make(bytes: Uint8Array): string
  /** What the volume holds, read without blockvault. */
  read(path: string): Uint8Array
}

const MIB = 1 << 20
/** Three transfers of at most 4 MiB, the last one short. A multiple of 512, as block devices are. */
const SIZE = 9 * MIB + 512

const code = (expected: string) => expect.objectContaining({ name: 'BlockvaultError', code: expected })

export function volumeFileSuite(name: string, place: VolumePlace): void {
  describe(`a volume file ${name}`, () => {
    let pool: Pool
    const content = noise(1, SIZE)
    beforeAll(async () => {
      pool = await place.pool()
      return () => pool.close()
    })
    readClaims(place.kind, (bytes) => openVolumeFile(pool, place.make(bytes), { mode: 'read' }))

    async function opened(bytes: Uint8Array, mode: VolumeMode, work: (file: VolumeFile, path: string) => Promise<void>): Promise<void> {
      const path = place.make(bytes)
      const file = await openVolumeFile(pool, path, { mode })
      try {
        await work(file, path)
      } finally {
        await file.close()
      }
    }

    it('moves its position by what was read and written, and by seeking', () =>
      opened(content, 'write', async (file, path) => {
        expect(await file.tell()).toBe(0)
        expect(same(await file.read(1000), content.subarray(0, 1000))).toBe(true)
        expect(await file.tell()).toBe(1000)
        await file.readAt(5, 5)
        expect(await file.tell(), 'readAt does not move it').toBe(1000)
        await file.write(new Uint8Array(500).fill(1))
        expect(await file.tell()).toBe(1500)
        await file.writeAt(7, Uint8Array.of(2))
        expect(await file.tell(), 'writeAt does not move it').toBe(1500)
        expect(same(await file.read(10), content.subarray(1500, 1510))).toBe(true)
        expect(await file.seek(20)).toBe(20)
        expect(await file.seek(-5, 'current')).toBe(15)
        expect(await file.seek(-100, 'end')).toBe(SIZE - 100)
        expect(same(await file.read(1000), content.subarray(SIZE - 100))).toBe(true)
        expect(await file.tell()).toBe(SIZE)
        expect(await file.read(10)).toHaveLength(0)
        expect(await file.seek(10, 'end')).toBe(SIZE + 10)
        expect(await file.read(10)).toHaveLength(0)
        await file.flush()
        const expected = content.slice()
        expected.fill(1, 1000, 1500)
        expected[7] = 2
        expect(same(place.read(path), expected)).toBe(true)
      }))

    it('takes reads and writes that are asked for at once in their order', () =>
      opened(content, 'write', async (file, path) => {
        const [first, second, , third, at] = await Promise.all([
          file.read(10),
          file.read(10),
          file.write(new Uint8Array(10).fill(7)),
          file.read(10),
          file.tell(),
        ])
        expect([first, second, third].map((bytes, read) => same(bytes, content.subarray([0, 10, 30][read]!, [10, 20, 40][read])))).toEqual([true, true, true])
        expect(at).toBe(40)
        await file.flush()
        expect(same(place.read(path).subarray(20, 30), new Uint8Array(10).fill(7))).toBe(true)
      }))

    it('copies what is to be written before the call returns', () =>
      opened(content, 'write', async (file, path) => {
        const bytes = noise(2, SIZE)
        const written = bytes.slice()
        const done = file.write(bytes)
        bytes.fill(0)
        await done
        const more = noise(3, 6 * MIB)
        const moreWritten = more.slice()
        const moreDone = file.writeAt(MIB, more)
        more.fill(0)
        await moreDone
        await file.flush()
        written.set(moreWritten, MIB)
        expect(same(place.read(path), written)).toBe(true)
      }))

    it('refuses to write beyond its end, and writes none of it', () =>
      opened(content, 'write', async (file, path) => {
        const refused = code('TARGET_TOO_SMALL')
        await expect(file.writeAt(SIZE - 1, new Uint8Array(2))).rejects.toEqual(refused)
        await expect(file.writeAt(SIZE, new Uint8Array(1))).rejects.toEqual(refused)
        await expect(file.writeAt(0, new Uint8Array(SIZE + 1))).rejects.toEqual(refused)
        await expect(file.punchHole(SIZE - 10, 11)).rejects.toEqual(refused)
        await file.seek(SIZE - 1)
        await expect(file.write(new Uint8Array(2))).rejects.toEqual(refused)
        expect(await file.tell(), 'a write that failed does not move it').toBe(SIZE - 1)
        await file.writeAt(SIZE, new Uint8Array(0))
        await file.flush()
        expect(same(place.read(path), content)).toBe(true)
      }))

    it('refuses to write what is no range', () =>
      opened(content, 'write', async (file) => {
        const usage = code('USAGE')
        for (const number of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
          await expect(file.writeAt(number, new Uint8Array(1)), `writeAt ${number}`).rejects.toEqual(usage)
          await expect(file.punchHole(number, 1), `punchHole ${number}`).rejects.toEqual(usage)
        }
      }))

    it('punches holes that read as zeros and touch nothing beside them', () =>
      opened(content, 'write', async (file, path) => {
        const expected = content.slice()
        for (const [offset, length] of [
          [0, 1],
          [4095, 4098],
          [MIB - 1, 2 * MIB + 2],
          [5 * MIB, 0],
          [SIZE - 512, 512],
        ] as const) {
          await file.punchHole(offset, length)
          expected.fill(0, offset, offset + length)
        }
        await file.flush()
        expect(same(place.read(path), expected)).toBe(true)
      }))

    it('keeps its volume as it is when opened for reading', () =>
      opened(content, 'read', async (file, path) => {
        await expect(file.writeAt(0, Uint8Array.of(1))).rejects.toEqual(code('TARGET_WRITE_FAILED'))
        expect(same(place.read(path), content)).toBe(true)
      }))

    it('can not be written after it was closed, however it is', async () => {
      const file = await openVolumeFile(pool, place.make(content), { mode: 'write' })
      await file.close()
      await file.close()
      await file[Symbol.asyncDispose]()
      const calls = {
        write: () => file.write(Uint8Array.of(1)),
        writeAt: () => file.writeAt(0, Uint8Array.of(1)),
        'writeAt of nothing': () => file.writeAt(0, new Uint8Array(0)),
        punchHole: () => file.punchHole(0, 1),
        flush: () => file.flush(),
      }
      for (const [call, run] of Object.entries(calls)) await expect(run(), call).rejects.toEqual(code('CLOSED'))
    })

    it(`does what an array does, in any order of calls (seed ${SEED})`, () =>
      opened(content, 'write', async (file, path) => {
        const below = numbers(SEED)
        const model = content.slice()
        for (let step = 0; step < 60; step++) {
          const offset = below(SIZE)
          const length = Math.min(below(2 ** below(23)), SIZE - offset)
          if (step % 3 === 0)
            expect(same(await file.readAt(offset, length), model.subarray(offset, offset + length)), `step ${step}: ${offset}+${length}`).toBe(true)
          if (step % 3 === 1) {
            const bytes = noise(SEED + step, length)
            model.set(bytes, offset)
            await file.writeAt(offset, bytes)
          }
          if (step % 3 === 2) {
            model.fill(0, offset, offset + length)
            await file.punchHole(offset, length)
          }
        }
        await file.flush()
        expect(same(place.read(path), model)).toBe(true)
      }))
  })
}

/** What a volume keeps that can only be read. `open`: a new one that holds the bytes. */
export function volumeReadSuite(name: string, kind: VolumeKind, open: (bytes: Uint8Array<ArrayBuffer>) => Promise<VolumeFile>): void {
  describe(`a volume file ${name}`, () => readClaims(kind, open))
}

function readClaims(kind: VolumeKind, open: (bytes: Uint8Array<ArrayBuffer>) => Promise<VolumeFile>): void {
  const content = noise(1, SIZE)
  async function opened(work: (file: VolumeFile) => Promise<void>): Promise<void> {
    const file = await open(content)
    try {
      await work(file)
    } finally {
      await file.close()
    }
  }

  it('knows its kind and size', () =>
    opened(async (file) => {
      expect(file.kind).toBe(kind)
      expect(file.size).toBe(SIZE)
    }))

  it('reads any range, across the transfers it is split into', () =>
    opened(async (file) => {
      for (const [offset, length] of [
        [0, 0],
        [0, 1],
        [0, SIZE],
        [1, SIZE - 1],
        [4 * MIB - 1, 2],
        [4 * MIB, 4 * MIB],
        [4 * MIB - 3, 4 * MIB + 9],
        [SIZE - 1, 1],
        [511, 1025],
      ] as const) {
        const bytes = await file.readAt(offset, length)
        expect(same(bytes, content.subarray(offset, offset + length)), `${offset}+${length}`).toBe(true)
        expect(bytes.buffer.byteLength, 'owns its buffer').toBe(length)
      }
    }))

  it('reads less at the end and nothing behind it', () =>
    opened(async (file) => {
      expect(same(await file.readAt(SIZE - 10, 100), content.subarray(SIZE - 10))).toBe(true)
      expect(same(await file.readAt(SIZE - 5 * MIB, 6 * MIB), content.subarray(SIZE - 5 * MIB))).toBe(true)
      expect(await file.readAt(SIZE, 10)).toHaveLength(0)
      expect(await file.readAt(2 ** 50, 10)).toHaveLength(0)
    }))

  it('moves its position by what was read, and by seeking', () =>
    opened(async (file) => {
      expect(await file.tell()).toBe(0)
      expect(same(await file.read(1000), content.subarray(0, 1000))).toBe(true)
      await file.readAt(5, 5)
      expect(await file.tell(), 'readAt does not move it').toBe(1000)
      expect(await file.seek(20)).toBe(20)
      expect(await file.seek(-5, 'current')).toBe(15)
      expect(await file.seek(-100, 'end')).toBe(SIZE - 100)
      expect(same(await file.read(1000), content.subarray(SIZE - 100))).toBe(true)
      expect(await file.seek(10, 'end')).toBe(SIZE + 10)
      expect(await file.read(10)).toHaveLength(0)
    }))

  it('takes reads that are asked for at once in their order', () =>
    opened(async (file) => {
      const [first, second, at, third] = await Promise.all([file.read(10), file.read(5 * MIB), file.tell(), file.read(10)])
      expect(same(first, content.subarray(0, 10))).toBe(true)
      expect(same(second, content.subarray(10, 10 + 5 * MIB))).toBe(true)
      expect(at).toBe(10 + 5 * MIB)
      expect(same(third, content.subarray(10 + 5 * MIB, 20 + 5 * MIB))).toBe(true)
    }))

  it('refuses to read what is no range or position', () =>
    opened(async (file) => {
      for (const number of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
        await expect(file.readAt(number, 1), `readAt ${number}`).rejects.toEqual(code('USAGE'))
        await expect(file.readAt(0, number), `readAt 0+${number}`).rejects.toEqual(code('USAGE'))
        await expect(file.read(number), `read ${number}`).rejects.toEqual(code('USAGE'))
        await expect(file.seek(number), `seek ${number}`).rejects.toEqual(code('USAGE'))
      }
      await expect(file.seek(-1, 'current')).rejects.toEqual(code('USAGE'))
      await expect(file.seek(-SIZE - 1, 'end')).rejects.toEqual(code('USAGE'))
      expect(await file.tell()).toBe(0)
    }))

  it('can not be read after it was closed, however it is', async () => {
    const file = await open(content)
    await file.close()
    await file.close()
    await file[Symbol.asyncDispose]()
    for (const call of [() => file.read(1), () => file.readAt(0, 1), () => file.readAt(0, SIZE), () => file.seek(1), () => file.tell()]) {
      await expect(call()).rejects.toEqual(code('CLOSED'))
    }
  })

  it('leaves other volumes open when it is closed', () =>
    opened(async (file) => {
      await opened(async (other) => expect(await other.readAt(0, 1)).toHaveLength(1))
      expect(same(await file.readAt(0, 10), content.subarray(0, 10))).toBe(true)
    }))
}
