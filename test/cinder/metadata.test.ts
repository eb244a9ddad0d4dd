import { describe, expect, it } from 'vitest'
import { checkVersion, encodeManifest, OBJECTS_MAX, readManifest, readManifestAt } from '../../src/cinder/metadata.ts'
import { createObjectList, type ObjectEntry } from '../../src/cinder/object-list.ts'
import { createSha256FileWriter, readSha256File } from '../../src/cinder/sha256file.ts'
import { pythonJson } from '../../src/contract/python-json.ts'
import { manifestOf, VOLUME_ID } from './support/manifests.ts'
import { joined, piecesOf } from './support/pieces.ts'

const entry = { compression: 'zlib', length: 10, md5: 'bcf8f8f8394e62b9d2d6cefee271a390', offset: 0 }
const base = {
  version: '1.0.0',
  backup_id: 'b',
  volume_id: VOLUME_ID,
  backup_name: null,
  backup_description: null,
  created_at: '2024-01-10 00:05:09+00:00',
  parent_id: null,
  objects: [{ 'p-00001': entry }],
  volume_meta: null,
}
const read = (document: unknown) => readManifest(piecesOf(typeof document === 'string' ? document : JSON.stringify(document)), { prefix: 'p' })
const withEntry = (value: unknown, name = 'p-00001') => ({ ...base, objects: [{ [name]: value }] })

