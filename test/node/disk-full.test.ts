/** Real full disks: a repository's, and a restore target's. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { describe, expect } from 'vitest'
import { createUser } from './command.ts'
import { compare, MIB, noise } from './content.ts'
import { attachLoop, lacksExt4, lacksLoop, lacksMount, mount, sparseFile } from './devices.ts'
import { testUnless, tool } from './system.ts'
import { type Workplace, workplace } from './workplace.ts'

const DISK_BYTES = 40 * MIB

/** A small disk, mounted; and how room is made on it. */
const disks: Record<string, { lacks: (string | undefined)[]; make: (place: Workplace) => { at: string; enlarge: () => void } }> = {
  tmpfs: {
    lacks: [lacksMount],
    make(place) {
      const at = mount(place, 'disk', 'tmpfs', '-t', 'tmpfs', '-o', `size=${DISK_BYTES}`)
      return { at, enlarge: () => void tool('mount', '-o', `remount,size=${4 * DISK_BYTES}`, at) }
    },
  },
  // Unlike tmpfs, it reserves room when written and allocates it later.
  ext4: {
    lacks: [lacksMount, lacksLoop, lacksExt4],
    make(place) {
      const image = sparseFile(place, 'image', 4 * DISK_BYTES)
      tool('mkfs.ext4', '-q', '-F', '-m', '0', image)
      const at = mount(place, 'disk', attachLoop(place, image))
      tool('fallocate', '--length', String(3 * DISK_BYTES), `${at}/ballast`)
      return { at, enlarge: () => rmSync(`${at}/ballast`) }
    },
  },
}

for (const [kind, { lacks, make }] of Object.entries(disks)) {
  const withDisk = testUnless(...lacks)

  describe(`a full disk (${kind})`, () => {
    withDisk('under the repository ends a backup with its code; earlier backups restore, and the next works once there is room', async () => {
      const place = workplace()
      const user = createUser(place)
      const { at, enlarge } = make(place)
      user.environment['BLOCKVAULT_REPO'] = `${at}/repository`
      await user.done('init')
      const small = place.file('small', noise(1, 6 * MIB))
      const large = place.file('large', noise(2, 64 * MIB))
      const { id } = await user.backup(small)
      // See 'that takes no more directories' below.
      for (let name = 0; name < 256; name++) mkdirSync(`${at}/repository/packs/${name.toString(16).padStart(2, '0')}`, { recursive: true })

      for (let attempt = 0; attempt < 2; attempt++) {
        const failure = await user.fails('backup', large)
        expect(failure).toMatchObject({ code: 'STORAGE_FULL', exitCode: 14, details: { system: 'ENOSPC' } })
      }
      // Whatever could not be stored whole gave its room back.
      expect(readdirSync(`${at}/repository/tmp`)).toEqual([])
      expect((await user.list()).map((backup) => backup.id)).toEqual([id])
      expect((await user.verify('--read-data')).errors).toEqual([])
      await user.restore(id, place.path('restored'))
      compare(small, place.path('restored'))

      enlarge()
      await user.backup(large)
      await user.restore('latest:large', place.path('large-restored'))
      compare(large, place.path('large-restored'))
      expect((await user.verify('--read-data')).errors).toEqual([])
    })

    withDisk('under the target ends a restore with its code, and nothing of it is left', async () => {
      const place = workplace()
      const user = createUser(place)
      const { at, enlarge } = make(place)
      const large = place.file('large', noise(2, 64 * MIB))
      await user.backup(large)
      const before = readdirSync(at)
      for (const args of [[`${at}/target`], [place.path('disk', 'target'), '--workers', '1']]) {
        expect(await user.fails('restore', 'latest', ...args)).toMatchObject({ code: 'TARGET_FULL', exitCode: 4 })
        expect(readdirSync(at)).toEqual(before)
      }
      enlarge()
      await user.restore('latest', `${at}/target`)
      compare(large, `${at}/target`)
    })
  })
}

describe('a full disk', () => {
  // Defect in adapters/node/storage.ts: Node's mkdir({ recursive: true }) says ENOENT when it met ENOSPC or EROFS, so that
  // this is STORAGE_FAILED today.
  testUnless(lacksMount)('that takes no more directories is told from other failures, as is a read-only one', async () => {
    const place = workplace()
    const user = createUser(place)
    const at = mount(place, 'disk', 'tmpfs', '-t', 'tmpfs', '-o', 'size=16m,nr_inodes=7')
    await user.done('init', '--repo', `${at}/repository`)
    const source = place.file('source', noise(1, MIB))
    expect.soft(await user.fails('backup', source, '--repo', `${at}/repository`)).toMatchObject({ code: 'STORAGE_FULL', exitCode: 14 })
    tool('mount', '-o', 'remount,ro', at)
    expect.soft(await user.fails('backup', source, '--repo', `${at}/repository`)).toMatchObject({ code: 'STORAGE_DENIED', exitCode: 14 })
  })
})
