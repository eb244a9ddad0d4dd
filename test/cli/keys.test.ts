import { describe, expect, it } from 'vitest'
import { decodeKeyFile, encodeKeyFile, KEY_FILE_BYTES } from '../../src/cli/key-file.ts'
import { decodePassphraseFile } from '../../src/cli/passphrase-file.ts'
import { DEFAULT_REPOSITORY, fakeRepository, fakeSystem, HOME, repositoryId, SOURCE } from './fake-host.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)
const key = (byte: number) => new Uint8Array(32).fill(byte)
const keyFile = (byte: number) => ({ bytes: encodeKeyFile(key(byte)), exposed: false })
const KEY_PATH = `${HOME}/.config/blockvault/${repositoryId(1)}.key`

describe('the key file', () => {
  it('is one line of text, read back as written', () => {
    const bytes = Uint8Array.from({ length: 32 }, (_, index) => index * 8 + 1)
    const file = encodeKeyFile(bytes)
    expect(new TextDecoder().decode(file)).toBe(`blockvault-key-1 ${Buffer.from(bytes).toString('hex')}\n`)
    expect(file.length).toBe(KEY_FILE_BYTES)
    expect(decodeKeyFile(file, 'k')).toEqual(bytes)
  })
  const digits = '5a'.repeat(32)
  it.each([
    ['empty', ''],
    ['no newline', `blockvault-key-1 ${digits}`],
    ['CRLF', `blockvault-key-1 ${digits}\r\n`],
    ['two newlines', `blockvault-key-1 ${digits}\n\n`],
    ['upper case', `blockvault-key-1 ${digits.toUpperCase()}\n`],
    ['another version', `blockvault-key-2 ${digits}\n`],
    ['a digit short', `blockvault-key-1 ${digits.slice(1)}\n`],
    ['a digit over', `blockvault-key-1 ${digits}5\n`],
    ['no hex', `blockvault-key-1 ${'5g'.repeat(32)}\n`],
    ['no prefix', `${digits}\n`],
    ['raw bytes', '\u0001'.repeat(32)],
  ])('%s is refused, and not repeated', (_, text) => {
    expect(() => decodeKeyFile(utf8(text), '/k')).toThrow(/^\/k is not a blockvault key file/)
    expect(() => decodeKeyFile(utf8(text), '/k')).not.toThrow(/5a5a/i)
  })
})

describe('the passphrase file', () => {
  it.each([
    ['secret', 'secret'],
    ['secret\n', 'secret'],
    ['secret\r\n', 'secret'],
    ['secret\nmore\n', 'secret'],
    [' with spaces \n', ' with spaces '],
    ['päss🙂\n', 'päss🙂'],
  ])('%j gives %j', (text, passphrase) => {
    expect(new TextDecoder().decode(decodePassphraseFile(utf8(text), 'p'))).toBe(passphrase)
  })
  it('is refused when its first line is empty, it is no text, or too long', () => {
    for (const text of ['', '\n', '\r\n', '\nsecret']) expect(() => decodePassphraseFile(utf8(text), 'p')).toThrow(/empty first line/)
    expect(() => decodePassphraseFile(Uint8Array.of(0xff, 0xfe, 0x41), 'p')).toThrow(/not UTF-8/)
    expect(() => decodePassphraseFile(new Uint8Array(65537).fill(0x61), 'p')).toThrow(/longer than 64 KiB/)
    expect(decodePassphraseFile(new Uint8Array(65536).fill(0x61), 'p')).toHaveLength(65536)
  })
})

