/** The main job on real parts: a loop device over a real ext4 file system. */
import { cpSync, readdirSync, statSync, truncateSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, onTestFinished } from 'vitest'
import { createUser, type User } from './command.ts'
import { allocatedBytes, compare, digestOf, KIB, MIB, noise, overwrite, readPart } from './content.ts'
import { attachLoop, lacksDeviceMapper, lacksExt4, lacksLoop, mapDevice, sparseFile } from './devices.ts'
import { testUnless, tool } from './system.ts'
import { sharedWorkplace, workplace } from './workplace.ts'

const IMAGE_BYTES = 128 * MIB
/** Real files that every checkout has: text and programs, some 60 MB. */
const FILES = ['typescript/lib', '@esbuild', 'zod', 'vitest'].map((path) => fileURLToPath(new URL(`../../node_modules/${path}`, import.meta.url)))

const it = testUnless(lacksLoop, lacksExt4)

describe('a loop device over a real ext4 file system', () => {
  const place = sharedWorkplace()
  let image: string
  let device: string
  let user: User

  beforeAll(async () => {
    if (lacksLoop ?? lacksExt4) return
    const files = place.folder('files')
    for (const path of FILES) cpSync(path, `${files}/${path.slice(dirname(path).length)}`, { recursive: true })
    image = sparseFile(place, 'image', IMAGE_BYTES)
    tool('mkfs.ext4', '-q', '-F', '-d', files, image)
    device = attachLoop(place, image)
    user = createUser(place)
    await user.backup(device, '--volume', 'disk')
  })

  it('backs up whole, and verifies to the last byte', async () => {
    const [first] = await user.list()
    expect(first).toMatchObject({ volume: 'disk', volumeBytes: IMAGE_BYTES, readBytes: IMAGE_BYTES, sourcePath: device })
    const { errors, backups, chunks, bytes } = await user.verify('--read-data')
    expect(errors).toEqual([])
    expect(backups).toBe(1)
    // Real files: some of the image at the least, and its empty space is never a chunk.
    expect(bytes).toBeGreaterThan(20 * MIB)
    expect(bytes).toBeLessThan(allocatedBytes(image) + chunks * 64 * KIB)
    expect(first?.storedBytes).toBeLessThan(bytes)
  })

  it('restores to another device full of something else, zeros as zeros', async () => {
    const other = sparseFile(place, 'other', IMAGE_BYTES)
    for (let offset = 0; offset < IMAGE_BYTES; offset += 32 * MIB) overwrite(other, offset, noise(offset, 32 * MIB))
    const target = attachLoop(place, other)
    const { bytes } = await user.restore('latest', target, '--force')
    expect(bytes).toBe(IMAGE_BYTES)
    compare(device, target)
  })

  it('restores to a new file that is as sparse as the image', async () => {
    const target = place.path('restored')
    await user.restore('latest:disk', target)
    compare(device, target)
    // Whole 64 KiB chunks are written, so an island of content may grow by less than that at its end.
    expect(allocatedBytes(target)).toBeLessThan(allocatedBytes(image) + MIB)
  })

  it('stores less than 0.1 % of an unchanged device again', async () => {
    const before = treeBytes(user.home)
    const second = await user.backup(device, '--volume', 'disk')
    expect(second).toMatchObject({ newBytes: 0, readBytes: IMAGE_BYTES })
    expect(second.storedBytes).toBeLessThan(IMAGE_BYTES / 1000)
    expect(treeBytes(user.home) - before).toBeLessThan(IMAGE_BYTES / 1000)
    const [newest, first] = await user.list('--volume', 'disk')
    expect(newest?.digest).toBe(first?.digest)
  })
})

