/** Volumes to back up, and what they are restored to: real files in memory where the system has that, else on disk. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import type { RestoreOptions, Repository } from '../../../src/contract/backup.ts'
import type { VolumeFile } from '../../../src/contract/volume.ts'
import { noise, text } from './random.ts'

const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
const directories: string[] = []
afterAll(() => {
  for (const path of directories) rmSync(path, { recursive: true, force: true })
})

/** A directory that is gone when the test file ends. `parent`: memory by default. */
export function temporaryDirectory(parent = base): string {
  const path = mkdtempSync(join(parent, 'blockvault-test-'))
  directories.push(path)
  return path
}

let files = 0
const workplace = temporaryDirectory()

/** A path that nothing is at. */
export function freshPath(name = 'file'): string {
  return join(workplace, `${name}-${++files}`)
}

export function fileOf(bytes: Uint8Array, name = 'volume'): string {
  const path = freshPath(name)
  writeFileSync(path, bytes)
  return path
}

/** The bytes a restore gives. When it rejects: nothing may be left where it would have written. */
export async function restored(repository: Repository, reference: string, options: RestoreOptions = {}): Promise<Buffer> {
  const directory = temporaryPlace()
  try {
    await repository.restore(reference, join(directory, 'target'), options)
  } catch (error) {
    const left = readdirSync(directory)
    rmSync(directory, { recursive: true })
    if (left.length > 0) throw new Error(`A restore that failed left ${left.join(', ')} behind.`, { cause: error })
    throw error
  }
  const bytes = readFileSync(join(directory, 'target'))
  rmSync(directory, { recursive: true })
  return bytes
}

function temporaryPlace(): string {
  return mkdtempSync(join(workplace, 'restore-'))
}

/** A handle on bytes in memory, as a caller may pass one in. Reads only. */
export function handleOf(bytes: Uint8Array): VolumeFile {
  const refuse = async (): Promise<never> => {
    throw new Error('not written to in this test')
  }
  return {
    kind: 'file',
    size: bytes.length,
    read: refuse,
    readAt: async (offset, length) => new Uint8Array(bytes.slice(offset, offset + length)),
    write: refuse,
    writeAt: refuse,
    seek: refuse,
    tell: refuse,
    punchHole: refuse,
    flush: async () => {},
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  }
}

export interface Run {
  offset: number
  bytes: Uint8Array
}

/** A volume that is zero but for the runs. */
export function volumeOf(size: number, runs: readonly Run[]): Uint8Array<ArrayBuffer> {
  const volume = new Uint8Array(size)
  for (const { offset, bytes } of runs) volume.set(bytes.subarray(0, size - offset), offset)
  return volume
}

/** `count` runs of 4 KiB, half of them noise and half text, spread over the volume. */
export function spread(seed: number, size: number, count: number): Run[] {
  const step = Math.floor(size / count / 4096) * 4096
  return Array.from({ length: count }, (_, run) => ({ offset: run * step, bytes: run % 2 === 0 ? noise(seed + run, 4096) : text(seed + run, 4096) }))
}
