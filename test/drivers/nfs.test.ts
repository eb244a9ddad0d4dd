/** The NFS driver: a share that is not mounted must not pass for one without backups. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { mkdirSync, symlinkSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { mountedAt, mountSource } from '../../adapters/node/mounts.ts'
import { NfsBackupDriver } from '../../src/drivers/nfs.ts'
import { temporaryDirectory } from '../repository/support/volumes.ts'
import { canMount } from '../storage/places.ts'
import { code, driverSetup, SIZES, volumeBytes } from './support.ts'

const SHARE = 'server.example:/exports/backups'

async function nfsSetup(share = SHARE) {
  const state: { mounted: string | undefined } = { mounted: share }
  const setup = await driverSetup({ driver: (context, store) => new NfsBackupDriver(context, { store, ...SIZES, share, mounted: async () => state.mounted }) })
  return { ...setup, state }
}

describe('the NFS driver', () => {
  it('works on the share that is mounted, in the layout of the posix driver', async () => {
    const setup = await nfsSetup()
    await setup.driver.checkForSetupError()
    const backup = await setup.backUp(volumeBytes(1))
    expect(backup.serviceMetadata).toMatch(/^volume_[0-9a-f-]{36}_\d{14}_backup_[0-9a-f-]{36}$/)
    expect(backup.container).toBe(`${backup.id.slice(0, 2)}/${backup.id.slice(2, 4)}/${backup.id}`)
    expect((await setup.restore(backup)).error).toBeUndefined()
  })

  it('refuses everything while nothing, or another share, is mounted', async () => {
    const setup = await nfsSetup()
    const backup = await setup.backUp(volumeBytes(1))
    const names = await setup.names(backup.container as string)
    for (const mounted of [undefined, 'server.example:/exports', 'other:/exports/backups', '/dev/sda1', 'tmpfs']) {
      setup.state.mounted = mounted
      const refused = code('BackupDriverException')
      await expect(setup.driver.checkForSetupError()).rejects.toEqual(refused)
      await expect(setup.backUp(volumeBytes(2))).rejects.toEqual(refused)
      await expect(setup.driver.deleteBackup(backup)).rejects.toEqual(refused)
      expect((await setup.restore(backup)).error).toEqual(refused)
      expect(await setup.names(backup.container as string)).toEqual(names)
    }
    setup.state.mounted = `${SHARE}/`
    await setup.driver.deleteBackup(backup)
    expect(await setup.names(backup.container as string)).toEqual([])
  })

  it.each(['', 'server', '/exports', 'server:', 'server:exports', ':/exports', 'a b:/exports', 'ser:ver:/x', '[::1:/x'])(
    'is not configured by %j',
    async (share) => {
      const setup = await nfsSetup(share)
      await expect(setup.driver.checkForSetupError()).rejects.toEqual(code('InvalidConfigurationValue'))
    },
  )

  it.each(['server:/', '10.0.0.1:/exports/a b'.replace(' ', '_'), '[fe80::1%eth0]:/exports', '[2001:db8::1]:/x'])('is configured by %j', async (share) => {
    await (await nfsSetup(share)).driver.checkForSetupError()
  })
})

describe('what is mounted', () => {
  const lines = [
    '25 30 0:23 / /sys rw,nosuid shared:7 - sysfs sysfs rw',
    '36 30 0:50 / /srv/backups rw,relatime shared:9 master:1 - nfs4 server.example:/exports/backups rw,vers=4.2',
    '37 30 0:51 / /srv/with\\040space rw - nfs server:/a\\040b rw',
    '38 30 8:1 / /srv/twice rw - ext4 /dev/sda1 rw',
    '39 38 0:52 / /srv/twice rw - nfs4 over:/it rw',
    '',
  ].join('\n')

  it.each([
    ['/srv/backups', 'server.example:/exports/backups'],
    ['/srv/with space', 'server:/a b'],
    ['/srv/twice', 'over:/it'],
    ['/srv', undefined],
    ['/srv/backups/below', undefined],
    ['', undefined],
  ])('at %j is %j', (place, source) => expect(mountSource(lines, place)).toBe(source))

  it('at a directory that is none, or that nothing is mounted at, is nothing', async () => {
    const directory = temporaryDirectory()
    expect(await mountedAt(directory)).toBeUndefined()
    expect(await mountedAt(join(directory, 'absent'))).toBeUndefined()
  })

  it.skipIf(!canMount())('is told for a real mount, through links, and no longer once it is gone', async () => {
    const directory = temporaryDirectory()
    const place = join(directory, 'a place')
    mkdirSync(place)
    symlinkSync(place, join(directory, 'link'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'blockvault-test', place])
    try {
      expect(await mountedAt(place)).toBe('blockvault-test')
      expect(await mountedAt(join(directory, 'link'))).toBe('blockvault-test')
    } finally {
      execFileSync('umount', [place])
    }
    expect(await mountedAt(place)).toBeUndefined()
  })
})
