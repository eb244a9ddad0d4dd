/**
 * Finds the lengths that manifests do not say: Cinder's own reader needs none, so another writer may leave them out.
 *
 * Invariant: an object is decoded to the end of the volume at most, whatever its stream would give.
 */
import type { JobOptions } from '../contract/backup.ts'
import type { ObjectStore } from '../contract/object-store.ts'
import type { Port } from '../contract/port.ts'
import type { ChainMember } from './chain.ts'
import { decodeObject } from './decode-object.ts'
import { dataObjectName } from './names.ts'
import { overWorkers } from './over-workers.ts'
import { OBJECT_BYTES_MAX } from './write-checks.ts'

export interface MeasureLengthsOptions extends Pick<JobOptions, 'signal'> {
  store: ObjectStore
  ports: readonly Port[]
  /** Length of the volume that the chain shall be restored to; not limited by default. */
  volumeBytes?: number | undefined
  /** Asked before each object and every few seconds; what it throws ends the measuring. */
  check?: (() => Promise<void>) | undefined
}

/**
 * To be called after the listing was compared, which tells the lengths of objects that are not compressed. Costs nothing where the
 * manifests say all.
 * @throws OBJECT_DAMAGED, OBJECT_MISSING, CANCELLED
 */
export async function measureLengths(chain: readonly ChainMember[], options: MeasureLengthsOptions): Promise<void> {
  const { store, ports, signal, check, volumeBytes = Number.MAX_SAFE_INTEGER } = options
  for (const { container, prefix, manifest } of chain) {
    const { objects } = manifest
    const unknown = [...objects].flatMap(({ length }, index) => (length === undefined ? [index] : []))
    const items = { count: unknown.length, at: (at: number) => unknown[at]!, bytes: () => 0 }
    await overWorkers(items, ports, signal, async (index, _at, port, stop) => {
      const { number, offset, compression } = objects.entry(index)
      const bytesMax = Math.max(0, Math.min(OBJECT_BYTES_MAX, volumeBytes - offset))
      const stored = { container, name: dataObjectName(prefix, number), compression, length: undefined, bytesMax, md5: undefined }
      const { plainBytes } = await decodeObject(stored, { store, port, check, signal: stop })
      objects.setLength(index, plainBytes)
    })
  }
}
