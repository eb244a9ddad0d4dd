import { describe, expect, it } from 'vitest'
import type { Credentials } from '../../src/contract/backup.ts'
import type { Platform } from '../../src/contract/platform.ts'
import { utf8 } from '../../src/core/bytes.ts'
import { readConfig, writeConfig } from '../../src/repository/config.ts'
import { openKeyring } from '../../src/repository/keyring.ts'
import { initRepository, openRepository } from '../../src/repository/open.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { codeOf, coded, copyOf, KEY, namesUnder, newRepository, opened, platform, sealerOf, type TestRepository } from './support/repositories.ts'
import { noise } from './support/random.ts'
import { handleOf, restored } from './support/volumes.ts'

const keyed = await newRepository()

const open = async ({ objects }: TestRepository, credentials: Credentials | undefined, on: Platform = platform) => {
  const repository = await openRepository(on, createMemoryStorage(objects), { workers: 0, ...(credentials ? { credentials } : {}) })
  await repository.close()
}

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
