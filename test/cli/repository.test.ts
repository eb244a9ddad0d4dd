import { describe, expect, it } from 'vitest'
import { BlockvaultError } from '../../src/contract/errors.ts'
import { DEFAULT_REPOSITORY, fakeRepository, fakeSystem, repositoryId, SOURCE, systemWithRepository } from './fake-host.ts'

describe('the repository', () => {
  it('is made at the default place by the first backup, once', async () => {
    const system = fakeSystem()
    expect(await system.run('backup', SOURCE)).toBe(0)
    expect(await system.run('backup', SOURCE)).toBe(0)
    expect([...system.repositories.keys()]).toEqual([DEFAULT_REPOSITORY])
    expect(system.calls.filter(({ name }) => name === 'initRepository')).toHaveLength(1)
    expect(system.stderr()).toContain(`Made an encrypted repository at ${DEFAULT_REPOSITORY}`)
    expect(system.stderr().match(/COPY IT/g)).toHaveLength(1)
  })
  it('follows XDG_DATA_HOME', async () => {
    const system = fakeSystem()
    system.environment.set('XDG_DATA_HOME', '/data')
    expect(await system.run('backup', SOURCE, '--no-encryption')).toBe(0)
    expect([...system.repositories.keys()]).toEqual(['/data/blockvault/repository'])
    expect(system.stderr()).toContain('WITHOUT encryption')
  })
  it('is not made, nor its key, when the source does not exist', async () => {
    const system = fakeSystem()
    expect(await system.run('backup', '/dev/missing')).toBe(3)
    expect(system.repositories.size + system.files.size).toBe(0)
  })
  it.each([
    [['--repo', "/my repo's"], {}],
    [[], { BLOCKVAULT_REPO: "/my repo's" }],
  ] as [string[], Record<string, string>][])('is not made by a backup where it is named: %j %j', async (argv, environment) => {
    const system = fakeSystem()
    for (const [name, value] of Object.entries(environment)) system.environment.set(name, value)
    expect(await system.run('backup', SOURCE, ...argv)).toBe(10)
    expect(system.stderr()).toContain("`blockvault init --repo '/my repo'\\''s'` makes one")
    expect(system.repositories.size + system.files.size).toBe(0)
  })
  it('is not made by the commands that read', async () => {
    const system = fakeSystem()
    for (const argv of [['list'], ['show', 'latest'], ['restore', 'latest', 'x'], ['verify'], ['delete', 'latest']]) {
      expect(await system.run(...argv)).toBe(10)
    }
    expect(system.stderr()).toContain(`There is no repository at ${DEFAULT_REPOSITORY}: \`blockvault backup SOURCE\` makes it`)
    expect(system.repositories.size + system.files.size).toBe(0)
  })
  it('is taken as it is when another first backup was quicker', async () => {
    const system = fakeSystem()
    const { initRepository } = system.host
    system.host.initRepository = async (options) => {
      system.repositories.set(DEFAULT_REPOSITORY, fakeRepository())
      return initRepository(options)
    }
    expect(await system.run('backup', SOURCE)).toBe(0)
    expect(system.repositories.get(DEFAULT_REPOSITORY)?.id).toBe(repositoryId(1))
    expect(system.files.size).toBe(0)
  })
  it('is refused where there is no home', async () => {
    const system = fakeSystem()
    system.host.homeDirectory = () => undefined
    expect(await system.run('backup', SOURCE)).toBe(2)
    expect(system.stderr()).toContain('give --repo DIR')
    expect(await system.run('init', '--repo', '/r')).toBe(2)
    expect(system.stderr()).toContain('give --key-file FILE or --passphrase-file FILE')
    expect(system.repositories.size).toBe(0)
    expect(await system.run('init', '--repo', '/r', '--no-encryption')).toBe(0)
    expect(await system.run('list', '--repo', '/r')).toBe(0)
  })
  it('is made once by init', async () => {
    const system = fakeSystem()
    expect(await system.run('init')).toBe(0)
    expect(system.stdout()).toBe(`Made an encrypted repository at ${DEFAULT_REPOSITORY} (id ${repositoryId(1)}).\n`)
    expect(await system.run('init')).toBe(11)
  })
  it('is closed after every job, also a failed one, whose error is told', async () => {
    const system = systemWithRepository({ failure: new BlockvaultError('STORAGE_FAILED', 'the first') })
    const { openRepository } = system.host
    system.host.openRepository = async (options) => ({
      ...(await openRepository(options)),
      async close() {
        system.repository.closed++
        throw new BlockvaultError('INTERNAL', 'the second')
      },
    })
    expect(await system.run('list')).toBe(14)
    expect(system.repository).toMatchObject({ opened: 1, closed: 1 })
    delete system.repository.failure
    expect(await system.run('list')).toBe(1)
    expect(system.stdout()).toBe('')
  })
  it('gets the number of workers', async () => {
    const system = systemWithRepository()
    const { openRepository } = system.host
    const workers: unknown[] = []
    system.host.openRepository = (options) => {
      workers.push(options.workers)
      return openRepository(options)
    }
    expect(await system.run('list', '--workers', '3')).toBe(0)
    expect(await system.run('list')).toBe(0)
    expect(workers).toEqual([3, undefined])
    for (const text of ['0', '-1', '65', '1e9', 'x']) expect(await system.run('list', '--workers', text)).toBe(2)
  })
})
