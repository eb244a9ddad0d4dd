/** What opens a repository and what does not: passphrases, keys, slots and the config, given wrongly or altered. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Credentials } from '../../src/contract/backup.ts'
import type { Platform } from '../../src/contract/platform.ts'
import { concatBytes, utf8 } from '../../src/core/bytes.ts'
import { readConfig, writeConfig } from '../../src/repository/config.ts'
import { openKeyring } from '../../src/repository/keyring.ts'
import { initRepository, openRepository } from '../../src/repository/open.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { codeOf, coded, copyOf, KEY, namesUnder, newRepository, type Objects, opened, platform, sealerOf, type TestRepository } from './support/repositories.ts'
import { noise } from './support/random.ts'
import { watched } from './support/storages.ts'
import { handleOf, restored } from './support/volumes.ts'

const PASSPHRASE = 'correct horse battery staple ünï'

/** A platform that counts how often a passphrase is stretched. */
function counting(): Platform & { stretches(): number } {
  let stretches = 0
  return {
    ...platform,
    stretches: () => stretches,
    async spawn(options) {
      const port = await platform.spawn(options)
      return {
        ...port,
        call(operation, argument, transfer) {
          if (operation === 'key.stretch') stretches++
          return port.call(operation, argument, transfer)
        },
      }
    },
  }
}

async function withPassphrase(): Promise<TestRepository> {
  const objects: Objects = new Map()
  const options = { workers: 0, credentials: { passphrase: PASSPHRASE } }
  const { id } = await initRepository(platform, createMemoryStorage(objects), options)
  return { id, objects, encrypted: true, options }
}

const keyed = await newRepository()
const passphrased = await withPassphrase()

const open = async ({ objects }: TestRepository, credentials: Credentials | undefined, on: Platform = platform) => {
  const repository = await openRepository(on, createMemoryStorage(objects), { workers: 0, ...(credentials ? { credentials } : {}) })
  await repository.close()
}

describe('credentials', () => {
  it('that are right open the repository, also as bytes and as the answer to a question', async () => {
    await open(keyed, { key: KEY })
    await open(passphrased, { passphrase: PASSPHRASE })
    await open(passphrased, { passphrase: new TextEncoder().encode(PASSPHRASE) })
    let asked: unknown
    const repository = await openRepository(platform, createMemoryStorage(keyed.objects), {
      workers: 0,
      async credentials(about) {
        asked = about
        return { key: KEY }
      },
    })
    expect(asked).toEqual({ id: keyed.id, encrypted: true })
    await repository.close()
  })

  it.each([
    ['another key', keyed, { key: noise(1, 32) }, 'KEY_WRONG', 0],
    ['a key with one bit flipped', keyed, { key: KEY.map((byte, at) => (at === 31 ? byte ^ 1 : byte)) }, 'KEY_WRONG', 0],
    ['a passphrase where a key is needed', keyed, { passphrase: PASSPHRASE }, 'KEY_WRONG', 0],
    ['a key where a passphrase is needed', passphrased, { key: KEY }, 'KEY_WRONG', 0],
    ['another passphrase', passphrased, { passphrase: `${PASSPHRASE} ` }, 'KEY_WRONG', 1],
    ['nothing', keyed, undefined, 'KEY_REQUIRED', 0],
    ['nothing but names', keyed, { key: undefined, passphrase: undefined }, 'KEY_REQUIRED', 0],
    ['both', keyed, { key: KEY, passphrase: PASSPHRASE }, 'USAGE', 0],
    ['a key that is too short', keyed, { key: KEY.subarray(1) }, 'USAGE', 0],
    ['a key that is too long', keyed, { key: new Uint8Array(33) }, 'USAGE', 0],
    ['an empty key', keyed, { key: new Uint8Array(0) }, 'USAGE', 0],
    ['an empty passphrase', passphrased, { passphrase: '' }, 'USAGE', 0],
  ] as const)('that are %s are refused', async (_, repository, credentials, code, stretches) => {
    const on = counting()
    expect(await codeOf(open(repository, credentials, on))).toBe(code)
    expect(on.stretches()).toBe(stretches)
  })

  it('for a repository without encryption are refused: it may have been exchanged for an encrypted one', async () => {
    const plain = await newRepository({ encryption: false })
    await open(plain, undefined)
    expect(await codeOf(open(plain, { key: KEY }))).toBe('KEY_WRONG')
    expect(await codeOf(open(plain, { passphrase: PASSPHRASE }))).toBe('KEY_WRONG')
  })

  it('are needed to init with encryption, and refused without', async () => {
    for (const [encryption, credentials, code] of [
      [true, undefined, 'KEY_REQUIRED'],
      [false, { key: KEY }, 'KEY_WRONG'],
      [true, { key: new Uint8Array(5) }, 'USAGE'],
      [true, { passphrase: '' }, 'USAGE'],
    ] as const) {
      const objects: Objects = new Map()
      expect(
        await codeOf(initRepository(platform, createMemoryStorage(objects), { workers: 0, init: { encryption }, ...(credentials ? { credentials } : {}) })),
      ).toBe(code)
      expect(objects.size).toBe(0)
    }
  })

  it('never stand in an error', async () => {
    for (const [repository, credentials] of [
      [passphrased, { passphrase: 'hunter2-hunter2' }],
      [keyed, { passphrase: 'hunter2-hunter2' }],
    ] as const) {
      const error = await open(repository, credentials).catch((caught: unknown) => caught)
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('hunter2')
    }
  })
})

