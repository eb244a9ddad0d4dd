/** The component in a host that is not JavaScript: a Python script reads a repository of ours, and finds what the library finds. */
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { createDirectoryStorage, openRepository } from '../../adapters/node/index.ts'
import type { Credentials } from '../../src/contract/backup.ts'
import { fromHex, toHex } from '../../src/core/bytes.ts'
import { aeadOf } from '../../src/pipeline/checksum-seal.ts'
import { readConfig } from '../../src/repository/config.ts'
import { openKeySlots } from '../../src/repository/key-slot.ts'
import { openKeyring } from '../../src/repository/keyring.ts'
import { createStoredIndex } from '../../src/repository/stored-index.ts'
import { platform } from '../repository/support/repositories.ts'
import { temporaryDirectory } from '../repository/support/volumes.ts'
import { volumeBytes } from '../suites/core/bytes.ts'

const WASMTIME = '50.0.1'
const component = fileURLToPath(new URL('../../wasm/component/pkg/blockvault_reader.wasm', import.meta.url))
const script = fileURLToPath(new URL('./read_repository.py', import.meta.url))
/** Kept from run to run: it is 30 MB. */
const packages = join(tmpdir(), `blockvault-wasmtime-${WASMTIME}`)

/** Why there is no host here, or `undefined` once there is one. */
function prepareHost(): string | undefined {
  if (spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 10))']).status !== 0) return 'python3 is missing, or older than 3.10'
  if (existsSync(packages)) return undefined
  const fresh = `${packages}.${process.pid}`
  const pip = spawnSync('python3', ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', fresh, `wasmtime==${WASMTIME}`], {
    encoding: 'utf8',
  })
  if (pip.status !== 0) {
    rmSync(fresh, { recursive: true, force: true })
    return `pip can not install wasmtime ${WASMTIME}: ${pip.stderr?.trim().split('\n').at(-1)}`
  }
  try {
    renameSync(fresh, packages)
  } catch {
    rmSync(fresh, { recursive: true, force: true }) // another run was faster
  }
  return undefined
}

function python(...parameters: string[]): { status: number | null; lines: string[][]; stderr: string } {
  const { status, stdout, stderr } = spawnSync('python3', [script, component, ...parameters], {
    encoding: 'utf8',
    env: { ...process.env, PYTHONPATH: packages },
    maxBuffer: 1 << 26,
  })
  return {
    status,
    lines: stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(' ')),
    stderr,
  }
}

/** What the library's own index says of each chunk. */
async function libraryIndex(folder: string, credentials: Credentials | undefined) {
  const storage = createDirectoryStorage(folder)
  const { config } = await readConfig(storage)
  const port = await platform.spawn({ inline: true })
  const slots = { storage, repositoryId: config.id, aead: platform.aead, port: () => port }
  const keyring = credentials ? await openKeySlots(slots, credentials) : await openKeyring(config.id)
  const sealer = { repositoryId: config.id, keyring, aead: aeadOf(credentials !== undefined, platform.aead, platform.core) }
  const index = createStoredIndex(platform.core, storage, sealer, platform.random)
  await index.refresh()
  await port.close()
  return index
}

const why = prepareHost()
describe.skipIf(why)(`in Python, by wasmtime ${WASMTIME}${why ? `: ${why}` : ''}`, () => {
  const key = Uint8Array.from({ length: 32 }, (_, index) => index)
  it.each([
    ['a key', { key }, ['--key', toHex(key)]],
    ['a passphrase', { passphrase: 'päss' }, ['--passphrase', 'päss']],
    ['no encryption', undefined, []],
  ] as const)(
    'a script reads the packs of a repository with %s: chunks and volumes are those of the library',
    async (_, credentials, secret) => {
      const folder = temporaryDirectory()
      // Three segments, mostly zeros: wasmtime's Python takes a second for each megabyte that crosses.
      const volume = new Uint8Array(9_000_001)
      volume.set(volumeBytes(5, 400_000), 100_000)
      volume.set(volumeBytes(6, 300_000), 8_000_000)
      writeFileSync(join(folder, 'volume'), volume)
      const repository = join(folder, 'repository')
      {
        await using opened = await openRepository({ repository, credentials, create: true, init: { encryption: credentials !== undefined }, workers: 0 })
        await opened.backup(join(folder, 'volume'))
        volume.fill(7, 200_000, 250_000)
        writeFileSync(join(folder, 'volume'), volume)
        await opened.backup(join(folder, 'volume'))
      }
      const { status, lines, stderr } = python(repository, ...secret)
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' })

      const index = await libraryIndex(repository, credentials)
      const chunks = lines.filter(([kind]) => kind === 'chunk')
      expect(new Set(chunks.map(([, , , , , fingerprint]) => fingerprint)).size).toBe(index.chunks.size)
      for (const [, pack, frame, offset, length, fingerprint] of chunks) {
        const place = index.chunks.find(fromHex(fingerprint as string))
        expect(place && { pack: toHex(index.chunks.packId(place.pack)), frame: place.frame, offset: place.chunkOffset, length: place.chunkBytes }).toEqual({
          pack,
          frame: Number(frame),
          offset: Number(offset),
          length: Number(length),
        })
      }
      index.free()

      await using opened = await openRepository({ repository, credentials, workers: 0 })
      const restored = await Promise.all(
        (await opened.list()).map(async ({ id, volumeBytes }) => {
          const target = join(folder, id)
          await opened.restore(id, target)
          return ['backup', id, String(volumeBytes), createHash('sha256').update(readFileSync(target)).digest('hex')]
        }),
      )
      expect(lines.filter(([kind]) => kind === 'backup').sort()).toEqual(restored.sort())
    },
    60_000,
  )

  it('a script is refused what is damaged or not for it', async () => {
    const repository = join(temporaryDirectory(), 'repository')
    {
      await using opened = await openRepository({ repository, credentials: { key }, create: true, workers: 0 })
      writeFileSync(`${repository}.img`, volumeBytes(6, 300_000))
      await opened.backup(`${repository}.img`)
    }
    expect(python(repository, '--key', 'ab'.repeat(32))).toMatchObject({ status: 1, stderr: 'refused: key\n' })
    expect(python(repository)).toMatchObject({ status: 1, stderr: 'refused: encryption\n' })
    const [pack] = execFileSync('find', [`${repository}/packs`, '-type', 'f'], { encoding: 'utf8' })
      .trim()
      .split('\n') as [string]
    const bytes = readFileSync(pack)
    bytes[100]! ^= 1
    rmSync(pack)
    writeFileSync(pack, bytes)
    expect(python(repository, '--key', toHex(key))).toMatchObject({ status: 1, stderr: 'refused: seal\n' })
  }, 60_000)
})
