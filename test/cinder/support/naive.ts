/**
 * Cinder's format and its rules once more, as plainly as they can be written, on whole volumes in memory: what the engine is held
 * against. Decompression is by other programs and libraries than the product's.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { inflateSync } from 'node:zlib'
import { decompress as unzstd } from 'fzstd'
import type { ObjectStore } from '../../../src/contract/object-store.ts'

export const HAS_BZIP2 = spawnSync('bzip2', ['--version']).status === 0

export interface NaiveBackup {
  /** In the order of the manifest. */
  objects: { name: string; offset: number; length: number; compression: string; md5: string; storedBytes: number; plain: Buffer }[]
  sha256s: string[]
  parentId: string | null
  volumeMeta: string | null
}

/** Reads a backup; md5 and length of each object are checked. */
export async function naiveRead(store: ObjectStore, container: string, prefix: string): Promise<NaiveBackup> {
  const names: string[] = []
  for await (const { name } of store.list(container, prefix)) names.push(name)
  const metadata = JSON.parse(String(await objectOf(store, container, `${prefix}_metadata`)))
  const hashes = JSON.parse(String(await objectOf(store, container, `${prefix}_sha256file`)))
  const objects: NaiveBackup['objects'] = []
  for (const entry of metadata.objects) {
    const [[name, value]] = Object.entries(entry) as [[string, NaiveBackup['objects'][number]]]
    const stored = await objectOf(store, container, name)
    const plain = naivePlain(stored, value.compression)
    if (plain.length !== value.length) throw new Error(`${name}: ${plain.length} bytes, ${value.length} are said`)
    if (createHash('md5').update(plain).digest('hex') !== value.md5) throw new Error(`${name}: another MD5`)
    objects.push({ ...value, name, storedBytes: stored.length, plain })
  }
  const listed = [...objects.map(({ name }) => name), `${prefix}_metadata`, `${prefix}_sha256file`].sort()
  if (listed.join() !== names.sort().join()) throw new Error(`listed ${names.join()}, expected ${listed.join()}`)
  return { objects, sha256s: hashes.sha256s, parentId: metadata.parent_id, volumeMeta: metadata.volume_meta }
}

export async function objectOf(store: ObjectStore, container: string, name: string): Promise<Buffer> {
  const reader = await store.open(container, name)
  const bytes = await reader.read(0, reader.size)
  await reader.close()
  return Buffer.from(bytes)
}

function naivePlain(stored: Buffer, compression: string): Buffer {
  if (compression === 'none') return stored
  if (compression === 'zlib') return inflateSync(stored)
  if (compression === 'zstd') return Buffer.from(unzstd(stored))
  const { stdout, status } = spawnSync('bzip2', ['-dc'], { input: stored, maxBuffer: 1 << 30 })
  if (status !== 0) throw new Error(`bzip2 refuses an object of ${stored.length} bytes`)
  return stdout
}

/** Restores in Cinder's way: every object of every backup, in order, over what was there. */
export function naiveRestore(chain: readonly NaiveBackup[], before: Uint8Array): Buffer {
  const volume = Buffer.from(before)
  for (const { objects } of chain) for (const { offset, plain } of objects) plain.copy(volume, offset)
  return volume
}

export function naiveHashes(volume: Uint8Array, blockBytes: number): string[] {
  const count = Math.ceil(volume.length / blockBytes)
  return Array.from({ length: count }, (_, block) =>
    createHash('sha256')
      .update(volume.subarray(block * blockBytes, (block + 1) * blockBytes))
      .digest('hex'),
  )
}

/** What a backup has to store: `[offset, length]`. Full without a parent. */
export function naiveExtents(volume: Uint8Array, objectBytes: number, blockBytes: number, parent?: readonly string[]): [number, number][] {
  const hashes = naiveHashes(volume, blockBytes)
  const extents: [number, number][] = []
  let inRun = false
  for (const [block, hash] of hashes.entries()) {
    const offset = block * blockBytes
    const length = Math.min(blockBytes, volume.length - offset)
    if (offset % objectBytes === 0) inRun = false
    const changed = parent === undefined || parent[block] !== hash
    if (changed && inRun) extents.at(-1)![1] += length
    else if (changed) extents.push([offset, length])
    inRun = changed
  }
  return extents
}