/** A slot file of the given JSON, its checksum right. */
function slotFile(json: unknown): Uint8Array<ArrayBuffer> {
  const line = typeof json === 'string' ? json : JSON.stringify(json)
  return utf8(`${line}\n${createHash('sha256').update(line).digest('hex')}\n`)
}
function slotOf(repository: TestRepository): { name: string; json: { version: number; repository: string; kdf: Record<string, unknown>; keyring: string } } {
  const [name = ''] = namesUnder(repository.objects, 'keys/')
  return { name, json: JSON.parse(new TextDecoder().decode(repository.objects.get(name)).split('\n')[0]!) }
}
/** The repository with its only slot exchanged. */
function withSlot(repository: TestRepository, file: Uint8Array<ArrayBuffer>): TestRepository {
  const copy = copyOf(repository)
  copy.objects.set(slotOf(repository).name, file)
  return copy
}

describe('a key slot', () => {
  const { name, json } = slotOf(passphrased)

  it('opens again when nothing but its name is another', async () => {
    const copy = copyOf(keyed)
    const slot = slotOf(keyed).name
    copy.objects.set(`keys/${'f'.repeat(32)}`, copy.objects.get(slot)!)
    copy.objects.delete(slot)
    await open(copy, { key: KEY })
  })

  const absurd: unknown[] = [2 ** 40, 2 ** 53, -1, 0, 1.5, 1e300, '65536', null, true, [], {}, [65_536]]
  const outside = { memoryKiB: [1024, 19 * 1024 - 1, 1024 * 1024 + 1], passes: [17, 1000], lanes: [17, 255] }
  for (const cost of ['memoryKiB', 'passes', 'lanes'] as const) {
    it(`whose ${cost} is absurd is refused before any work`, async () => {
      for (const value of [...absurd, ...outside[cost]]) {
        const on = counting()
        const started = performance.now()
        const altered = withSlot(passphrased, slotFile({ ...json, kdf: { ...json.kdf, [cost]: value } }))
        expect(await codeOf(open(altered, { passphrase: PASSPHRASE }, on)), `${cost} ${JSON.stringify(value)}`).toBe('KEY_REFUSED')
        expect(on.stretches()).toBe(0)
        expect(performance.now() - started).toBeLessThan(1000)
      }
    })
  }

  it.each([
    ['a salt that is short', { salt: 'ab' }],
    ['a salt that is long', { salt: 'ab'.repeat(17) }],
    ['a salt that is no hex', { salt: 'zz'.repeat(16) }],
    ['another function', { name: 'pbkdf2' }],
    ['one field more', { extra: 1 }],
  ])('that asks for %s is refused before any work', async (_, change) => {
    const on = counting()
    expect(await codeOf(open(withSlot(passphrased, slotFile({ ...json, kdf: { ...json.kdf, ...change } })), { passphrase: PASSPHRASE }, on))).toMatch(
      /^KEY_REFUSED|OBJECT_DAMAGED$/,
    )
    expect(on.stretches()).toBe(0)
  })

  it('does not open with cheaper costs, another salt, or as another kind of slot', async () => {
    for (const kdf of [
      { ...json.kdf, passes: 2 },
      { ...json.kdf, memoryKiB: 19 * 1024 },
      { ...json.kdf, lanes: 1 },
      { ...json.kdf, salt: '00'.repeat(16) },
    ]) {
      expect(await codeOf(open(withSlot(passphrased, slotFile({ ...json, kdf })), { passphrase: PASSPHRASE }))).toBe('KEY_WRONG')
    }
    expect(await codeOf(open(withSlot(passphrased, slotFile({ ...json, kdf: { name: 'hkdf-sha256', salt: json.kdf['salt'] } })), { key: KEY }))).toBe(
      'KEY_WRONG',
    )
  })

  it('that is no slot is told as damaged', async () => {
    const files: Record<string, Uint8Array<ArrayBuffer>> = {
      'a list': slotFile([]),
      null: slotFile('null'),
      'a number': slotFile('1'),
      'deeply nested': slotFile('['.repeat(60_000)),
      'deeply nested and closed': slotFile(`${'['.repeat(30_000)}${']'.repeat(30_000)}`),
      'without a keyring': slotFile({ ...json, keyring: undefined }),
      'with half a byte of a keyring': slotFile({ ...json, keyring: 'abc' }),
      'with an empty keyring': slotFile({ ...json, keyring: '' }),
      'of another checksum': utf8(`${JSON.stringify(json)}\n${'0'.repeat(64)}\n`),
      'without a checksum': utf8(JSON.stringify(json)),
      'with a line more': concatBytes([slotFile(json), utf8('x\n')]),
      'not UTF-8': concatBytes([Uint8Array.of(0xff, 0xfe), slotFile(json)]),
      'with a byte order mark': concatBytes([Uint8Array.of(0xef, 0xbb, 0xbf), slotFile(json)]),
      'too long': new Uint8Array(64 * 1024 + 1),
      'with one field more': slotFile({ ...json, extra: 1 }),
    }
    for (const [what, file] of Object.entries(files)) {
      const on = counting()
      expect(await codeOf(open(withSlot(passphrased, file), { passphrase: PASSPHRASE }, on)), what).toBe('OBJECT_DAMAGED')
      expect(on.stretches()).toBe(0)
    }
    expect(await codeOf(open(withSlot(passphrased, slotFile({ ...json, version: 2 })), { passphrase: PASSPHRASE }))).toBe('REPOSITORY_UNSUPPORTED')
    expect(await codeOf(open(withSlot(passphrased, slotFile({ ...json, keyring: 'ab' })), { passphrase: PASSPHRASE }))).toBe('KEY_WRONG')
  })

  it('that is unreadable or refused hinders no other slot', async () => {
    const copy = copyOf(keyed)
    copy.objects.set(`keys/${'0'.repeat(32)}`, new Uint8Array(10))
    copy.objects.set(`keys/${'0'.repeat(31)}1`, slotFile({ ...json, kdf: { ...json.kdf, passes: 2 ** 40 } }))
    copy.objects.set(`keys/${'0'.repeat(31)}2`, new Uint8Array(100_000))
    copy.objects.set(`keys/${'f'.repeat(32)}`, new Uint8Array(0))
    await open(copy, { key: KEY })
  })

  it('of another repository opens nothing, also when it claims to be of this one', async () => {
    const other = await newRepository()
    const foreign = slotOf(other)
    const on = counting()
    const beside = copyOf(keyed)
    beside.objects.set(`keys/${'0'.repeat(32)}`, slotFile(foreign.json))
    await open(beside, { key: KEY }, on)
    expect(await codeOf(open(withSlot(keyed, slotFile(foreign.json)), { key: KEY }))).toBe('REPOSITORY_INVALID')
    expect(await codeOf(open(withSlot(keyed, slotFile({ ...foreign.json, repository: keyed.id })), { key: KEY }))).toBe('KEY_WRONG')
    // No work is done for a slot of another repository.
    expect(await codeOf(open(withSlot(passphrased, slotFile({ ...json, repository: other.id })), { passphrase: PASSPHRASE }, on))).toBe('REPOSITORY_INVALID')
    expect(on.stretches()).toBe(0)
  })

  it('that is missing is told as such', async () => {
    const copy = copyOf(keyed)
    copy.objects.delete(slotOf(keyed).name)
    await expect(open(copy, { key: KEY })).rejects.toMatchObject({ code: 'OBJECT_MISSING', details: { object: 'keys/' } })
  })

  it('is one of 64 at most: a thousand are refused without reading one', async () => {
    const slot = (number: number) => `keys/${number.toString(16).padStart(32, '0')}`
    const many = copyOf(keyed)
    for (let number = 0; number < 1000; number++) many.objects.set(slot(number), slotFile(json))
    const reads: string[] = []
    const storage = watched(createMemoryStorage(many.objects), {
      before: ({ method, name }) => void (method === 'get' && name !== 'config' && reads.push(name)),
    })
    expect(await codeOf(openRepository(platform, storage, { workers: 0, credentials: { key: KEY } }))).toBe('KEY_REFUSED')
    expect(reads).toEqual([])
    const full = copyOf(keyed)
    for (let number = 0; number < 63; number++) full.objects.set(slot(number), slotFile(json))
    await open(full, { key: KEY })
    expect(name).not.toBe('')
  })
})