describe('a manifest', () => {
  it('may leave out what no reader of Cinder looks at, and say more', async () => {
    const { objects, ...manifest } = await read({
      version: '2.0.0',
      backup_id: 'b',
      volume_id: 'v',
      objects: [{ 'p-00007': { offset: 5, compression: 'OFF', more: [1] } }],
      more: { x: 1 },
    })
    expect(manifest).toEqual({
      version: '2.0.0',
      backupId: 'b',
      volumeId: 'v',
      backupName: null,
      backupDescription: null,
      createdAt: null,
      parentId: null,
      volumeMeta: null,
    })
    expect([...objects]).toEqual([{ number: 7, offset: 5, length: undefined, compression: 'off', md5: undefined }])
  })

  it('with extra metadata is written as Python would write it', async () => {
    const document = { ...base, extra_metadata: { z: [1, { a: 'é' }], a: {} }, backup_name: 'n"\u007f', volume_meta: '{"version": 2}' }
    const manifest = await read(document)
    expect(joined(encodeManifest(manifest, 'p'))).toBe(pythonJson(document, { indent: 2, sortKeys: true }))
  })

  it('is written as Python would write it, whatever its entries leave out and its prefix holds', async () => {
    const objects = [{ 'é"/p-00001': entry }, { 'é"/p-123456': { compression: 'none', offset: 2 ** 52 } }]
    const manifest = await readManifest(piecesOf(JSON.stringify({ ...base, objects })), { prefix: 'é"/p' })
    expect(joined(encodeManifest(manifest, 'é"/p'))).toBe(pythonJson({ ...base, objects }, { indent: 2, sortKeys: true }))
  })

  it.each([
    ['null', 'null'],
    ['no object list', { ...base, objects: undefined }],
    ['no version', { ...base, version: undefined }],
    ['a number for a version', { ...base, version: 1 }],
    ['no id', { ...base, backup_id: undefined }],
    ['an empty id', { ...base, backup_id: '' }],
    ['an id of 256 characters', { ...base, backup_id: 'x'.repeat(256) }],
    ['a number for a volume', { ...base, volume_id: 7 }],
    ['an object for a parent', { ...base, parent_id: {} }],
    ['volume metadata that is no text', { ...base, volume_meta: {} }],
    ['a name of 2 MB', { ...base, backup_name: 'x'.repeat(2e6) }],
    ['objects that are no list', { ...base, objects: {} }],
    ['an entry that is a text', { ...base, objects: ['p-00001'] }],
    ['an entry that is a list', { ...base, objects: [[1]] }],
    ['an entry that is null', { ...base, objects: [null] }],
    ['an empty entry', { ...base, objects: [{}] }],
    ['an entry of two names', { ...base, objects: [{ 'p-00001': entry, 'p-00002': entry }] }],
    ['an object twice', { ...base, objects: [{ 'p-00001': entry }, { 'p-00001': { ...entry, offset: 10 } }] }],
    ['a description that is null', withEntry(null)],
    ['no offset', withEntry({ ...entry, offset: undefined })],
    ['a negative offset', withEntry({ ...entry, offset: -1 })],
    ['half an offset', withEntry({ ...entry, offset: 0.5 })],
    ['a text for an offset', withEntry({ ...entry, offset: '0' })],
    ['a negative length', withEntry({ ...entry, length: -1 })],
    ['a length beyond 2^53', withEntry({ ...entry, length: 2 ** 53 })],
    ['an end beyond 2^53', withEntry({ ...entry, offset: 2 ** 53 - 1, length: 10 })],
    ['an md5 that is none', withEntry({ ...entry, md5: 'xyz' })],
    ['no compression', withEntry({ ...entry, compression: undefined })],
    ['an unknown compression', withEntry({ ...entry, compression: 'lz4' })],
    ['a compression of Object.prototype', withEntry({ ...entry, compression: 'constructor' })],
    ['a hostile compression', withEntry({ ...entry, compression: '__proto__' })],
    ["another backup's object", withEntry(entry, 'q-00001')],
    ["a neighbour's object", withEntry(entry, 'p-00001-00001')],
    ['a path outside', withEntry(entry, '../../etc/passwd')],
    ['an absolute path', withEntry(entry, '/etc/passwd-00001')],
    ['a control character in a name', withEntry(entry, 'p\n-00001')],
    ['its own manifest as data', withEntry(entry, 'p_metadata')],
    ['a hostile key', `{"version":"1.0.0","backup_id":"b","volume_id":"v","objects":[{"__proto__":${JSON.stringify(entry)}}]}`],
  ])('with %s is refused', async (_what, document) => {
    await expect(read(document)).rejects.toMatchObject({ code: 'InvalidBackup', details: { object: 'p_metadata' } })
  })

  it('takes hostile keys for what they are: unknown ones', async () => {
    const text = JSON.stringify(base).replace('"version"', '"__proto__": {"version": "9"}, "constructor": 1, "version"')
    expect(await read(text)).toMatchObject({ version: '1.0.0' })
  })

  it('of an unknown version is refused for the backup that is restored', async () => {
    const manifest = await read({ ...base, version: '2.0.0' })
    expect(() => checkVersion(manifest)).toThrowError(expect.objectContaining({ code: 'InvalidBackup', message: expect.stringContaining('version 2.0.0') }))
    expect(() => checkVersion({ ...manifest, version: '1.0.0' })).not.toThrow()
  })

  it('with a million entries is read in bounded memory, and one with too many refused', { timeout: 120_000 }, async () => {
    const count = 1_000_000
    const entries = (function* (): Generator<ObjectEntry> {
      for (let index = 0; index < count; index++) yield { number: index + 1, offset: index * 65_536, length: 32_768, compression: 'zstd', md5: entry.md5 }
    })()
    const parts = async function* () {
      yield* encodeManifest({ ...manifestOf(1, []), objects: entries }, 'p')
    }
    const before = process.memoryUsage().rss
    const { objects } = await readManifest(parts(), { prefix: 'p' })
    expect(objects.count).toBe(count)
    expect(objects.entry(count - 1)).toEqual({ number: count, offset: (count - 1) * 65_536, length: 32_768, compression: 'zstd', md5: entry.md5 })
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 ** 2)
    const few = readManifest(piecesOf(JSON.stringify({ ...base, objects: [{ 'p-00001': entry }, { 'p-00002': entry }] })), { prefix: 'p', objectsMax: 1 })
    await expect(few).rejects.toMatchObject({ code: 'InvalidBackup', message: expect.stringContaining('more than 1 objects') })
    expect(OBJECTS_MAX).toBeGreaterThan(count)
  })

  it('found in a store tells where its prefix begins', async () => {
    const at = async (path: string, name: string) => {
      const document = { ...base, objects: name === '' ? [] : [{ [`${name}-00001`]: entry }] }
      return (await readManifestAt(piecesOf(JSON.stringify(document)), path)).prefix
    }
    expect(await at('a/b/c', 'c')).toBe('c')
    expect(await at('a/b/c', 'b/c')).toBe('b/c')
    expect(await at('a/b/c', 'a/b/c')).toBe('a/b/c')
    expect(await at('a/volume_v/20240101000000/az_z_backup_b', '')).toBe('volume_v/20240101000000/az_z_backup_b')
    await expect(at('a/b/c', 'd')).rejects.toMatchObject({ code: 'InvalidBackup' })
    await expect(at('a/b/xc', 'c')).rejects.toMatchObject({ code: 'InvalidBackup' })
    await expect(at('a/b/c', '../c')).rejects.toMatchObject({ code: 'InvalidBackup' })
  })
})

