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
/** FIXME(lead): verify never reads a pack's own directory, which only a lost index needs. See the last test below. */
const isUnreadPart = ({ title }: Damage) => /directory|trailer/.test(title)
/** FIXME(lead): such a pack stops the backups of its volume. See the last test below. */
const claimsNewerVersion = ({ title }: Damage) => /the pack of .* bit 7 of the version/.test(title)
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
        if (!isUnreadPart(damage)) expect(findings.map(({ object }) => object)).toEqual(expect.arrayContaining(named))
        for (const { code } of findings) expect(DAMAGE_CODES).toContain(code)
        const hurt = backups.map(({ info }) => info.id).filter((id) => !whole.includes(id) && !missing.includes(id))
        const blamed = [...new Set(findings.flatMap((finding) => finding.backups))].filter((id) => backups.some(({ info }) => info.id === id))
        if (kindOf(damage) !== 'index') expect(blamed.sort(), 'the backups named are those that do not restore').toEqual(hurt.sort())
        else expect(whole, 'an index can be made again from the packs').toHaveLength(3)

        await opened(repository, async (open) => {
          const { id } = await open.backup(fileOf(fresh))
          expect(same(await restored(open, id), fresh), 'a backup of something new is whole').toBe(true)
        })
        for (const { info, volume, source } of claimsNewerVersion(damage) ? [] : backups) {
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

  /** What `verify` finds after the first damage whose title holds the texts. */
  const findingsAfter = (...texts: string[]) => {
    const damage = all.find(({ title }) => texts.every((text) => title.includes(text)))!
    return opened(damagedCopy(subject, damage), async (open) =>
      (await open.verify({ readData: true })).errors.map(({ object, backups }) => ({ object, backups, isDamaged: damage.objects.includes(object) })),
    )
  }

  // FIXME(lead): verify.ts, `noteMissingIndexes`: `findings.hurts` names backups that restore whole. Leave it out.
  it('a damaged index hurts no backup', async () => {
    expect(await findingsAfter('the index of backup 2: removed')).toEqual([{ object: expect.stringContaining('index/'), backups: [], isDamaged: true }])
  })

  // FIXME(lead): verify.ts: with `readData`, read the directory (`readDirectory`) of every pack that is listed.
  it('a damaged directory of a pack is told, though its index does without it', async () => {
    for (const part of ['the directory', 'the tag of the directory', 'the length in the trailer', 'the end of the trailer']) {
      expect(await findingsAfter('the pack of backup 2', `of ${part} flipped`)).toMatchObject([{ isDamaged: true }])
    }
  })

  // FIXME(lead): last-backup.ts, `leaf`: REPOSITORY_UNSUPPORTED belongs to what makes a last backup useless, as in findings.ts
  // (`asDamage`): one flipped bit, or a newer blockvault on the same repository, must not stop the backups of a volume.
  it('a last backup whose pack claims a newer version makes the next one slower, not impossible', async () => {
    const damage = all.find(({ title }) => title.startsWith('the pack of backup 3: bit 7 of the version'))!
    const { info, source } = backups[0]!
    await opened(damagedCopy(subject, damage), async (open) => {
      expect(await codeOf(open.backup(source, { volume: info.volume }))).toBeUndefined()
    })
  })
}