describe('a device', () => {
  it('of an odd number of sectors is backed up to its last one', async () => {
    const place = workplace()
    const user = createUser(place)
    const bytes = 5 * MIB + 3 * 512
    const device = attachLoop(place, place.file('image', noise(1, bytes)))
    expect(await user.backup(device)).toMatchObject({ volumeBytes: bytes, volume: device.slice('/dev/'.length) })
    await user.restore('latest', place.path('restored'))
    compare(device, place.path('restored'))
  })

  it('that is larger than the backup keeps every byte behind it', async () => {
    const place = workplace()
    const user = createUser(place)
    await user.backup(place.file('source', noise(1, 3 * MIB + 100)))
    const device = attachLoop(place, place.file('other', noise(2, 5 * MIB)))
    await user.restore('latest', device, '--force')
    compare(place.path('source'), device, '-n', String(3 * MIB + 100))
    // Not by toEqual, which takes seconds for so many bytes.
    expect(Buffer.compare(readPart(device, 3 * MIB + 100, 2 * MIB), noise(2, 5 * MIB).subarray(3 * MIB + 100))).toBe(0)
  })

  it('that is mounted can be backed up', async () => {
    const place = workplace()
    const user = createUser(place)
    const image = sparseFile(place, 'image', 16 * MIB)
    tool('mkfs.ext4', '-q', '-F', image)
    const device = attachLoop(place, image)
    const at = place.folder('mounted')
    tool('mount', '-o', 'ro', device, at)
    onTestFinished(() => void tool('umount', at))
    await user.backup(device)
    await user.restore('latest', place.path('restored'))
    compare(device, place.path('restored'))
  })

  testUnless(lacksLoop, lacksDeviceMapper)('with a bad part in its middle fails at the offset, and leaves no backup', async () => {
    const place = workplace()
    const user = createUser(place)
    await user.backup(place.file('small', noise(2, MIB)))
    const loop = attachLoop(place, place.file('image', noise(1, 32 * MIB)))
    const [bad, good] = [(10 * MIB) / 512, (12 * MIB) / 512]
    const table = [`0 ${bad} linear ${loop} 0`, `${bad} ${good - bad} error`, `${good} ${(32 * MIB) / 512 - good} linear ${loop} ${good}`]
    const device = mapDevice(place, `${table.join('\n')}\n`)
    const { code, exitCode, details } = await user.fails('backup', device, '--workers', '1')
    expect({ code, exitCode }).toEqual({ code: 'SOURCE_READ_FAILED', exitCode: 3 })
    expect(details).toMatchObject({ path: device, offset: 10 * MIB, system: 'EIO' })
    expect(await user.list()).toHaveLength(1)
  })

  it('that loses its end fails at the offset, and leaves no backup', async () => {
    // Reads of a loop device fail with EIO where its file has no bytes any more.
    const place = workplace()
    const user = createUser(place)
    // Inside a segment, and where the kernel's largest read-ahead unit begins: it fails as a whole.
    const goodBytes = 42 * MIB
    const image = place.file('image', noise(1, 64 * MIB))
    const device = attachLoop(place, image)
    await user.backup(place.file('small', noise(2, MIB)))
    truncateSync(image, goodBytes)

    const { code, message, details, exitCode } = await user.fails('backup', device, '--workers', '1')
    expect({ code, exitCode }).toEqual({ code: 'SOURCE_READ_FAILED', exitCode: 3 })
    expect(details).toMatchObject({ path: device, offset: goodBytes, system: 'EIO' })
    expect(message).toContain(`offset ${goodBytes}`)
    // Of several workers, any one may be the first to meet the bad part.
    expect((await user.fails('backup', device, '--workers', '3')).details['offset']).toBeGreaterThanOrEqual(goodBytes)
    expect(await user.list()).toHaveLength(1)
    expect((await user.verify('--read-data')).errors).toEqual([])

    overwrite(image, goodBytes, noise(3, 64 * MIB - goodBytes))
    await user.backup(device)
    await user.restore('latest', place.path('restored'))
    expect(digestOf(place.path('restored'))).toBe(digestOf(device))
  })
})

function treeBytes(path: string): number {
  const stats = statSync(path)
  return stats.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + treeBytes(`${path}/${name}`), 0) : stats.size
}