describe('a new repository', () => {
  it('has its key file on the disk before its config, named by its id, and says so loudly', async () => {
    const system = fakeSystem()
    expect(await system.run('init', '--repo', '/r', '--quiet')).toBe(0)
    expect(system.calls.map(({ name }) => name)).toEqual(['initRepository', 'createSecretFile', 'config written'])
    expect(system.files.get(KEY_PATH)).toEqual(keyFile(1))
    expect(system.repositories.get('/r')?.secret).toBe(`key:${'01'.repeat(32)}`)
    expect(system.stderr()).toContain(KEY_PATH)
    expect(system.stderr()).toContain('COPY IT TO ANOTHER PLACE NOW')
    expect(system.stdout() + system.stderr()).not.toContain('0101')
  })
  it('follows XDG_CONFIG_HOME, when it is absolute', async () => {
    const system = fakeSystem()
    system.environment.set('XDG_CONFIG_HOME', '/conf')
    await system.run('init')
    expect(system.files.has(`/conf/blockvault/${repositoryId(1)}.key`)).toBe(true)
    system.environment.set('XDG_CONFIG_HOME', 'conf')
    await system.run('init', '--repo', '/other')
    expect(system.files.has(`${HOME}/.config/blockvault/${repositoryId(2)}.key`)).toBe(true)
  })
  it('takes a passphrase from a file or the environment, and makes no key file', async () => {
    const system = fakeSystem()
    system.files.set('/p', { bytes: utf8('hunter2\nrest'), exposed: false })
    expect(await system.run('init', '--repo', '/r', '--passphrase-file', '/p')).toBe(0)
    expect(system.repositories.get('/r')?.secret).toBe('passphrase:hunter2')
    system.environment.set('BLOCKVAULT_PASSPHRASE', 'from env')
    expect(await system.run('init', '--repo', '/s')).toBe(0)
    expect(system.repositories.get('/s')?.secret).toBe('passphrase:from env')
    expect([...system.files.keys()]).toEqual(['/p'])
    expect(system.stdout() + system.stderr()).not.toMatch(/hunter2|from env/)
  })
  it('takes the key file that is named, or makes it', async () => {
    const system = fakeSystem()
    system.files.set('/k', keyFile(9))
    expect(await system.run('init', '--repo', '/r', '--key-file', '/k', '--quiet')).toBe(0)
    expect(system.repositories.get('/r')?.secret).toBe(`key:${'09'.repeat(32)}`)
    expect(system.stderr()).not.toContain('COPY')
    expect(await system.run('init', '--repo', '/s', '--key-file=/new', '--json')).toBe(0)
    expect(system.files.get('/new')).toEqual(keyFile(1))
    expect(system.stderr()).toContain('COPY')
    expect(system.json().slice(-2)).toMatchObject([
      { type: 'notice', code: 'KEY_FILE_CREATED', path: '/new' },
      { type: 'result', id: repositoryId(2), repository: '/s', encrypted: true, keyFile: '/new' },
    ])
  })
  it('never replaces a key file', async () => {
    const system = fakeSystem()
    system.files.set(KEY_PATH, keyFile(7))
    expect(await system.run('init')).toBe(14)
    expect(system.files.get(KEY_PATH)).toEqual(keyFile(7))
    expect(system.repositories.size).toBe(0)
  })
  it('is without encryption only when asked, and then needs no key', async () => {
    const system = fakeSystem()
    expect(await system.run('init', '--no-encryption', '--json')).toBe(0)
    expect(system.json()).toEqual([{ type: 'result', id: repositoryId(1), repository: DEFAULT_REPOSITORY, encrypted: false }])
    expect(system.files.size).toBe(0)
  })
  it('has the command line go before the environment', async () => {
    const system = fakeSystem()
    system.environment.set('BLOCKVAULT_PASSPHRASE', 'no')
    system.environment.set('BLOCKVAULT_KEY_FILE', '/no')
    system.files.set('/k', keyFile(9))
    expect(await system.run('init', '--key-file', '/k')).toBe(0)
    expect(await system.run('init', '--repo', '/plain', '--no-encryption')).toBe(0)
    expect([...system.repositories.values()].map(({ secret }) => secret)).toEqual([`key:${'09'.repeat(32)}`, undefined])
  })
  it.each([
    [['--key-file', '/k', '--passphrase-file', '/p'], {}, 'not both'],
    [['--no-encryption', '--key-file', '/k'], {}, '--no-encryption goes with neither'],
    [[], { BLOCKVAULT_PASSPHRASE: 'a', BLOCKVAULT_KEY_FILE: '/k' }, 'both set'],
    [[], { BLOCKVAULT_PASSPHRASE: '' }, 'BLOCKVAULT_PASSPHRASE is set but empty'],
    [[], { BLOCKVAULT_REPO: '' }, 'BLOCKVAULT_REPO is set but empty'],
  ] as [string[], Record<string, string>, string][])('refuses %j with %j', async (argv, environment, message) => {
    const system = fakeSystem()
    for (const [name, value] of Object.entries(environment)) system.environment.set(name, value)
    expect(await system.run('init', ...argv)).toBe(2)
    expect(system.stderr()).toContain(message)
    expect(system.calls).toEqual([])
  })
})

