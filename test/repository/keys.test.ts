/** What opens a repository and what does not: passphrases, keys, slots and the config, given wrongly or altered. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Credentials } from '../../src/contract/backup.ts'
import type { Platform } from '../../src/contract/platform.ts'
import { concatBytes, utf8 } from '../../src/core/bytes.ts'
import { initRepository, openRepository } from '../../src/repository/open.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { codeOf, copyOf, KEY, namesUnder, newRepository, type Objects, platform, type TestRepository } from './support/repositories.ts'
import { noise } from './support/random.ts'
import { watched } from './support/storages.ts'

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
        const altered = withSlot(passphrased, slotFile({ ...json, kdf: { ...json.kdf, [cost]: value } }))
        expect(await codeOf(open(altered, { passphrase: PASSPHRASE }, on)), `${cost} ${JSON.stringify(value)}`).toBe('KEY_REFUSED')
        expect(on.stretches()).toBe(0)
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
