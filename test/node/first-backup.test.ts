/** What a user meets who has nothing yet: places, keys and passphrases. */
import { copyFileSync, mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { createKey, createUser, type User } from './command.ts'
import { compare, KIB, MIB, noise } from './content.ts'
import { lacksMount, mount } from './devices.ts'
import { testUnless, tool } from './system.ts'
import { type Workplace, workplace } from './workplace.ts'

const LOUD = /COPY IT TO ANOTHER PLACE NOW/

function start(): { place: Workplace; user: User; source: string } {
  const place = workplace()
  return { place, user: createUser(place), source: place.file('disk.img', noise(1, MIB + 77)) }
}

function keyOf(user: User): string {
  const directory = `${user.home}/.config/blockvault`
  const [name, ...others] = readdirSync(directory)
  expect(others).toEqual([])
  return `${directory}/${name}`
}

describe('the first backup', () => {
  it('makes a repository and a key at the default places and says so, loudly and once', async () => {
    const { user, source } = start()
    const first = await user.run('backup', source)
    expect(first.exitCode, first.stderr).toBe(0)
    const key = keyOf(user)
    expect(first.stderr).toMatch(LOUD)
    expect(first.stderr).toContain(key)
    expect(readdirSync(`${user.home}/.local/share/blockvault/repository`)).toContain('config')
    expect(statSync(key).mode & 0o777).toBe(0o600)
    expect(statSync(`${user.home}/.config/blockvault`).mode & 0o777).toBe(0o700)

    const second = await user.run('backup', source)
    expect(second).toMatchObject({ exitCode: 0, stderr: '' })
    expect(second.stdout).toMatch(/^Backed up disk\.img as [0-9a-f-]{36}: /)
  })

  it('follows the XDG directories', async () => {
    const { place, user, source } = start()
    user.environment = { XDG_DATA_HOME: place.path('data'), XDG_CONFIG_HOME: place.path('config') }
    await user.backup(source)
    expect(readdirSync(user.home)).toEqual([])
    expect(readdirSync(place.path('data', 'blockvault'))).toEqual(['repository'])
    expect(readdirSync(place.path('config', 'blockvault'))).toHaveLength(1)
  })

  it('of two at the same moment succeeds, each with a key that opens what it was kept in', async () => {
    const { user, source } = start()
    const answers = await Promise.all([user.run('backup', source), user.run('backup', source)])
    for (const { exitCode, stderr } of answers) expect(exitCode, stderr).toBe(0)
    expect(await user.list()).toHaveLength(2)
    expect((await user.verify('--read-data')).errors).toEqual([])
  })
})

describe('a home that can not be written', () => {
  testUnless(lacksMount)('is told as such, and leaves nothing half made', async () => {
    const { place, source } = start()
    const at = mount(place, 'small', 'tmpfs', '-t', 'tmpfs', '-o', 'size=16m,nr_inodes=2')
    const full = createUser(place, 'small/home')
    expect(await full.fails('backup', source)).toMatchObject({ code: 'STORAGE_FULL', exitCode: 14 })
    tool('mount', '-o', 'remount,ro', at)
    expect(await full.fails('backup', source)).toMatchObject({ code: 'STORAGE_DENIED', exitCode: 14 })
    expect(readdirSync(full.home)).toEqual([])
  })
})

describe('a key file', () => {
  it('that was copied opens the repository from anywhere', async () => {
    const { place, user, source } = start()
    await user.backup(source)
    copyFileSync(keyOf(user), place.path('copy'))
    renameSync(`${user.home}/.local/share/blockvault/repository`, place.path('moved'))
    const other = createUser(place, 'other')
    const options = ['--repo', place.path('moved'), '--key-file', place.path('copy')]
    await other.restore('latest', place.path('restored'), ...options)
    compare(source, place.path('restored'))
    expect(readdirSync(other.home)).toEqual([])
  })

  it('that is lost is asked for by its path', async () => {
    const { user, source } = start()
    await user.backup(source)
    const key = keyOf(user)
    renameSync(key, `${key}.gone`)
    const { code, message, exitCode } = await user.fails('list')
    expect({ code, exitCode }).toEqual({ code: 'KEY_REQUIRED', exitCode: 12 })
    expect(message).toContain(key)
  })

  it('of another repository, or none at all, does not open it', async () => {
    const { place, user, source } = start()
    await user.backup(source)
    const { path } = createKey(place)
    expect(await user.fails('list', '--key-file', path)).toMatchObject({ code: 'KEY_WRONG', exitCode: 12 })
    expect(await user.fails('list', '--key-file', source)).toMatchObject({ code: 'KEY_WRONG', exitCode: 12 })
    expect(await user.fails('list', '--key-file', place.path('missing'))).toMatchObject({ code: 'KEY_REQUIRED', exitCode: 12 })
    expect(await user.fails('list', '--key-file', place.directory)).toMatchObject({ code: 'KEY_REQUIRED', exitCode: 12 })
  })

  it('named to init is made there, once, and never replaced', async () => {
    const { place, user } = start()
    const key = place.path('keys', 'mine')
    const { keyFile } = await user.done<{ keyFile: string }>('init', '--repo', place.path('one'), '--key-file', key)
    expect(keyFile).toBe(key)
    expect(statSync(key).mode & 0o777).toBe(0o600)
    // The same key may open another repository: then it is used, not made.
    expect(await user.done('init', '--repo', place.path('two'), '--key-file', key)).not.toHaveProperty('keyFile')
    await user.list('--repo', place.path('two'), '--key-file', key)
  })
})

describe('a passphrase', () => {
  it('opens by environment, by file and by pipe, and another one does not', async () => {
    const { place, user, source } = start()
    user.environment = { BLOCKVAULT_REPO: place.path('repository'), BLOCKVAULT_PASSPHRASE: 'correct horse' }
    await user.done('init')
    await user.backup(source)
    user.environment = { BLOCKVAULT_REPO: place.path('repository') }
    const file = place.file('passphrase', 'correct horse\nand a line nobody reads\n')
    tool('chmod', '600', file)
    expect(await user.list('--passphrase-file', file)).toHaveLength(1)
    tool('mkfifo', place.path('pipe'))
    const [, piped] = await Promise.all([writeFile(place.path('pipe'), 'correct horse\n'), user.list('--passphrase-file', place.path('pipe'))])
    expect(piped).toHaveLength(1)

    const wrong = place.file('wrong', 'correct horse ')
    expect(await user.fails('list', '--passphrase-file', wrong)).toMatchObject({ code: 'KEY_WRONG', exitCode: 12 })
    expect(await user.fails('list')).toMatchObject({ code: 'KEY_REQUIRED', exitCode: 12 })
    expect(readdirSync(user.home)).toEqual([])
  })

  it('that others can read is warned of', async () => {
    const { place, user } = start()
    const file = place.file('passphrase', 'correct horse\n')
    tool('chmod', '644', file)
    const { exitCode, stderr } = await user.run('init', '--quiet', '--repo', place.path('repository'), '--passphrase-file', file)
    expect(exitCode, stderr).toBe(0)
    expect(stderr).toContain(`chmod 600`)
  })
})

describe('a repository without encryption', () => {
  it('is made only when asked for, warns, takes no key, and restores', async () => {
    const { place, user } = start()
    const source = place.file('half', noise(2, 512 * KIB))
    const { stderr, exitCode } = await user.run('backup', source, '--no-encryption')
    expect(exitCode, stderr).toBe(0)
    expect(stderr).toContain('WITHOUT encryption')
    expect(readdirSync(user.home)).toEqual(['.local'])
    expect((await user.verify('--read-data')).errors).toEqual([])
    await user.restore('latest', place.path('restored'))
    compare(source, place.path('restored'))
    expect(await user.fails('list', '--key-file', createKey(place).path)).toMatchObject({ code: 'KEY_WRONG', exitCode: 12 })
  })
})

describe('init', () => {
  it('refuses a place that holds a repository, something else, or no directory', async () => {
    const { place, user } = start()
    const { path } = createKey(place)
    const init = (repository: string) => user.fails('init', '--repo', repository, '--key-file', path)
    await user.done('init', '--repo', place.path('repository'), '--key-file', path)
    expect(await init(place.path('repository'))).toMatchObject({ code: 'REPOSITORY_EXISTS', exitCode: 11 })
    mkdirSync(place.path('other'))
    writeFileSync(place.path('other', 'thesis.tex'), 'years of work')
    expect(await init(place.path('other'))).toMatchObject({ code: 'REPOSITORY_INVALID', exitCode: 10 })
    expect(readdirSync(place.path('other'))).toEqual(['thesis.tex'])
    const file = place.file('file', 'x')
    expect((await init(file)).exitCode).toBe(10)
    expect((await init(`${file}/below`)).exitCode).toBeGreaterThan(2)
  })
})
