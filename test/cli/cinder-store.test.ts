/** The `cinder` commands as they are built, on copies of what Cinder wrote. */
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { BackupInfo } from '../../src/contract/backup.ts'
import { FIXTURES_PRESENT, type FixtureStep, fixtureSteps } from '../cinder/support/fixtures.ts'
import { createUser } from '../node/command.ts'
import { digestOf } from '../node/content.ts'
import { sharedWorkplace, workplace } from '../node/workplace.ts'

interface VerifyAnswer {
  backups: number
  objects: number
  bytes: number
  errors: { container: string; object: string; code: string; message: string; backups: string[] }[]
}

const steps = fixtureSteps
/** One of each driver: posix with bz2, objects in one shared container, an unchanged volume, an object store. */
const stores = [...new Set(steps.map(({ store }) => store))]
const byTitle = (title: string): FixtureStep => steps.find((step) => step.title === title)!

describe.skipIf(!FIXTURES_PRESENT)('cinder restore', () => {
  const place = sharedWorkplace()

  it.each(stores.map((store) => ({ store, title: store.split('/').at(-2)! })))(
    'gives back every step of $title, from the containers alone',
    async ({ store }) => {
      const user = createUser(place, `home-${store.split('/').at(-2)}`)
      for (const step of steps.filter((each) => each.store === store)) {
        const target = place.path(step.backupId)
        const result = await user.done('cinder', 'restore', store, step.backupId, target)
        expect(digestOf(target), step.title).toBe(step.sha256)
        expect(result).toMatchObject({ id: step.backupId, target, bytes: step.volumeBytes })
      }
    },
  )

  it('takes a container itself for STORE', async () => {
    const user = createUser(place, 'home-container')
    for (const title of ['posix-none 3', 's3-zlib 3']) {
      const step = byTitle(title)
      const store = join(step.store, step.container)
      await user.done('cinder', 'restore', store, step.backupId, place.path(title))
      expect(digestOf(place.path(title)), title).toBe(step.sha256)
      expect(await user.done('cinder', 'verify', store)).toMatchObject({ backups: 3, errors: [] })
    }
  })

  it('refuses a target that exists, and replaces it with --force, mode kept and nothing of it left', async () => {
    const user = createUser(place, 'home-force')
    const step = byTitle('posix-zlib 3')
    const target = place.file('taken', Buffer.alloc(step.volumeBytes * 2, 0xee))
    expect(await user.fails('cinder', 'restore', step.store, step.backupId, target)).toMatchObject({ code: 'TARGET_EXISTS', exitCode: 4 })
    expect(statSync(target).size).toBe(step.volumeBytes * 2)
    await user.done('cinder', 'restore', step.store, step.backupId, target, '--force')
    expect(digestOf(target)).toBe(step.sha256)
  })

  it('makes no file, and leaves the old one as it is, when an object is damaged', async () => {
    const user = createUser(place, 'home-damage')
    const step = byTitle('posix-zlib 3')
    const store = place.path('damaged-store')
    cpSync(step.store, store, { recursive: true })
    // Of the full backup: the wanted one builds on it.
    const object = join(store, byTitle('posix-zlib 1').container, `${byTitle('posix-zlib 1').prefix}-00002`)
    flip(object, 500)
    const fails = await user.fails('cinder', 'restore', store, step.backupId, place.path('never'))
    expect(fails).toMatchObject({ code: 'OBJECT_DAMAGED', exitCode: 13 })
    const old = place.file('old', 'as it was')
    expect(await user.fails('cinder', 'restore', store, step.backupId, old, '--force')).toMatchObject({ code: 'OBJECT_DAMAGED' })
    expect(readFileSync(old, 'utf8')).toBe('as it was')
    expect(readdirSync(place.directory).filter((name) => name === 'never' || name.includes('partial'))).toEqual([])
  })

  it('says so when there is no such backup, store or directory', async () => {
    const user = createUser(place, 'home-missing')
    const { store, backupId } = steps[0]!
    const unknown = '00000000-0000-4000-8000-000000000000'
    expect(await user.fails('cinder', 'restore', store, unknown, place.path('x'))).toMatchObject({ code: 'BackupNotFound', exitCode: 15 })
    expect(await user.fails('cinder', 'restore', place.path('nothing'), backupId, place.path('x'))).toMatchObject({ code: 'STORAGE_FAILED', exitCode: 14 })
    expect(await user.fails('cinder', 'restore', store, backupId, place.path('nothing', 'x'))).toMatchObject({ code: 'TARGET_DENIED', exitCode: 4 })
    expect(existsSync(place.path('x'))).toBe(false)
  })
})

