/** What holds for any damage to any one object: nothing wrong is restored, verify tells, and the next backup is whole. */
import { describe, expect, it } from 'vitest'
import type { Repository } from '../../../src/contract/backup.ts'
import { type Damage, damages, damagedCopy, damageSubject } from './damage.ts'
import { codeOf, coded, opened } from './repositories.ts'
import { noise } from './random.ts'
import { fileOf, restored } from './volumes.ts'

/** Codes that say what is wrong with an object that is needed to open the repository at all. */
const OPENING_CODES: Record<string, string[]> = {
  config: ['REPOSITORY_INVALID', 'REPOSITORY_UNSUPPORTED'],
  keys: ['OBJECT_DAMAGED', 'OBJECT_MISSING', 'KEY_REFUSED', 'REPOSITORY_UNSUPPORTED'],
}
const DAMAGE_CODES = ['OBJECT_DAMAGED', 'OBJECT_MISSING', 'REPOSITORY_UNSUPPORTED']
const same = (left: Uint8Array, right: Uint8Array) => Buffer.compare(left, right) === 0

export async function damageSuite(encryption: boolean): Promise<void> {
  const subject = await damageSubject(encryption)
  const { backups, roles } = subject
  const all = await damages(subject)
  const kindOf = ({ objects }: Damage) => objects[0]!.split('/')[0]!

  it('the subject is whole before anything is damaged', async () => {
    expect(roles.size).toBe(encryption ? 11 : 10)
    await opened(subject.repository, async (open) => {
      expect((await open.verify({ readData: true })).errors).toEqual([])
      for (const { info, volume } of backups) expect(same(await restored(open, info.id), volume)).toBe(true)
    })
  })

  describe('what opens the repository', () => {
    for (const damage of all.filter((damage) => kindOf(damage) in OPENING_CODES)) {
      it(damage.title, async () => {
        const repository = damagedCopy(subject, damage)
        const code = await codeOf(opened(repository, async (open) => expect(same(await restored(open, backups[0]!.info.id), backups[0]!.volume)).toBe(true)))
        // A key slot has no name of its own: renamed, it opens as before.
        if (damage.title.endsWith('renamed')) expect(code).toBeUndefined()
        else expect(OPENING_CODES[kindOf(damage)]).toContain(code)
      })
    }
  })

  /** The backups that restore to exactly their volume; every other one must reject with a code for damage. */
  async function healthy(open: Repository): Promise<string[]> {
    const ids: string[] = []
    for (const { info, volume } of backups) {
      const bytes = await restored(open, info.id).catch((error: unknown) => {
        expect(error).toEqual(coded(...DAMAGE_CODES, 'BACKUP_NOT_FOUND'))
        return undefined
      })
      if (bytes) expect(same(bytes, volume), `backup ${info.id} restores to its own bytes`).toBe(true)
      if (bytes) ids.push(info.id)
    }
    return ids
  }

  describe('what it keeps', () => {
    for (const damage of all.filter((damage) => !(kindOf(damage) in OPENING_CODES))) {
      it(damage.title, async () => {
        const repository = damagedCopy(subject, damage)
        const fresh = noise(99, 30_000)
        const { findings, whole, missing } = await opened(repository, async (open) => ({
          findings: (await open.verify({ readData: true })).errors,
          whole: await healthy(open),
          missing: backups.map(({ info }) => info.id).filter((id) => !repository.objects.has(`backups/${id}`)),
        }))

        // A manifest that is gone is a backup that was deleted: nothing else knows of it.
        const named = damage.objects.filter((name) => !missing.includes(name.replace('backups/', '')))
        expect(findings.map(({ object }) => object)).toEqual(expect.arrayContaining(named))
        for (const { code } of findings) expect(DAMAGE_CODES).toContain(code)
        const hurt = backups.map(({ info }) => info.id).filter((id) => !whole.includes(id) && !missing.includes(id))
        const blamed = new Set(findings.flatMap((finding) => finding.backups).filter((id) => backups.some(({ info }) => info.id === id)))
        expect([...blamed].sort(), 'the backups named are those that do not restore').toEqual(hurt.sort())
        if (kindOf(damage) === 'index') expect(whole, 'an index can be made again from the packs').toHaveLength(3)

        await opened(repository, async (open) => {
          const { id } = await open.backup(fileOf(fresh))
          expect(same(await restored(open, id), fresh), 'a backup of something new is whole').toBe(true)
        })
        for (const { info, volume, source } of backups) {
          await opened(repository, async (open) => {
            // Under its volume's name, so that it is compared with the last backup, damaged or not.
            const { id } = await open.backup(source, { volume: info.volume })
            const bytes = await restored(open, id).catch(() => undefined)
            if (bytes) return expect(same(bytes, volume)).toBe(true)
            // It relied on a chunk whose damage no listing shows. That is accepted, but has to be told.
            expect([kindOf(damage), damage.seenInListing], 'what a listing shows to be damaged is stored again').toEqual(['packs', false])
            const { errors } = await open.verify({ readData: true, backups: [id] })
            expect(errors.flatMap((finding) => finding.backups)).toContain(id)
          })
        }
        // Everything that was stored again is there for the old backups too.
        if (damage.seenInListing && kindOf(damage) === 'packs') expect(await opened(repository, healthy)).toHaveLength(3)
      })
    }
  })
}
