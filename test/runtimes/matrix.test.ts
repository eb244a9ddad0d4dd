/**
 * What one runtime writes, all read: three writers make the same repository byte by byte, given the same clock, random source and keys, and
 * each restores the others'.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { noise, text } from '../repository/support/random.ts'
import { fileOf, freshPath, spread, temporaryDirectory, volumeOf } from '../repository/support/volumes.ts'
import { bundlePrograms, runProgram } from './bundles.ts'
import type { MatrixJob, Restored } from './matrix.ts'
import { type Runtime, runtimeOf } from './runtimes.ts'

const MIB = 1 << 20
const runtimes = [runtimeOf('node'), runtimeOf('deno'), runtimeOf('bun')]
const programOf = await bundlePrograms(temporaryDirectory(), 'matrix')
const run = (runtime: Runtime, job: MatrixJob) => runProgram<Restored>(runtime, programOf('matrix', runtime), JSON.stringify(job))

/** Zeros, text, noise and repeats, and the same volume a day later: half of its backup is known, and it has grown. */
const first = volumeOf(24 * MIB + 512, [
  { offset: 3 * MIB, bytes: noise(1, 5 * MIB) },
  { offset: 9 * MIB, bytes: text(2, 6 * MIB) },
  { offset: 17 * MIB + 100, bytes: noise(1, 2 * MIB) },
  ...spread(3, 24 * MIB, 50),
])
const second = volumeOf(28 * MIB, [
  { offset: 0, bytes: first },
  { offset: 10 * MIB, bytes: noise(4, 300_000) },
  { offset: 26 * MIB, bytes: text(5, MIB) },
])
const volumes = [fileOf(first), fileOf(second), fileOf(new Uint8Array(0))]
const expected = Object.fromEntries(volumes.map((path) => [path.split('/').at(-1), createHash('sha256').update(readFileSync(path)).digest('hex')]))

/** Every object with its SHA-256. */
function objectsOf(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = names.map(({ parentPath, name }) => join(parentPath, name)).sort()
  return Object.fromEntries(paths.map((path) => [path.slice(directory.length + 1), createHash('sha256').update(readFileSync(path)).digest('hex')]))
}

describe.each([
  { name: 'encrypted, FastCDC', encryption: true, chunker: { kind: 'fastcdc', min: 16_384, average: 65_536, max: 262_144 } },
  { name: 'encrypted, fixed chunks', encryption: true, chunker: { kind: 'fixed', size: 65_536 } },
  { name: 'not encrypted', encryption: false, chunker: { kind: 'fixed', size: 4096 } },
] satisfies ({ name: string } & Partial<MatrixJob>)[])('a repository that is $name', ({ encryption, chunker }) => {
  const repositories = new Map(runtimes.map((runtime) => [runtime, freshPath('repository')]))
  const job = (writer: Runtime, of: string[]): MatrixJob => ({
    repository: repositories.get(writer) as string,
    encryption,
    chunker,
    volumes: of,
    target: freshPath('restored'),
  })

  it('is the same, byte by byte, whoever writes it', { timeout: 300_000 }, async () => {
    for (const writer of runtimes) await run(writer, job(writer, volumes))
    const [reference, ...others] = runtimes.map((writer) => objectsOf(repositories.get(writer) as string))
    expect(Object.keys(reference as object).filter((name) => name.startsWith('packs/')).length).toBeGreaterThan(1)
    for (const other of others) expect(other).toEqual(reference)
  })

  it.each(runtimes.flatMap((writer) => runtimes.map((reader) => [writer.name, reader.name, writer, reader] as const)))(
    'written by %s, is restored by %s',
    { timeout: 300_000 },
    async (_writer, _reader, writer, reader) => {
      expect(await run(reader, job(writer, []))).toEqual(expected)
    },
  )
})
