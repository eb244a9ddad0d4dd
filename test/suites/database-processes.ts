/** What databases that several processes share keep: opened at once, raced for, killed in the middle. Run with `sharedDatabaseSuite(name, make)`. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type DatabaseOptions, openDatabase } from '../../adapters/node/database.ts'
import { databaseProcess } from '../database/support/processes.ts'
import { numbers, SEED } from '../repository/support/random.ts'
import { backupRecord } from './database/records.ts'

/** `make` gives an empty place each time. */
export function sharedDatabaseSuite(name: string, make: () => Promise<DatabaseOptions>): void {
  describe(`the ${name} database, of several processes`, { timeout: 60_000 }, () => {
    it('is made once when all open it at the same time', async () => {
      const options = await make()
      const processes = Array.from({ length: 5 }, (_, index) =>
        databaseProcess(options, `await database.createVolumeType({ id: 'type ${index}', name: 'x' }); say((await database.volumeType('type ${index}')).name)`),
      )
      for (const each of processes) expect(await each.ended).toEqual(['x'])
      const database = await openDatabase(options)
      for (const index of processes.keys()) await database.volumeType(`type ${index}`)
      await database.close()
    })

    it('lets exactly one take each step of each backup, and loses no count', async () => {
      const options = await make()
      const database = await openDatabase(options)
      const ids = Array.from({ length: 40 }, () => randomUUID())
      for (const id of ids) await database.createBackup(backupRecord({ id, status: 'available' }))
      const race = `
        say('ready')
        await told()
        for (const id of ${JSON.stringify(ids)}) {
          if (await database.updateBackup(id, { status: 'restoring' }, { from: ['available'] })) say(id)
          await database.addDependent(id)
        }`
      const processes = Array.from({ length: 4 }, () => databaseProcess(options, race))
      await Promise.all(processes.map((each) => each.said(1)))
      for (const each of processes) each.tell('go')
      const won = (await Promise.all(processes.map((each) => each.ended))).flat().filter((line) => line !== 'ready')
      expect(won.sort()).toEqual([...ids].sort())
      for (const id of ids) expect(await database.backup(id)).toMatchObject({ status: 'restoring', numDependentBackups: 4 })
      await database.close()
    })

    it(`holds what was acknowledged, and nothing by halves, after kill -9 (seed ${SEED})`, async () => {
      const below = numbers(SEED)
      const options = await make()
      const database = await openDatabase(options)
      const parentId = randomUUID()
      await database.createBackup(backupRecord({ id: parentId, status: 'available' }))
      const children: string[] = Array.from({ length: 150 }, () => randomUUID())
      for (const id of children) await database.createBackup(backupRecord({ id, parentId, status: 'available' }))
      await database.updateBackup(parentId, { numDependentBackups: children.length })

      const acknowledged = new Set<string>()
      for (let round = 0; round < 8; round++) {
        const left = children.filter((id) => !acknowledged.has(id)).slice(0, 60)
        const killed = databaseProcess(
          options,
          `for (const id of ${JSON.stringify(left)}) await database.deleteBackup(id, '2026-02-01T00:00:00Z').then(() => say(id), (error) => {
            if (error.code !== 'BackupNotFound') throw error
          })`,
        )
        await killed.said(1)
        await sleep(below(15))
        await killed.kill()
        for (const id of killed.lines) if (children.includes(id)) acknowledged.add(id)
        const alive = new Set((await database.backups({ parentId })).map(({ id }) => id))
        expect([...acknowledged].filter((id) => alive.has(id))).toEqual([])
        // A deletion that was not acknowledged happened or did not, the parent's number with it.
        expect((await database.backup(parentId)).numDependentBackups).toBe(alive.size)
        for (const id of children.filter((each) => !alive.has(each))) {
          expect(await database.backup(id, { readDeleted: true })).toMatchObject({ status: 'deleted', deleted: true, deletedAt: '2026-02-01T00:00:00.000Z' })
        }
      }
      expect(acknowledged.size).toBeGreaterThan(8)
      await database.close()
    })
  })
}
