/** What can be backed up and what can not: each refusal has its code, and leaves no backup behind. */
import { chmodSync, mkdirSync, readdirSync, symlinkSync, truncateSync } from 'node:fs'
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createMemoryStorage, openRepository } from '../../adapters/node/index.ts'
import { createUnprivileged, createUser, jsonLines, lacksUnprivileged } from './command.ts'
import { allocatedBytes, compare, KIB, MIB, noise, overwrite, readPart } from './content.ts'
import { sparseFile } from './devices.ts'
import { isRoot, testUnless, tool } from './system.ts'
import { sharedWorkplace, workplace } from './workplace.ts'

const GIB = 1024 * MIB

describe('a source that is', () => {
  const place = sharedWorkplace()

  /** The source, and the code its backup must fail with. */
  const refused: Record<string, [make: (name: string) => string, code: string]> = {
    missing: [(name) => place.path(name), 'SOURCE_MISSING'],
    'below a file': [(name) => `${place.file(name, 'x')}/volume`, 'SOURCE_MISSING'],
    'a link to nowhere': [(name) => link(place.path('nowhere'), place.path(name)), 'SOURCE_MISSING'],
    'a link to itself': [(name) => link(place.path(name), place.path(name)), 'SOURCE_UNSUPPORTED'],
    'a directory': [(name) => place.folder(name), 'SOURCE_UNSUPPORTED'],
    'a FIFO without a writer': [(name) => fifo(place.path(name)), 'SOURCE_UNSUPPORTED'],
    'a character device': [() => '/dev/zero', 'SOURCE_UNSUPPORTED'],
    'the null device': [() => '/dev/null', 'SOURCE_UNSUPPORTED'],
  }
  for (const [index, [what, [make, code]]] of Object.entries(refused).entries()) {
    it(`${what} is refused as ${code}, with nothing made for it`, async () => {
      const user = createUser(place, `home-${index}`)
      expect(await user.fails('backup', make(`source-${index}`))).toMatchObject({ code, exitCode: 3 })
      expect(readdirSync(user.home)).toEqual([])
    })
  }

  it('a socket is refused', async () => {
    const here = workplace()
    const server = createServer().listen(here.path('socket'))
    here.later(() => server.close())
    expect(await createUser(here).fails('backup', here.path('socket'))).toMatchObject({ code: 'SOURCE_UNSUPPORTED', exitCode: 3 })
  })

  // Defect in src/repository/source.ts: the volume is named by what the link means, so LVM's /dev/vg/root is `dm-0` today.
  it('a link is backed up under its own name, and its source is what it means', async () => {
    const here = workplace()
    const source = link(here.file('dm-0', noise(1, 100 * KIB)), here.path('root'))
    expect(await createUser(here).backup(source)).toMatchObject({ volume: 'root', sourcePath: here.path('dm-0') })
  })

  testUnless(lacksUnprivileged())('not readable is refused', async () => {
    const here = workplace()
    const user = createUnprivileged(here)
    const source = here.file('secret', 'x')
    chmodSync(source, isRoot ? 0o600 : 0)
    expect(await user.fails('backup', source)).toMatchObject({ code: 'SOURCE_DENIED', exitCode: 3 })
    mkdirSync(here.path('closed'), { mode: isRoot ? 0o700 : 0 })
    expect(await user.fails('backup', here.path('closed', 'disk'))).toMatchObject({ code: 'SOURCE_DENIED', exitCode: 3 })
  })
})

describe('a source that changes its size while it is read', () => {
  const sizes = { 'shrinks to nothing': 0, 'shrinks a little': GIB - 1, grows: GIB + 1 }
  for (const [what, size] of Object.entries(sizes)) {
    it(`and ${what} is refused as SOURCE_CHANGED, with no backup made`, async () => {
      const place = workplace()
      const user = createUser(place)
      await user.backup(place.file('small', noise(1, MIB)))
      const source = sparseFile(place, 'source', GIB)
      const running = user.start('backup', source, '--json')
      await running.said('stdout', /"progress"/)
      truncateSync(source, size)
      const answer = await running.answer
      const last = jsonLines(answer).at(-1)
      expect(last).toMatchObject({ type: 'error', code: 'SOURCE_CHANGED', exitCode: 3 })
      expect(answer.exitCode).toBe(3)
      if (size === 0) expect(last).toHaveProperty('details.offset')
      expect(await user.list()).toHaveLength(1)
    })
  }
})

describe('a volume', () => {
  it('of no bytes is a backup, and restores to a file of no bytes', async () => {
    const place = workplace()
    const user = createUser(place)
    expect(await user.backup(place.file('empty', ''))).toMatchObject({ volumeBytes: 0, readBytes: 0, newBytes: 0 })
    expect((await user.verify('--read-data')).errors).toEqual([])
    expect(await user.restore('latest', place.path('restored'))).toMatchObject({ bytes: 0, writtenBytes: 0 })
    compare(place.path('empty'), place.path('restored'))
  })

  it('of any odd size comes back to the byte', async () => {
    const place = workplace()
    const repository = await openRepository({ repository: createMemoryStorage(), create: true, credentials: { key: noise(1, 32) }, workers: 0 })
    const around = [512, 4 * KIB, 64 * KIB, MIB, 4 * MIB].flatMap((bytes) => [bytes - 1, bytes, bytes + 1])
    try {
      for (const bytes of [1, 2, ...around, 4 * MIB + 64 * KIB + 1, 9 * MIB - 513]) {
        const source = place.file(`source-${bytes}`, noise(bytes, bytes))
        const { id } = await repository.backup(source)
        await repository.restore(id, place.path(`restored-${bytes}`))
        compare(source, place.path(`restored-${bytes}`))
      }
    } finally {
      await repository.close()
    }
  })

  it('of more than 4 GiB, nearly all holes, comes back with each byte in its place and the holes in theirs', async () => {
    const place = workplace()
    const user = createUser(place)
    const source = sparseFile(place, 'source', 4 * GIB + 5 * MIB + 1)
    const islands: [offset: number, length: number][] = [
      [0, 1],
      [2 * GIB - 1, 2],
      [4 * GIB - 3 * KIB, 5 * KIB],
      [4 * GIB + 5 * MIB - 100, 101],
    ]
    for (const [offset, length] of islands) overwrite(source, offset, noise(offset, length))
    const { volumeBytes, newBytes } = await user.backup(source)
    expect(volumeBytes).toBe(4 * GIB + 5 * MIB + 1)
    expect(newBytes).toBeLessThanOrEqual(7 * 64 * KIB)
    const target = place.path('restored')
    const { writtenBytes } = await user.restore('latest', target)
    expect(writtenBytes).toBe(newBytes)
    for (const [offset, length] of islands) expect(readPart(target, offset, length)).toEqual(noise(offset, length))
    for (const [offset, length] of islands) expect(readPart(target, offset + length, 4 * KIB).every((byte) => byte === 0)).toBe(true)
    expect(allocatedBytes(target)).toBeLessThanOrEqual(newBytes + 64 * KIB)
  })
})

function link(to: string, at: string): string {
  symlinkSync(to, at)
  return at
}

function fifo(path: string): string {
  tool('mkfifo', path)
  return path
}
