/** A volume as a handle whose methods all run in worker threads. */
import type { VolumeFile } from '../../src/contract/volume.ts'
import { createPool } from '../../src/io/pool.ts'
import { openVolumeFile } from '../../src/io/volume-file.ts'
import { createPlatform } from './platform.ts'

export interface OpenVolumeOptions {
  /** Open for writing in place too. False by default. */
  writable?: boolean | undefined
  /** Worker threads; 0 runs on the calling thread. 1 by default. */
  workers?: number | undefined
}

/**
 * Opens a file or block device.
 * @throws BlockvaultError SOURCE_* when it can not be read, TARGET_* when it can not be written
 */
export async function openVolume(path: string, { writable = false, workers = 1 }: OpenVolumeOptions = {}): Promise<VolumeFile> {
  const platform = await createPlatform()
  const ports = await Promise.all(Array.from({ length: Math.max(1, workers) }, () => platform.spawn({ inline: workers === 0 })))
  const pool = createPool(ports)
  try {
    const file = await openVolumeFile(pool, path, { mode: writable ? 'write' : 'read' })
    const close = async () => {
      await file.close()
      await pool.close()
    }
    return { ...file, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await pool.close()
    throw error
  }
}