describe('the list of objects', () => {
  it('gives back what went in, however long it gets', () => {
    const entries = Array.from(
      { length: 1000 },
      (_, index): ObjectEntry => ({
        number: index * 3 + 1,
        offset: index * 2 ** 40,
        length: index % 3 === 0 ? undefined : index,
        compression: index % 2 === 0 ? 'gzip' : 'none',
        md5: index % 5 === 0 ? undefined : index.toString(16).padStart(32, '0'),
      }),
    )
    const list = createObjectList(entries)
    expect([...list]).toEqual(entries)
    list.setLength(0, 12)
    expect(list.length(0)).toBe(12)
  })
})

describe('a list of hashes', () => {
  const file = { ...base, objects: undefined, volume_meta: undefined, parent_id: undefined, chunk_size: 4096, sha256s: ['ab'.repeat(32)] }
  const readFile = (document: unknown) => readSha256File(piecesOf(JSON.stringify(document)), { prefix: 'p' })

  it('of an empty volume is an empty array', async () => {
    const writer = createSha256FileWriter({ ...manifestOf(1, []), blockBytes: 32_768 })
    const bytes = writer.end()
    expect(joined([bytes])).toContain('"sha256s": [],\n')
    expect(await readSha256File(piecesOf(bytes), { prefix: 'p' })).toMatchObject({ blocks: 0, blockBytes: 32_768 })
  })
  it('takes hashes in capitals', async () => {
    let got: Uint8Array | undefined
    await readSha256File(piecesOf(JSON.stringify({ ...file, sha256s: ['AB'.repeat(32)] })), { prefix: 'p', onHashes: (hashes) => (got = hashes) })
    expect(got).toEqual(new Uint8Array(32).fill(0xab))
  })
  it.each([
    ['no list', { ...file, sha256s: undefined }],
    ['a hash that is short', { ...file, sha256s: ['ab'] }],
    ['a hash that is long', { ...file, sha256s: ['ab'.repeat(33)] }],
    ['a hash that is none', { ...file, sha256s: ['xy'.repeat(32)] }],
    ['a hash in other digits', { ...file, sha256s: ['٠١'.repeat(32)] }],
    ['a number', { ...file, sha256s: [1] }],
    ['no block size', { ...file, chunk_size: undefined }],
    ['a block size of 0', { ...file, chunk_size: 0 }],
    ['a block size of a terabyte', { ...file, chunk_size: 2 ** 40 }],
    ['half a block size', { ...file, chunk_size: 1.5 }],
  ])('with %s is refused', async (_what, document) => {
    await expect(readFile(document)).rejects.toMatchObject({ code: 'InvalidBackup', details: { object: 'p_sha256file' } })
  })
})
