/**
 * Restores onto what has other content and is written in place, as block devices are. The devices are files that the platform
 * takes for devices, so that every test runs anywhere; the real ones have their suite in test/io.
 */
import { readFileSync, statSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Platform } from '../../src/contract/platform.ts'
import type { VolumeFacts } from '../../src/contract/volume.ts'
import { damages, damagedCopy, damageSubject } from './support/damage.ts'
import { coded, codeOf, newRepository, opened, platform } from './support/repositories.ts'
import { fingerprintOf, plantChunks } from './support/hostile.ts'
import { noise } from './support/random.ts'
import { fileOf, handleOf, spread, volumeOf } from './support/volumes.ts'

const MIB = 1024 * 1024
const SIZE = 5 * MIB + 512
const same = (left: Uint8Array, right: Uint8Array) => Buffer.compare(left, right) === 0
const volume = volumeOf(SIZE, spread(1, SIZE, 30))

/** Takes files whose names begin with `device` for block devices. */
const withDevices = (facts: Partial<VolumeFacts> = {}): Platform => ({
  ...platform,
  async volumeFacts(path) {
    const found = await platform.volumeFacts(path)
    return found && path.split('/').at(-1)?.startsWith('device') ? { ...found, kind: 'block-device', ...facts } : found
  },
})

describe('a device', () => {
  it('holds the volume afterwards and what was behind it, whatever it held before', async () => {
    const repository = await newRepository()
    const { id } = await opened(repository, (open) => open.backup(handleOf(volume)))
    for (const before of [noise(1, SIZE), noise(2, SIZE + 100_000), new Uint8Array(SIZE), volume]) {
      const device = fileOf(before, 'device')
      const { ino } = statSync(device)
      await opened(repository, (open) => open.restore(id, device, { force: true }), { on: withDevices() })
      const after = readFileSync(device)
      expect(same(after.subarray(0, SIZE), volume)).toBe(true)
      expect(same(after.subarray(SIZE), before.subarray(SIZE))).toBe(true)
      expect(statSync(device).ino, 'it is written in place').toBe(ino)
    }
  })

  it('gets a range at its start and keeps the rest', async () => {
    const repository = await newRepository()
    const { id } = await opened(repository, (open) => open.backup(handleOf(volume)))
    const before = noise(3, 2 * MIB)
    const device = fileOf(before, 'device')
    const range = { offset: 4 * MIB - 7777, length: 30_000 }
    await opened(repository, (open) => open.restore(id, device, { force: true, range }), { on: withDevices() })
    const after = readFileSync(device)
    expect(same(after.subarray(0, range.length), volume.subarray(range.offset, range.offset + range.length))).toBe(true)
    expect(same(after.subarray(range.length), before.subarray(range.length))).toBe(true)
  })

  it.each([
    ['without force', {}, {}, 'TARGET_EXISTS'],
    ['that is in use', { inUse: 'mounted at /srv' }, { force: true }, 'TARGET_IN_USE'],
    ['that is too small', { size: SIZE - 1 }, { force: true }, 'TARGET_TOO_SMALL'],
    ['that is in use and the source', { inUse: 'mounted at /srv' }, { force: true, overwriteSource: true }, 'TARGET_IN_USE'],
  ] as const)('%s is refused before a byte is written', async (_, facts, options, code) => {
    const repository = await newRepository()
    const { id } = await opened(repository, (open) => open.backup(handleOf(volume)))
    const before = noise(4, SIZE)
    const device = fileOf(before, 'device')
    expect(await codeOf(opened(repository, (open) => open.restore(id, device, options), { on: withDevices(facts) }))).toBe(code)
    expect(same(readFileSync(device), before)).toBe(true)
  })

  it('gets no wrong byte from a damaged repository: each is the volume’s or still its own', async () => {
    const subject = await damageSubject(true)
    const { info, volume: backedUp } = subject.backups[1]!
    const before = new Uint8Array(backedUp.length).fill(0xee)
    let failed = 0
    for (const damage of await damages(subject)) {
      if (!/^the pack of backup 2/.test(damage.title)) continue
      const device = fileOf(before, 'device')
      const code = await codeOf(opened(damagedCopy(subject, damage), (open) => open.restore(info.id, device, { force: true }), { on: withDevices() }))
      const after = readFileSync(device)
      if (code === undefined) expect(same(after, backedUp), damage.title).toBe(true)
      else failed++
      const wrong = after.findIndex((byte, at) => byte !== backedUp[at] && byte !== before[at])
      expect(wrong, `${damage.title}: first wrong byte`).toBe(-1)
    }
    expect(failed).toBeGreaterThan(10)
  })

  it('gets no byte of a chunk that is not the one its map asks for', async () => {
    const repository = await newRepository()
    const right = noise(9, 4096)
    const claim = await fingerprintOf(repository, right)
    await plantChunks(repository, [noise(10, 4096)], (frame) => ({ ...frame, fingerprints: claim.slice() }))
    const before = noise(11, 4096)
    const device = fileOf(before, 'device')
    await opened(
      repository,
      async (open) => {
        const { id } = await open.backup(handleOf(right))
        await expect(open.restore(id, device, { force: true })).rejects.toEqual(coded('OBJECT_DAMAGED'))
      },
      { on: withDevices() },
    )
    expect(same(readFileSync(device), before)).toBe(true)
  })
})