describe.skipIf(!FIXTURES_PRESENT)('cinder verify', () => {
  it.each(stores.map((store) => ({ store, title: store.split('/').at(-2)! })))('finds nothing wrong in $title', async ({ store }) => {
    const own = steps.filter((step) => step.store === store)
    const answer = await createUser(workplace()).done<VerifyAnswer>('cinder', 'verify', store)
    expect(answer).toMatchObject({ backups: own.length, errors: [], objects: own.reduce((sum, { objectCount }) => sum + objectCount, 0) })
  })

  it('checks one backup and what it builds on', async () => {
    const user = createUser(workplace())
    const { store } = steps[0]!
    const own = steps.filter((step) => step.store === store)
    for (const [index, { backupId }] of own.entries())
      expect(await user.done('cinder', 'verify', store, backupId)).toMatchObject({ backups: index + 1, errors: [] })
    expect(await user.fails('cinder', 'verify', store, 'unknown')).toMatchObject({ code: 'BackupNotFound', exitCode: 15 })
  })

  const [first, second, third] = ['posix-none 1', 'posix-none 2', 'posix-none 3'].map(byTitle)
  const all = [first, second, third].map((step) => step?.backupId)
  const object = (store: string, step: FixtureStep, suffix: string) => join(store, step.container, step.prefix + suffix)
  const inManifest = (store: string, step: FixtureStep, change: (text: string) => string) => {
    const path = object(store, step, '_metadata')
    writeFileSync(path, change(readFileSync(path, 'utf8')))
  }

  it.each<[string, (store: string) => void, string, string, (string | undefined)[]]>([
    ['a flipped bit', (store) => flip(object(store, first!, '-00001'), 100), '-00001', 'OBJECT_DAMAGED', all],
    ['a truncated object', (store) => truncateSync(object(store, second!, '-00002'), 10), '-00002', 'OBJECT_DAMAGED', all.slice(1)],
    ['a missing object', (store) => rmSync(object(store, second!, '-00001')), '-00001', 'OBJECT_MISSING', all.slice(1)],
    ['an object too many', (store) => writeFileSync(object(store, third!, '-00009'), 'x'), '-00009', 'InvalidBackup', all.slice(2)],
    ['objects swapped', (store) => swap(object(store, first!, '-00001'), object(store, first!, '-00002')), '-00001', 'OBJECT_DAMAGED', all],
    [
      'an MD5 altered',
      (store) => inManifest(store, third!, (text) => text.replace(/"md5": "./, (md5) => md5.slice(0, -1) + (md5.endsWith('0') ? '1' : '0'))),
      '-00001',
      'OBJECT_DAMAGED',
      all.slice(2),
    ],
    [
      'a length altered',
      (store) => inManifest(store, third!, (text) => text.replace(/"length": (\d+)/, (_all, length) => `"length": ${Number(length) - 1}`)),
      '-00001',
      'OBJECT_DAMAGED',
      all.slice(2),
    ],
    ['hashes gone', (store) => rmSync(object(store, second!, '_sha256file')), '_sha256file', 'OBJECT_MISSING', all.slice(1)],
    [
      'hashes that are no JSON',
      (store) => writeFileSync(object(store, second!, '_sha256file'), '{"sha256s": [1'),
      '_sha256file',
      'InvalidBackup',
      all.slice(1),
    ],
    ['a manifest gone', (store) => rmSync(object(store, second!, '_metadata')), '_metadata', 'OBJECT_MISSING', all.slice(1)],
    ['a manifest that is no JSON', (store) => inManifest(store, second!, (text) => text.slice(0, -9)), '_metadata', 'InvalidBackup', all.slice(1)],
    [
      'a manifest of another version',
      (store) => inManifest(store, third!, (text) => text.replace('"1.0.0"', '"2.0.0"')),
      '_metadata',
      'InvalidBackup',
      all.slice(2),
    ],
    [
      'extents that overlap',
      (store) => inManifest(store, first!, (text) => text.replace('"offset": 49152', '"offset": 45056')),
      '_metadata',
      'InvalidBackup',
      all,
    ],
    [
      'extents with a gap',
      (store) => inManifest(store, first!, (text) => text.replace('"offset": 49152', '"offset": 53248')),
      '_metadata',
      'InvalidBackup',
      all,
    ],
    [
      'another volume',
      (store) => inManifest(store, second!, (text) => text.replace(/"volume_id": "."?/, '"volume_id": "z')),
      '_metadata',
      'InvalidBackup',
      all.slice(1),
    ],
    [
      'a cycle',
      (store) => inManifest(store, first!, (text) => text.replace('"parent_id": null', `"parent_id": "${third!.backupId}"`)),
      '_metadata',
      'InvalidBackup',
      all,
    ],
  ])('tells %s, and whom it hurts', async (_what, damage, suffix, code, hurt) => {
    const place = workplace()
    const store = place.path('store')
    cpSync(first!.store, store, { recursive: true })
    damage(store)
    const answer = await createUser(place).run('cinder', 'verify', store, '--json')
    expect(answer.exitCode, answer.stderr).toBe(13)
    const result = JSON.parse(answer.stdout.trimEnd().split('\n').at(-1)!) as VerifyAnswer
    const found = result.errors.filter((error) => error.object.endsWith(suffix) && error.code === code)
    expect(found, JSON.stringify(result.errors, undefined, 1)).not.toEqual([])
    expect(new Set(found.flatMap(({ backups }) => backups))).toEqual(new Set(hurt))
  })

  it('tells a parent that is not there', async () => {
    const place = workplace()
    const store = place.path('store')
    cpSync(first!.store, store, { recursive: true })
    for (const suffix of ['-00001', '-00002', '-00003', '_metadata', '_sha256file']) rmSync(object(store, first!, suffix))
    const answer = await createUser(place).run('cinder', 'verify', store, '--json')
    expect(answer.exitCode).toBe(13)
    const { errors } = JSON.parse(answer.stdout.trimEnd().split('\n').at(-1)!) as VerifyAnswer
    expect(errors).toMatchObject([{ code: 'BackupNotFound', object: `${second!.prefix}_metadata`, backups: all.slice(1) }])
  })
})

describe.skipIf(!FIXTURES_PRESENT)('cinder import and export', () => {
  it('bring every step into a repository and out again, and Cinder’s layout holds the same', { timeout: 300_000 }, async () => {
    const place = workplace()
    const user = createUser(place)
    await user.done('init', '--no-encryption', '--repo', place.path('repository'))
    const repo = ['--repo', place.path('repository')]
    const chain = steps.filter(({ title }) => title.startsWith('swift-zstd'))
    const out = place.path('out')
    for (const [index, step] of chain.entries()) {
      const backup = await user.done<BackupInfo>('cinder', 'import', step.store, step.backupId, ...repo)
      expect(backup).toMatchObject({ id: step.backupId, volume: step.volumeId, volumeBytes: step.volumeBytes })
      await user.done('restore', step.backupId, place.path(step.backupId), ...repo)
      expect(digestOf(place.path(step.backupId))).toBe(step.sha256)

      const compression = ['none', 'bz2', 'zstd'][index]!
      const parent = index === 0 ? [] : ['--parent', chain[index - 1]!.backupId]
      const sizes = ['--object-size', '64K', ...(index === 0 ? ['--block-size', '4K'] : [])]
      const exported = await user.done(
        'cinder',
        'export',
        step.backupId,
        out,
        ...repo,
        '--compression',
        compression,
        ...sizes,
        ...parent,
        '--record',
        place.path('record.json'),
      )
      expect(exported).toMatchObject({
        id: step.backupId,
        parentId: step.parentId,
        volumeId: step.volumeId,
        objects: step.objectCount,
        bytes: step.volumeBytes,
      })
      const record = JSON.parse(readFileSync(place.path('record.json'), 'utf8')) as Record<string, string>
      expect(Object.keys(record)).toEqual(['backup_service', 'backup_url'])
      expect(await user.done('cinder', 'record', 'decode', place.path('record.json'))).toMatchObject({
        id: step.backupId,
        parent_id: step.parentId,
        volume_id: step.volumeId,
        display_name: step.row['display_name'],
        display_description: step.row['display_description'],
        created_at: step.row['created_at'],
        object_count: step.objectCount,
        status: 'available',
      })

      rmSync(place.path(step.backupId))
      await user.done('cinder', 'restore', out, step.backupId, place.path(step.backupId))
      expect(digestOf(place.path(step.backupId))).toBe(step.sha256)
    }
    expect(await user.done('cinder', 'verify', out)).toMatchObject({ backups: chain.length, errors: [] })
    const { backups } = await user.done<{ backups: Record<string, unknown>[] }>('cinder', 'list', out)
    expect(backups).toMatchObject(
      chain.map(({ backupId, volumeId, row }) => ({ id: backupId, volumeId, name: row['display_name'], complete: true, problem: null })),
    )

    // Neither twice into the repository nor twice into one store.
    const again = await user.fails('cinder', 'import', chain[0]!.store, chain[0]!.backupId, ...repo)
    expect(again).toMatchObject({ code: 'OBJECT_EXISTS', exitCode: 14, message: expect.stringContaining('Delete it first') })
    expect(await user.fails('cinder', 'export', chain[0]!.backupId, out, ...repo)).toMatchObject({
      code: 'OBJECT_EXISTS',
      exitCode: 14,
    })
  })

  it('of a damaged backup leave nothing behind', async () => {
    const place = workplace()
    const user = createUser(place)
    await user.done('init', '--no-encryption', '--repo', place.path('repository'))
    const step = byTitle('posix-none 3')
    const store = place.path('store')
    cpSync(step.store, store, { recursive: true })
    flip(join(store, step.container, `${byTitle('posix-none 1').prefix}-00002`), 7)
    expect(await user.fails('cinder', 'import', store, step.backupId, '--repo', place.path('repository'))).toMatchObject({
      code: 'OBJECT_DAMAGED',
      exitCode: 13,
    })
    expect(await user.list('--repo', place.path('repository'))).toEqual([])
  })

  it('take a volume that Cinder never knew, full and then what changed', async () => {
    const place = workplace()
    const user = createUser(place)
    await user.done('init', '--no-encryption', '--repo', place.path('repository'))
    const repo = ['--repo', place.path('repository')]
    const source = place.file('disk', Buffer.alloc(300_000, 'first '))
    const full = await user.backup(source, ...repo)
    flip(source, 200_000)
    const next = await user.backup(source, ...repo)
    const sizes = ['--object-size', '128K', '--block-size', '4K']
    const exported = await user.done<{ volumeId: string }>('cinder', 'export', full.id, place.path('out'), ...repo, ...sizes)
    expect(await user.done('cinder', 'export', next.id, place.path('out'), ...repo, '--parent', full.id)).toMatchObject({
      volumeId: exported.volumeId,
      objects: 1,
      newBytes: 4096,
    })
    await user.done('cinder', 'restore', place.path('out'), next.id, place.path('back'))
    expect(digestOf(place.path('back'))).toBe(digestOf(source))

    // On a backup of another volume nothing can be built.
    const other = await user.backup(source, '--volume', 'another', ...repo)
    const refused = await user.fails('cinder', 'export', other.id, place.path('out'), ...repo, '--parent', full.id)
    expect(refused).toMatchObject({ code: 'InvalidBackup', message: expect.stringContaining('of volume') })
    expect(existsSync(place.path('out', other.id.slice(0, 2), other.id.slice(2, 4)))).toBe(false)
    const unknown = await user.fails('cinder', 'export', other.id, place.path('out'), ...repo, '--parent', other.id)
    expect(unknown).toMatchObject({ code: 'BackupNotFound', exitCode: 15 })
  })

  it.each([
    [['--compression', 'lz4'], '--compression must be one of'],
    [['--object-size', '0'], '--object-size must be'],
    [['--block-size', 'many'], '--block-size must be'],
    [['--object-size', '10000', '--block-size', '4096'], 'must be a multiple'],
  ])('export %j is refused before anything is opened', async (options, message) => {
    const place = workplace()
    const fails = await createUser(place).fails('cinder', 'export', 'latest', place.path('out'), '--repo', place.path('nothing'), ...options)
    expect(fails).toMatchObject({ code: 'USAGE', exitCode: 2, message: expect.stringContaining(message) })
  })
})

function flip(path: string, at: number): void {
  const bytes = readFileSync(path)
  bytes[Math.min(at, bytes.length - 1)]! ^= 1
  writeFileSync(path, bytes)
}

function swap(one: string, other: string): void {
  const aside = join(dirname(one), 'aside')
  renameSync(one, aside)
  renameSync(other, one)
  renameSync(aside, other)
}
