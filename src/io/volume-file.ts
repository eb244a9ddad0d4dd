/** `VolumeFile`: the proxy a driver gets. It holds the position; every read and write runs in a worker. */
import type { Port } from '../contract/port.ts'
import type { VolumeFile, VolumeOpenOptions } from '../contract/volume.ts'
import { invoke } from './operation.ts'
import type { Pool, PooledVolume } from './pool.ts'
import { createVolumeFace } from './volume-face.ts'
import { readVolume, writeVolume, zeroVolume } from './volume-operations.ts'

/** The volume behind a proxy. A symbol, so that no other implementation of `VolumeFile` has it by chance, and copies of the object keep it. */
const POOLED = Symbol('pooled volume')

/**
 * The volume as operations in workers address it, when `file` is open in exactly these workers: they then read and write it without a
 * byte crossing threads. `undefined` for any other `VolumeFile`.
 */
export function pooledVolumeOf(file: VolumeFile, ports: readonly Port[]): PooledVolume | undefined {
  const { pool, opened } = (file as Partial<PooledFile>)[POOLED] ?? {}
  return pool && pool.ports.length === ports.length && pool.ports.every((port, index) => port === ports[index]) ? opened : undefined
}

interface PooledFile extends VolumeFile {
  readonly [POOLED]: { readonly pool: Pool; readonly opened: PooledVolume }
}

/** Opens `path` in every worker of the pool. Calls go to the workers in turn, so independent `readAt`s run side by side. */
export async function openVolumeFile(pool: Pool, path: string, options: VolumeOpenOptions): Promise<VolumeFile> {
  const opened = await pool.openVolume(path, options)
  const { volume, kind, size } = opened
  const face = createVolumeFace({
    kind,
    size,
    readAt: (offset, length) => invoke(pool.any(), readVolume, { volume, offset, length }),
    writeAt: (offset, bytes) => invoke(pool.any(), writeVolume, { volume, offset, bytes }, [bytes.buffer]),
    punchHole: (offset, length) => invoke(pool.any(), zeroVolume, { volume, offset, length }),
    flush: () => opened.flush(),
    close: () => opened.close(),
  })
  const file: PooledFile = { ...face, [POOLED]: { pool, opened } }
  return file
}
