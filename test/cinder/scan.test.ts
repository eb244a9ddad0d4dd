import { describe, expect, it } from 'vitest'
import { createDirectoryObjects } from '../../adapters/node/object-store.ts'
import { encodeManifest } from '../../src/cinder/metadata.ts'
import { scanStore } from '../../src/cinder/scan.ts'
import { indexStore } from '../../src/cinder/store-index.ts'
import { FIXTURES_PRESENT, fixtureSteps } from './support/fixtures.ts'
import { backupIdOf, madeStore, memberOf, prefixOf, VOLUME_ID } from './support/manifests.ts'

describe.skipIf(!FIXTURES_PRESENT)('a scan of what Cinder wrote', () => {
  it.each([...new Set(fixtureSteps.map(({ store }) => store))].map((store) => ({ store, title: store.split('/').at(-2)! })))(
    'finds the chains of $title',
    async ({ store }) => {
      const steps = fixtureSteps.filter((step) => step.store === store)
      const { backups, damaged } = await scanStore(createDirectoryObjects(store))
      expect(damaged).toEqual([])
      expect(backups.map(({ id }) => id)).toEqual(steps.map(({ backupId }) => backupId))
      for (const [index, step] of steps.entries()) {
        expect(backups[index]).toMatchObject({
          id: step.backupId,
          parentId: step.parentId,
          volumeId: step.volumeId,
          container: step.container,
          prefix: step.prefix,
          objects: step.objectCount,
          complete: true,
          problem: null,
          bytes: Math.max(...steps.slice(0, index + 1).map(({ volumeBytes }) => volumeBytes)),
          name: step.row['display_name'],
          description: step.row['display_description'],
        })
      }
    },
  )

  it('finds all of them below one root', async () => {
    const fixtures = fixtureSteps[0]!.store.replace(/\/[^/]+\/store$/, '')
    const { backups, damaged } = await scanStore(createDirectoryObjects(fixtures))
    expect(damaged).toEqual([])
    expect(backups.map(({ id }) => id).sort()).toEqual(fixtureSteps.map(({ backupId }) => backupId).sort())
    const s3 = fixtureSteps.find(({ title }) => title === 's3-zlib 1')!
    expect(backups.find(({ id }) => id === s3.backupId)).toMatchObject({ container: `s3-zlib/store/${s3.container}`, prefix: s3.prefix, complete: true })
  })
})