describe('the config', () => {
  const line = (repository: TestRepository) => new TextDecoder().decode(repository.objects.get('config')).split('\n') as [string, string, string]
  const withConfig = (repository: TestRepository, text: string | Uint8Array<ArrayBuffer>): TestRepository => {
    const copy = copyOf(repository)
    copy.objects.set('config', typeof text === 'string' ? utf8(text) : text)
    return copy
  }

  it('altered in any field is refused, with encryption and without', async () => {
    for (const [repository, credentials] of [
      [keyed, { key: KEY }],
      [await newRepository({ encryption: false }), undefined],
    ] as const) {
      const [text, mac] = line(repository)
      const config = JSON.parse(text) as Record<string, unknown>
      const changes: Record<string, unknown[]> = {
        format: ['restic', '', null, 1],
        version: [0, -1, 1.5, '1', null],
        id: ['00000000-0000-4000-8000-000000000000', '', '../x', 1],
        createdAt: ['2020-01-01T00:00:00.000Z', 'yesterday', 1, '2020-01-01'],
        chunker: [
          { kind: 'fixed', size: 8192 },
          { kind: 'fixed', size: 2 ** 40 },
          { kind: 'fixed', size: -1 },
          { kind: 'fixed', size: 1.5 },
          { kind: 'fastcdc', min: 512, average: 100, max: 4096 },
          { kind: 'other' },
          null,
          'fixed',
        ],
        segmentBytes: [1024 * 1024, 0, -1, 2 ** 40, 1.5, '4194304'],
        frameBytes: [2 * 1024 * 1024, 0, 2 ** 40, null],
        fingerprint: ['sha256', null],
        seal: [config['seal'] === 'checksum' ? 'none' : 'chacha20', null],
        extra: [1],
      }
      expect(Object.keys(changes)).toEqual(expect.arrayContaining(Object.keys(config)))
      for (const [field, values] of Object.entries(changes)) {
        for (const value of values) {
          const code = await codeOf(open(withConfig(repository, `${JSON.stringify({ ...config, [field]: value })}\n${mac}\n`), credentials))
          expect(code, `${field}: ${JSON.stringify(value)}`).toBe('REPOSITORY_INVALID')
        }
        const { [field]: _, ...without } = config
        if (field in config)
          expect(await codeOf(open(withConfig(repository, `${JSON.stringify(without)}\n${mac}\n`), credentials)), `no ${field}`).toBe('REPOSITORY_INVALID')
      }
      for (const version of [2, 3, 1000]) {
        await expect(
          open(withConfig(repository, `${JSON.stringify({ ...config, version, chunker: { kind: 'unheard of' } })}\n${mac}\n`), credentials),
        ).rejects.toMatchObject({ code: 'REPOSITORY_UNSUPPORTED', details: { version } })
      }
      for (const text of [
        line(repository)[0],
        `${line(repository)[0]}\n`,
        `${line(repository)[0]} \n${mac}\n`,
        `${line(repository)[0]}\n${mac}`,
        `${line(repository)[0]}\n${mac}\n\n`,
        `${line(repository)[0]}\n${'0'.repeat(64)}\n`,
        `${line(repository)[0]}\r\n${mac}\r\n`,
      ]) {
        expect(await codeOf(open(withConfig(repository, text), credentials)), JSON.stringify(text.slice(-80))).toBe('REPOSITORY_INVALID')
      }
    }
  })

  it.each([
    ['empty', ''],
    ['null', 'null\n\n'],
    ['a list', '[]\n\n'],
    ['text', 'blockvault\n'],
    ['deeply nested', '['.repeat(60_000)],
    ['deeply nested and closed', `${'['.repeat(30_000)}${']'.repeat(30_000)}`],
    ['not UTF-8', Uint8Array.of(0xff, 0xff, 0x0a)],
    ['far too long', new Uint8Array(65 * 1024)],
    ['a prototype', '{"__proto__":{"format":"blockvault","version":1}}\n\n'],
  ])('that is %s makes no repository', async (_, text) => {
    expect(await codeOf(open(withConfig(keyed, text), { key: KEY }))).toBe('REPOSITORY_INVALID')
    expect(await codeOf(initRepository(platform, createMemoryStorage(withConfig(keyed, text).objects), { workers: 0, credentials: { key: KEY } }))).toBe(
      'REPOSITORY_INVALID',
    )
  })

  it('that asks for chunks longer than a frame is refused though it is signed', async () => {
    const { keyring } = await sealerOf(keyed)
    const { config } = await readConfig(createMemoryStorage(keyed.objects))
    const copy = copyOf(keyed)
    copy.objects.delete('config')
    await writeConfig(createMemoryStorage(copy.objects), { ...config, chunker: { kind: 'fixed', size: 1024 * 1024 }, segmentBytes: 64 * 1024 }, keyring)
    expect(await codeOf(open(copy, { key: KEY }))).toBe('REPOSITORY_INVALID')
  })

  it('exchanged for one without encryption is refused when a key is given, and gets no byte', async () => {
    const copy = copyOf(keyed)
    await opened(copy, (repository) => repository.backup(handleOf(noise(1, 10_000))))
    const { config } = await readConfig(createMemoryStorage(copy.objects))
    copy.objects.delete('config')
    await writeConfig(createMemoryStorage(copy.objects), { ...config, seal: 'checksum' }, await openKeyring(config.id))
    const before = [...copy.objects.keys()]
    expect(await codeOf(open(copy, { key: KEY }))).toBe('KEY_WRONG')
    expect([...copy.objects.keys()]).toEqual(before)
  })

  it('of another repository, under one key, opens nothing', async () => {
    const other = await newRepository()
    expect(await codeOf(open(withConfig(keyed, other.objects.get('config')!), { key: KEY }))).toBe('REPOSITORY_INVALID')
  })

  it('that is missing is told apart from a place that never was a repository', async () => {
    const withoutConfig = copyOf(keyed)
    await opened(withoutConfig, (repository) => repository.backup(handleOf(noise(1, 10_000))))
    withoutConfig.objects.delete('config')
    for (const job of [
      open(withoutConfig, { key: KEY }),
      initRepository(platform, createMemoryStorage(withoutConfig.objects), { workers: 0, credentials: { key: KEY } }),
    ]) {
      expect(await codeOf(job)).toBe('REPOSITORY_INVALID')
    }
    expect(await codeOf(openRepository(platform, createMemoryStorage(), { workers: 0 }))).toBe('REPOSITORY_MISSING')
    const folder = new Map([['holiday.jpg', noise(1, 10)]])
    expect(await codeOf(openRepository(platform, createMemoryStorage(folder), { workers: 0 }))).toBe('REPOSITORY_INVALID')
    expect(await codeOf(initRepository(platform, createMemoryStorage(folder), { workers: 0, credentials: { key: KEY } }))).toBe('REPOSITORY_INVALID')
    expect([...folder.keys()]).toEqual(['holiday.jpg'])
  })
})

