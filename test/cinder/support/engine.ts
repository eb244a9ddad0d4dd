/** Backups made and restored by the engine itself, on volumes in memory or files, with and without worker threads. */
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createPlatform } from '../../../adapters/node/platform.ts'
import { type ChainMember, loadManifest } from '../../../src/cinder/chain.ts'
import type { CompressionName } from '../../../src/cinder/compression.ts'
import { planRestore } from '../../../src/cinder/restore-plan.ts'
import { type RestoreChainOptions, restoreChain } from '../../../src/cinder/restore-chain.ts'
import { type WriteBackupOptions, writeBackup } from '../../../src/cinder/write-backup.ts'
import type { ObjectStore } from '../../../src/contract/object-store.ts'
import type { Port } from '../../../src/contract/port.ts'
import type { VolumeFile } from '../../../src/contract/volume.ts'
import { createPool } from '../../../src/io/pool.ts'
import { openVolumeFile } from '../../../src/io/volume-file.ts'
import { startWorker } from '../../io/support/worker.ts'
import { noise, numbers, text } from '../../repository/support/random.ts'
import { fileOf } from '../../repository/support/volumes.ts'
import { backupIdOf, prefixOf, VOLUME_ID } from './manifests.ts'

export const CONTAINER = 'backups'
export const COMPRESSIONS: readonly CompressionName[] = ['none', 'zlib', 'bz2', 'zstd']
export const random = (length: number): Uint8Array<ArrayBuffer> => new Uint8Array(randomBytes(length))
export const now = (): number => performance.now()

/** `workers`: 0 for the calling thread. */
export async function portsOf(workers: number): Promise<Port[]> {
  const platform = await createPlatform()
  return workers === 0 ? [await platform.spawn({ inline: true })] : Array.from({ length: workers }, () => startWorker().port)
}

export interface BackUpOptions extends Partial<Omit<WriteBackupOptions, 'source' | 'parent'>> {
  store: ObjectStore
  ports: readonly Port[]
  /** 1 is full, each other one builds on the one before; or on `parent`. */
  number: number
  parent?: number | undefined
}

/** The options of `writeBackup` for backup `number`. 64 KiB objects and 4 KiB blocks by default. */
export function writeOptions({ number, parent = number - 1, ...more }: BackUpOptions, source: VolumeFile): WriteBackupOptions {
  return {
    container: CONTAINER,
    prefix: prefixOf(number),
    source,
    description: {
      version: '1.0.0',
      backupId: backupIdOf(number),
      volumeId: VOLUME_ID,
      backupName: `backup ${number}`,
      backupDescription: null,
      createdAt: '2024-01-10 00:05:09+00:00',
    },
    parent: parent === 0 ? undefined : { container: CONTAINER, prefix: prefixOf(parent), id: backupIdOf(parent) },
    objectBytes: 65_536,
    blockBytes: 4096,
    compression: 'none',
    now,
    ...more,
  }
}

/** Backs `volume` up through a file that the workers have open, and reads the manifest back. */
export async function backUp(volume: Uint8Array, options: BackUpOptions): Promise<ChainMember> {
  await options.store.createContainer(CONTAINER)
  const file = await openVolumeFile(createPool(options.ports), fileOf(volume), { mode: 'read' })
  try {
    await writeBackup(writeOptions(options, file))
  } finally {
    await file.close()
  }
  return memberAt(options.store, options.number)
}

export async function memberAt(store: ObjectStore, number: number): Promise<ChainMember> {
  const place = { container: CONTAINER, prefix: prefixOf(number) }
  return { ...place, manifest: await loadManifest(store, place) }
}

/** What the target holds after a restore over `before`; over zeros of the chain's length by default. */
export async function restoredOver(
  chain: readonly ChainMember[],
  { before, ...options }: Partial<RestoreChainOptions> & { store: ObjectStore; ports: readonly Port[]; before?: Uint8Array | undefined },
): Promise<Buffer> {
  const plan = planRestore(chain)
  const path = fileOf(before ?? new Uint8Array(plan.bytes))
  const target = await openVolumeFile(createPool(options.ports), path, { mode: 'write' })
  try {
    await restoreChain(plan, { target, startsZero: before === undefined, now, random, ...options })
  } finally {
    await target.close()
  }
  return readFileSync(path)
}

/** A volume of runs of noise, text, one byte and zeros, of any length. */
export function randomVolume(seed: number, bytes: number): Uint8Array<ArrayBuffer> {
  const below = numbers(seed)
  const volume = new Uint8Array(bytes)
  for (let at = 0; at < bytes; ) {
    const length = Math.min(bytes - at, 1 + below(90_000))
    paint(volume, at, length, below(4), below(1e9))
    at += length
  }
  return volume
}

/** The volume a day later: some ranges are something else now, and zeros among it; a third of the time it is a little shorter. */
export function changedVolume(volume: Uint8Array, seed: number): Uint8Array<ArrayBuffer> {
  const below = numbers(seed)
  const changed = new Uint8Array(volume.slice(0, volume.length - (below(3) === 0 ? Math.min(volume.length, below(20_000)) : 0)))
  if (changed.length === 0) return changed
  for (let change = below(12); change > 0; change--) {
    const at = below(changed.length)
    paint(changed, at, Math.min(changed.length - at, 1 + below(40_000)), below(4), below(1e9))
  }
  return changed
}

function paint(volume: Uint8Array, at: number, length: number, kind: number, seed: number): void {
  if (kind === 0) volume.fill(0, at, at + length)
  else if (kind === 1) volume.fill(1 + (seed % 255), at, at + length)
  else volume.set(kind === 2 ? noise(seed, length) : text(seed, length), at)
}

export const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex')
export const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
export const same = (left: Uint8Array, right: Uint8Array): boolean => Buffer.compare(left, right) === 0