describe('a scan', () => {
  it('finds a chain over several containers, nested ones and the root', async () => {
    const made = madeStore()
    for (const [number, container] of [
      [1, 'a'],
      [2, 'a/b/c'],
      [3, 'z'],
      [4, 'a/b'],
    ] as const)
      made.putBackup({ ...memberOf(number, number === 1 ? [[0, 10]] : [[number, 2]]), container })
    const { backups } = await scanStore(made.store)
    expect(backups.map(({ id, container, problem, bytes }) => [id, container, problem, bytes])).toEqual([
      [backupIdOf(1), 'a', null, 10],
      [backupIdOf(2), 'a/b/c', null, 10],
      [backupIdOf(3), 'z', null, 10],
      [backupIdOf(4), 'a/b', null, 10],
    ])
  })

  it('tells a backup that was never finished, and that one builds on it', async () => {
    const made = madeStore()
    made.putBackup(memberOf(1, [[0, 10]]))
    made.putBackup(memberOf(2, [[0, 1]]))
    made.put('backups', `${prefixOf(3)}-00001`, 'x')
    made.put('backups', `${prefixOf(3)}_sha256file`, '{}')
    made.containers.get('backups')!.delete(`${prefixOf(1)}_metadata`)
    const { backups, damaged } = await scanStore(made.store)
    expect(damaged).toEqual([])
    expect(backups.map(({ id, complete, bytes, problem }) => [id, complete, bytes, problem])).toEqual([
      [backupIdOf(1), false, null, 'it was never finished: it has no _metadata'],
      [backupIdOf(3), false, null, 'it was never finished: it has no _metadata'],
      [backupIdOf(2), true, null, `its parent ${backupIdOf(1)} was never finished`],
    ])
    expect(backups[1]).toMatchObject({ volumeId: VOLUME_ID, container: 'backups', prefix: prefixOf(3), storedBytes: 3 })
  })

  it('tells objects that are missing, other volumes, cycles, and what builds on them', async () => {
    const made = madeStore()
    made.putBackup(
      memberOf(1, [
        [0, 10],
        [10, 10],
      ]),
    )
    made.putBackup(memberOf(2, []))
    made.containers.get('backups')!.delete(`${prefixOf(1)}-00002`)
    made.putBackup({ ...memberOf(11, []), manifest: { ...memberOf(11, []).manifest, volumeId: 'other', parentId: backupIdOf(20) } })
    made.putBackup({ ...memberOf(20, []), manifest: { ...memberOf(20, []).manifest, parentId: null } })
    made.putBackup({ ...memberOf(30, []), manifest: { ...memberOf(30, []).manifest, parentId: backupIdOf(31) } })
    made.putBackup({ ...memberOf(31, []), manifest: { ...memberOf(31, []).manifest, parentId: backupIdOf(30) } })
    made.putBackup({ ...memberOf(32, []), manifest: { ...memberOf(32, []).manifest, parentId: backupIdOf(30) } })
    const { backups } = await scanStore(made.store)
    const problems = new Map(backups.map(({ id, problem }) => [id, problem]))
    expect(problems.get(backupIdOf(1))).toBe('its manifest lists 2 objects, and there are 1')
    expect(problems.get(backupIdOf(2))).toBe(`its parent ${backupIdOf(1)} can not be restored`)
    expect(problems.get(backupIdOf(11))).toBe(`its parent ${backupIdOf(20)} is of another volume`)
    expect(problems.get(backupIdOf(20))).toBeNull()
    for (const number of [30, 31, 32]) expect(problems.get(backupIdOf(number)), String(number)).toMatch(/comes back to itself|can not be restored/)
  })

  it("tells manifests that can not be read, goes on, and leaves files alone that are nobody's", async () => {
    const made = madeStore()
    made.putBackup(memberOf(1, [[0, 10]]))
    made.putBackup(memberOf(2, []))
    made.put('backups', `${prefixOf(1)}_metadata`, '{"version": "1.0.0", "obj')
    made.put('backups', 'cinema_metadata', 'not ours')
    made.put('backups', 'report-20240', 'not ours')
    made.put('backups', 'mine-00001', 'xx')
    made.put('backups', 'mine_metadata', '[]')
    const { backups, damaged } = await scanStore(made.store)
    expect(damaged.map(({ id, container, prefix, code }) => [id, container, prefix, code])).toEqual([
      [null, 'backups', 'mine', 'InvalidBackup'],
      [backupIdOf(1), 'backups', prefixOf(1), 'InvalidBackup'],
    ])
    expect(backups.map(({ id, problem }) => [id, problem])).toEqual([[backupIdOf(2), `its parent ${backupIdOf(1)} has a manifest that can not be read`]])
  })

  it('tells a manifest that says another id than its name does', async () => {
    const made = madeStore()
    made.putBackup({ ...memberOf(1, []), manifest: { ...memberOf(1, []).manifest, backupId: 'another' } })
    expect(await scanStore(made.store)).toMatchObject({ backups: [], damaged: [{ id: backupIdOf(1), message: expect.stringContaining('another') }] })
  })

  it('tells what lies in two places, and what builds on it', async () => {
    const made = madeStore()
    made.putBackup(memberOf(1, [[0, 10]]))
    made.putBackup({ ...memberOf(1, [[0, 10]]), container: 'copy/of/backups' })
    made.putBackup(memberOf(2, []))
    const { backups } = await scanStore(made.store)
    expect(backups.map(({ container }) => container)).toEqual(['backups', 'copy/of/backups', 'backups'])
    expect(backups[2]!.problem).toBe(`its parent ${backupIdOf(1)} lies in more than one place`)
  })

  it('follows a chain of ten thousand', { timeout: 60_000 }, async () => {
    const made = madeStore()
    for (let number = 1; number <= 10_000; number++) made.putBackup(memberOf(number, number === 1 ? [[0, 5]] : []))
    const { backups } = await scanStore(made.store)
    expect(backups).toHaveLength(10_000)
    expect(backups.every(({ bytes, problem }) => bytes === 5 && problem === null)).toBe(true)
  })
})

describe('finding one backup', () => {
  it('reads its manifest only', async () => {
    const made = madeStore()
    for (const number of [1, 2, 3]) made.putBackup(memberOf(number, []))
    const opened: string[] = []
    const open = made.store.open
    const store = { ...made.store, open: (container: string, name: string) => (opened.push(name), open(container, name)) }
    expect(await (await indexStore(store)).find(backupIdOf(2))).toMatchObject({ id: backupIdOf(2), container: 'backups', prefix: prefixOf(2) })
    expect(opened).toEqual([`${prefixOf(2)}_metadata`])
  })
  it('finds one of another driver by its manifest', async () => {
    const made = madeStore()
    made.putBackup(memberOf(1, []))
    const mine = memberOf(2, [[0, 1]])
    made.put('c', 'my/own_metadata', Buffer.concat([...encodeManifest(mine.manifest, 'my/own')]))
    made.put('c', 'my/own-00001', 'x')
    made.put('c', 'broken_metadata', '{')
    expect(await (await indexStore(made.store)).find(backupIdOf(2))).toMatchObject({ container: 'c', prefix: 'my/own' })
    expect(await (await indexStore(made.store)).find(backupIdOf(9))).toBeUndefined()
  })
  it('refuses one that lies in two places, and one that was never finished', async () => {
    const made = madeStore()
    made.putBackup(memberOf(1, []))
    made.putBackup({ ...memberOf(1, []), container: 'copy' })
    made.put('backups', `${prefixOf(2)}-00001`, 'x')
    const index = await indexStore(made.store)
    await expect(index.find(backupIdOf(1))).rejects.toMatchObject({ code: 'BACKUP_AMBIGUOUS', message: expect.stringContaining('copy/') })
    await expect(index.find(backupIdOf(2))).rejects.toMatchObject({ code: 'InvalidBackup', message: expect.stringContaining('never finished') })
  })
})
