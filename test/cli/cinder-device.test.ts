/** `cinder restore` in place, to a real block device. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { FIXTURES_PRESENT, fixtureSteps } from '../cinder/support/fixtures.ts'
import { createUser } from '../node/command.ts'
import { compare, digestOf, KIB, noise, overwrite, readPart } from '../node/content.ts'
import { attachLoop, lacksLoop, sparseFile } from '../node/devices.ts'
import { testUnless } from '../node/system.ts'
import { workplace } from '../node/workplace.ts'

const it = testUnless(lacksLoop, FIXTURES_PRESENT ? undefined : 'no ../shared/cinder here')
const DEVICE_BYTES = 256 * KIB

describe('a device with other content', () => {
  it('gets the backup, zeros and all, and keeps what lies beyond its end', async () => {
    const place = workplace()
    const user = createUser(place)
    const image = sparseFile(place, 'image', DEVICE_BYTES)
    const device = attachLoop(place, image)
    const old = noise(1, DEVICE_BYTES)
    for (const step of fixtureSteps.filter(({ title }) => title.endsWith(' 3'))) {
      overwrite(device, 0, old)
      expect(await user.fails('cinder', 'restore', step.store, step.backupId, device)).toMatchObject({ code: 'TARGET_EXISTS' })
      await user.done('cinder', 'restore', step.store, step.backupId, device, '--force')
      writeFileSync(place.path('part'), readPart(device, 0, step.volumeBytes))
      expect(digestOf(place.path('part')), step.title).toBe(step.sha256)
      expect(readPart(device, step.volumeBytes, DEVICE_BYTES).equals(old.subarray(step.volumeBytes))).toBe(true)
    }
  })

  it('keeps every byte when an object of the chain is damaged, or the device is too small', async () => {
    const place = workplace()
    const user = createUser(place)
    const device = attachLoop(place, sparseFile(place, 'image', DEVICE_BYTES))
    const old = place.file('old', noise(2, DEVICE_BYTES))
    overwrite(device, 0, readFileSync(old))
    const [first, , third] = fixtureSteps.filter(({ title }) => title.startsWith('posix-zstd'))
    const store = place.path('store')
    cpSync(third!.store, store, { recursive: true })
    // Of the newest backup, so that nothing newer hides it.
    const object = join(store, third!.container, `${third!.prefix}-00001`)
    const bytes = readFileSync(object)
    bytes[bytes.length - 1]! ^= 1
    writeFileSync(object, bytes)
    expect(await user.fails('cinder', 'restore', store, third!.backupId, device, '--force')).toMatchObject({ code: 'OBJECT_DAMAGED', exitCode: 13 })
    compare(device, old)

    const small = attachLoop(place, place.file('small', noise(3, 64 * KIB)))
    expect(await user.fails('cinder', 'restore', first!.store, first!.backupId, small, '--force')).toMatchObject({ code: 'TARGET_TOO_SMALL', exitCode: 4 })
    expect(readPart(small, 0, 64 * KIB).equals(noise(3, 64 * KIB))).toBe(true)
  })
})
