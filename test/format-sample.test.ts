/** The stored sample of format version 1, the document that describes it, and two readers that agree about both. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { openRepository } from '../adapters/node/index.ts'
import { decodeKeyFile } from '../src/cli/key-file.ts'
import * as format from '../src/repository/format.ts'
import { readRepository } from './format-reader.ts'
import sample from './vectors/repository-v1/sample.json' with { type: 'json' }

const root = fileURLToPath(new URL('./vectors/repository-v1', import.meta.url))
const document = readFileSync(new URL('../docs/format.md', import.meta.url), 'utf8')
const key = decodeKeyFile(readFileSync(`${root}/encrypted.key`), 'encrypted.key')
const scratch = mkdtempSync(join(tmpdir(), 'blockvault-sample-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const cases = [
  { name: 'encrypted', how: 'key file', secret: { key }, backups: sample.encrypted },
  { name: 'encrypted', how: 'passphrase', secret: { passphrase: sample.passphrase }, backups: sample.encrypted },
  { name: 'open', how: 'no key', secret: {}, backups: sample.open },
]

describe.each(cases)('the stored sample "$name", opened by $how', ({ name, secret, backups }) => {
  it('restores byte for byte with the engine, and verifies', async () => {
    await using repository = await openRepository({ repository: `${root}/${name}`, credentials: secret, workers: 0 })
    expect((await repository.list()).map(({ id }) => id).sort()).toEqual(backups.map(({ id }) => id).sort())
    expect((await repository.verify({ readData: true })).errors).toEqual([])
    for (const { id, bytes, sha256 } of backups) {
      const target = `${scratch}/${id}-${Object.keys(secret).join()}`
      expect((await repository.restore(id, target)).bytes).toBe(bytes)
      expect(sha256Of(readFileSync(target))).toBe(sha256)
    }
  })

  it('restores byte for byte with a reader that knows docs/format.md only', async () => {
    const reader = await readRepository(`${root}/${name}`, secret)
    expect(reader.ids.sort()).toEqual(backups.map(({ id }) => id).sort())
    for (const { id, bytes, sha256 } of backups) {
      const { volume } = await reader.restore(id)
      expect(volume.length).toBe(bytes)
      expect(sha256Of(volume)).toBe(sha256)
    }
  })

  it('was cut where docs/format.md says', async () => {
    const reader = await readRepository(`${root}/${name}`, secret)
    for (const { id } of backups) {
      const { volume, pieces } = await reader.restore(id)
      for (let segment = 0; segment < volume.length; segment += reader.segmentBytes) {
        const bytes = volume.slice(segment, segment + reader.segmentBytes)
        const inSegment = pieces.filter(({ offset }) => offset >= segment && offset < segment + bytes.length)
        if (inSegment.length > 0) expect(inSegment).toEqual(entriesOf(segment, bytes, await reader.cut(bytes)))
        else expect(bytes.every((byte) => byte === 0)).toBe(true)
      }
    }
  })
})

describe('docs/format.md', () => {
  it('names the version and every number of src/repository/format.ts', () => {
    expect(document).toContain(`# The repository format, version ${format.FORMAT_VERSION}\n`)
    const rows = [...document.matchAll(/^\| ([A-Z_]+) \| (\d+) \|/gm)].map(([, name, value]) => [name, Number(value)])
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(Object.entries(format).filter(([, value]) => typeof value === 'number')))
    const { min, default: usual, max } = format.ARGON2ID
    for (const cost of ['memoryKiB', 'passes', 'lanes'] as const) expect(document).toContain(`| ${cost} | ${min[cost]} | ${usual[cost]} | ${max[cost]} |`)
    for (const [type, number] of Object.entries(format.OBJECT_TYPES)) expect(document).toMatch(new RegExp(`object type: .*\\b${number} ${type}\\b`))
  })

  it('has a stored sample of every version up to the one that is written', () => {
    const samples = readdirSync(new URL('./vectors', import.meta.url)).filter((name) => name.startsWith('repository-v'))
    expect(samples).toEqual(Array.from({ length: format.FORMAT_VERSION }, (_, version) => `repository-v${version + 1}`))
  })
})

/** The entries of a leaf: its chunks, runs of zero chunks joined. */
function entriesOf(start: number, segment: Uint8Array, lengths: readonly number[]) {
  const entries: { offset: number; length: number; zero: boolean }[] = []
  let at = 0
  for (const length of lengths) {
    const zero = segment.subarray(at, at + length).every((byte) => byte === 0)
    const last = entries.at(-1)
    if (zero && last?.zero) last.length += length
    else entries.push({ offset: start + at, length, zero })
    at += length
  }
  return entries
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
