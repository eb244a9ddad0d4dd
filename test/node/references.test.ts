/** How a backup is named, found, shown, restored in part and deleted, through the command. */
import { readdirSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { openRepository } from '../../adapters/node/index.ts'
import { createKey, createUser, type User } from './command.ts'
import { compare, KIB, MIB, noise } from './content.ts'
import { sharedWorkplace, workplace } from './workplace.ts'

const VOLUME_BYTES = 5 * MIB + 1234
/** In the order they are made. The first two have 9 characters in common. */
const BACKUPS = [
  { id: 'abcdef01-2000-4000-8000-000000000001', volume: 'web' },
  { id: 'abcdef01-3000-4000-8000-000000000002', volume: 'web' },
  { id: '0123abcd-2000-4000-8000-000000000003', volume: 'db' },
] as const

const place = sharedWorkplace()
let user: User
let volume: string

beforeAll(async () => {
  const { key, path } = createKey(place)
  user = createUser(place)
  user.environment = { BLOCKVAULT_REPO: place.path('repository'), BLOCKVAULT_KEY_FILE: path }
  volume = place.file('volume', noise(1, VOLUME_BYTES))
  const repository = await openRepository({ repository: place.path('repository'), create: true, credentials: { key } })
  for (const options of BACKUPS) await repository.backup(volume, options)
  await repository.close()
})

describe('a reference', () => {
  const found: Record<string, string> = {
    latest: BACKUPS[2].id,
    'latest:db': BACKUPS[2].id,
    'latest:web': BACKUPS[1].id,
    [BACKUPS[0].id]: BACKUPS[0].id,
    'abcdef01-2': BACKUPS[0].id,
    '0123': BACKUPS[2].id,
    '0123ABCD': BACKUPS[2].id,
  }
  for (const [reference, id] of Object.entries(found)) {
    it(`${reference} names one backup`, async () => {
      expect(await user.done('show', reference)).toMatchObject({ backup: { id } })
    })
  }

  const refused: [reference: string, code: string, exitCode: number, says: string][] = [
    ['abcdef01', 'BACKUP_AMBIGUOUS', 15, 'fits 2 backups'],
    ['012', 'USAGE', 2, 'at least 4'],
    ['4567', 'BACKUP_NOT_FOUND', 15, '4567'],
    ['latest:mail', 'BACKUP_NOT_FOUND', 15, 'mail'],
    ['latest:', 'BACKUP_NOT_FOUND', 15, 'latest:'],
    ['../config', 'BACKUP_NOT_FOUND', 15, '../config'],
  ]
  for (const [reference, code, exitCode, says] of refused) {
    it(`${reference} is refused as ${code} by every command that takes one, and nothing is done`, async () => {
      const commands = [
        ['show', reference],
        ['restore', reference, place.path('never')],
        ['verify', reference],
        ['delete', BACKUPS[0].id, reference],
      ]
      for (const failure of await Promise.all(commands.map((args) => user.fails(...args)))) {
        expect(failure).toMatchObject({ code, exitCode })
        expect(failure.message).toContain(says)
      }
      expect(readdirSync(place.directory)).not.toContain('never')
      expect(await user.list()).toHaveLength(BACKUPS.length)
    })
  }

  it('to nothing at all is refused in an empty repository', async () => {
    const here = workplace()
    const other = createUser(here)
    await other.done('init', '--repo', here.path('repository'))
    expect(await other.fails('show', 'latest', '--repo', here.path('repository'))).toMatchObject({ code: 'BACKUP_NOT_FOUND', exitCode: 15 })
    expect((await other.run('list', '--repo', here.path('repository'))).stdout).toBe('No backups.\n')
  })
})

describe('list', () => {
  it('is newest first, of one volume when asked', async () => {
    expect((await user.list()).map(({ id }) => id)).toEqual([BACKUPS[2].id, BACKUPS[1].id, BACKUPS[0].id])
    expect((await user.list('--volume', 'web')).map(({ id }) => id)).toEqual([BACKUPS[1].id, BACKUPS[0].id])
    expect(await user.list('--volume', 'we')).toEqual([])
  })
})

describe('restore --range', () => {
  const ranges: [range: string, offset: number, length: number][] = [
    ['0:1', 0, 1],
    ['64K:64K', 64 * KIB, 64 * KIB],
    ['100000:3M', 100_000, 3 * MIB],
    [`${VOLUME_BYTES - 1}:1`, VOLUME_BYTES - 1, 1],
    [`0:${VOLUME_BYTES}`, 0, VOLUME_BYTES],
  ]
  for (const [range, offset, length] of ranges) {
    it(`${range} restores exactly this part`, async () => {
      const here = workplace()
      expect(await user.restore('latest', here.path('part'), '--range', range)).toMatchObject({ bytes: length })
      compare(volume, here.path('part'), '-i', `${offset}:0`, '-n', String(length))
      expect(readdirSync(here.directory)).toEqual(['part'])
    })
  }
  for (const range of [`${VOLUME_BYTES}:1`, `0:${VOLUME_BYTES + 1}`, '4M:2M', '0:0', '-1:5', '5', '1:2:3', '9007199254740991:9007199254740991']) {
    it(`${range} is refused, and no file is made`, async () => {
      const here = workplace()
      expect(await user.fails('restore', 'latest', here.path('part'), `--range=${range}`)).toMatchObject({ code: 'USAGE', exitCode: 2 })
      expect(readdirSync(here.directory)).toEqual([])
    })
  }
})

describe('delete', () => {
  it('removes these backups and no other, and what they held is used again', async () => {
    const here = workplace()
    const other = createUser(here)
    const [first, second, third] = [await other.backup(volume), await other.backup(volume), await other.backup(volume, '--volume', 'other')]
    expect(await other.done('delete', first.id, 'latest:volume', first.id.slice(0, 8))).toMatchObject({ deleted: [first.id, second.id] })
    expect((await other.list()).map(({ id }) => id)).toEqual([third.id])
    expect(await other.fails('delete', first.id)).toMatchObject({ code: 'BACKUP_NOT_FOUND', exitCode: 15 })
    await other.done('delete', third.id)
    expect(await other.list()).toEqual([])
    expect(await other.backup(volume)).toMatchObject({ newBytes: 0 })
    await other.restore('latest', here.path('restored'))
    compare(volume, here.path('restored'))
  })
})