describe('an existing repository', () => {
  const encrypted = (secret = `key:${'05'.repeat(32)}`, id = repositoryId(1)) => {
    const system = fakeSystem()
    system.repositories.set('/r', fakeRepository({ id, secret }))
    system.environment.set('BLOCKVAULT_REPO', '/r')
    return system
  }
  it('is opened by the key file of its id, wherever it lies', async () => {
    const system = encrypted()
    system.files.set(KEY_PATH, keyFile(5))
    expect(await system.run('list')).toBe(0)
    system.repositories.set('/moved', system.repositories.get('/r')!)
    expect(await system.run('list', '--repo', '/moved')).toBe(0)
  })
  it('says where its key file should be', async () => {
    const system = encrypted()
    expect(await system.run('list')).toBe(12)
    expect(system.stderr()).toContain(KEY_PATH)
    expect(system.stderr()).toContain('[KEY_REQUIRED]')
  })
  it('never gets a new key, whatever is missing', async () => {
    const system = encrypted()
    expect(await system.run('backup', SOURCE)).toBe(12)
    expect(await system.run('backup', SOURCE, '--key-file', '/none')).toBe(12)
    expect(await system.run('backup', SOURCE, '--passphrase-file', '/none')).toBe(12)
    expect(system.files.size).toBe(0)
    expect(system.calls).toEqual([])
  })
  it('refuses another key, another passphrase, a damaged key file', async () => {
    const system = encrypted()
    system.files.set('/k', keyFile(6))
    system.files.set('/damaged', { bytes: utf8('blockvault-key-1 0505'), exposed: false })
    system.files.set('/p', { bytes: utf8('wrong'), exposed: false })
    for (const argv of [
      ['--key-file', '/k'],
      ['--key-file', '/damaged'],
      ['--passphrase-file', '/p'],
    ]) {
      expect(await system.run('list', ...argv)).toBe(12)
    }
    expect(system.stdout() + system.stderr()).not.toMatch(/0505|0606/)
  })
  it('warns of a key file that others can read, and goes on', async () => {
    const system = encrypted()
    system.files.set(KEY_PATH, { ...keyFile(5), exposed: true })
    expect(await system.run('list', '--quiet')).toBe(0)
    expect(system.stderr()).toContain(`others on this machine can read ${KEY_PATH}`)
  })
  it('is not opened with a key when it is not encrypted: it may be a planted one', async () => {
    const system = fakeSystem()
    system.repositories.set('/r', fakeRepository())
    system.files.set('/k', keyFile(5))
    expect(await system.run('backup', SOURCE, '--repo', '/r', '--key-file', '/k')).toBe(12)
    expect(system.stderr()).toContain('this repository is not encrypted')
    system.files.set(KEY_PATH, keyFile(5))
    expect(await system.run('backup', SOURCE, '--repo', '/r')).toBe(12)
    expect(system.stderr()).toContain('something replaced it')
    system.files.delete(KEY_PATH)
    expect(await system.run('backup', SOURCE, '--repo', '/r')).toBe(0)
  })
  it('is not taken for unencrypted on demand', async () => {
    const system = encrypted()
    expect(await system.run('backup', SOURCE, '--no-encryption')).toBe(2)
  })
  it('can not choose a path by its id', async () => {
    const system = encrypted(undefined, '../../../etc/x')
    system.files.set(`${HOME}/.config/blockvault/../../../etc/x.key`, keyFile(5))
    expect(await system.run('list')).toBe(10)
    expect(system.stderr()).toContain('not a UUID')
  })
  it('has every secret wiped once it is open', async () => {
    const system = encrypted()
    system.files.set(KEY_PATH, keyFile(5))
    const given: Uint8Array[] = []
    const { readSecretFile, openRepository } = system.host
    system.host.readSecretFile = async (path, bytesMax) => {
      const file = await readSecretFile(path, bytesMax)
      if (file !== undefined) given.push(file.bytes)
      return file
    }
    system.host.openRepository = (options) =>
      openRepository({
        ...options,
        credentials: async (...request) => {
          const credentials = await options.credentials(...request)
          given.push(credentials.key!)
          return credentials
        },
      })
    expect(await system.run('list')).toBe(0)
    expect(given.map((bytes) => bytes.every((byte) => byte === 0))).toEqual([true, true])
  })
})