describe('what lies in the storage of an encrypted repository', () => {
  it('shows neither content, names, tags nor paths, and no two alike for equal backups', async () => {
    const repository = await newRepository()
    const secret = 'the-secret-marker-9731'
    const volume = utf8(`${secret} `.repeat(3000))
    await opened(repository, async (repository) => {
      await repository.backup(handleOf(volume), { volume: secret, tags: { [secret]: secret } })
      await repository.backup(handleOf(volume), { volume: secret })
    })
    for (const [name, bytes] of repository.objects) {
      expect(name).not.toContain('secret')
      expect(Buffer.from(bytes).includes(secret), name).toBe(false)
    }
    const manifests = namesUnder(repository.objects, 'backups/').map((name) => Buffer.from(repository.objects.get(name)!))
    expect(manifests[0]!.subarray(8, 24).equals(manifests[1]!.subarray(8, 24)), 'salts are fresh').toBe(false)
  })

  it('does not open under the key of another repository made with the same passphrase or key', async () => {
    const other = await newRepository()
    const { id } = await opened(other, (repository) => repository.backup(handleOf(noise(1, 10_000))))
    const copy = copyOf(keyed)
    for (const [name, bytes] of other.objects) if (!name.startsWith('keys/') && name !== 'config') copy.objects.set(name, bytes)
    await opened(copy, async (repository) => {
      const damaged: string[] = []
      expect(await repository.list({ onDamaged: (name) => damaged.push(name) })).toEqual([])
      expect(damaged).toEqual([id])
      await expect(restored(repository, id)).rejects.toEqual(coded('OBJECT_DAMAGED'))
      expect((await repository.verify()).errors.map(({ object }) => object)).toContain(`backups/${id}`)
      const next = await repository.backup(handleOf(noise(1, 10_000)))
      expect(next.newBytes).toBe(10_000)
    })
  })
})
