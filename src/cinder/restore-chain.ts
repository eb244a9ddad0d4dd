/**
 * Restores a chain by its plan (cinder/backup/chunkeddriver.py, `restore`).
 *
 * Invariants:
 * - a target with other content is written only after every object that is needed was read, decoded and found to be what its manifest
 *   says; when it is read again to be written, each piece is compared with what was checked, before it is written;
 * - each byte is written at most once, and none outside the plan's ranges;
 * - zeros of an incremental replace what older backups had, on every kind of target.
 */
import type { JobOptions, Progress } from '../contract/backup.ts'
import { BlockvaultError, throwIfCancelled } from '../contract/errors.ts'
import { KEY_BYTES } from '../contract/core.ts'
import type { ObjectStore } from '../contract/object-store.ts'
import type { Port } from '../contract/port.ts'
import type { VolumeFile } from '../contract/volume.ts'
import { progressReporter } from '../pipeline/progress.ts'
import { type DecodeOptions, decodeObject, type StoredObject } from './decode-object.ts'
import { digesterFor, overWorkers } from './over-workers.ts'
import type { PlannedObject, RestorePlan } from './restore-plan.ts'
import { type ObjectWrites, restoreTarget } from './restore-target.ts'
import { createTagList } from './tag-list.ts'

export interface RestoreChainOptions extends JobOptions {
  store: ObjectStore
  ports: readonly Port[]
  target: VolumeFile
  /**
   * The target reads as zeros now: a new volume. Zeros are not written then. Cinder's `volume_is_new`.
   */
  startsZero: boolean
  /**
   * Check all objects before the first byte is written. True by default. False is for a target that is thrown away when the restore
   * fails, such as a file that gets its name at the end: every object is then read once.
   */
  checkFirst?: boolean | undefined
  /** Asked before each object and every few seconds; what it throws ends the restore. */
  check?: (() => Promise<void>) | undefined
  /** Milliseconds since 1970. */
  now(): number
  /** Cryptographically random bytes. */
  random(length: number): Uint8Array<ArrayBuffer>
}

export interface RestoredChain {
  /** Bytes of the volume that the backup has. */
  bytes: number
  /** Bytes written, zeros aside. */
  writtenBytes: number
}

/**
 * @throws InvalidBackup when the plan goes beyond the target's end (before anything is read), OBJECT_DAMAGED, OBJECT_MISSING,
 * CANCELLED, TARGET_*, or what `check` throws
 */
export async function restoreChain(plan: RestorePlan, options: RestoreChainOptions): Promise<RestoredChain> {
  const { store, ports, signal, check, startsZero, checkFirst = true } = options
  throwIfCancelled(signal)
  const target = restoreTarget(options.target, ports, startsZero)
  if (plan.bytes > target.size)
    throw new BlockvaultError('InvalidBackup', `The backup has ${plan.bytes} bytes and the target ${target.size}: restore it to a larger volume.`, {
      details: { bytes: plan.bytes, size: target.size },
    })
  const progress: Progress = { phase: 'restore', doneBytes: 0, totalBytes: plan.plainBytes * (checkFirst ? 2 : 1), newBytes: 0, storedBytes: 0 }
  const report = progressReporter(options.onProgress, () => ({ ...progress }), options.now)
  const tagKey = options.random(KEY_BYTES)
  const tags = checkFirst ? createTagList(plan.objects) : undefined
  let writtenBytes = 0

  const decode = (object: PlannedObject, more: Partial<DecodeOptions>, stop: AbortSignal, port: Port, onPart?: ObjectWrites['onPart']) => {
    let before = 0
    const digester = digesterFor(ports, port, object.entry.length, plan.plainBytes)
    return decodeObject(storedObject(object), { store, port, digester, check, ...more, signal: stop }, async (part) => {
      await onPart?.(part)
      progress.doneBytes += part.plainBytes - before
      before = part.plainBytes
      report()
    })
  }
  const objects = { count: plan.objects, at: plan.object, bytes: ({ entry }: PlannedObject) => entry.length }
  if (tags) {
    await overWorkers(objects, ports, signal, async (object, index, port, stop) => {
      tags.set(index, await decode(object, { tagKey }, stop, port))
    })
  }
  await overWorkers(objects, ports, signal, async (object, index, port, stop) => {
    const writes = target.writes(object.entry.offset, object.ranges)
    const again = tags ? { tagKey, tags: tags.get(index) } : {}
    await decode(object, { ...again, sink: writes.sink }, stop, port, writes.onPart)
    writtenBytes += writes.writtenBytes
  })
  await check?.()
  await target.flush()
  report.end()
  return { bytes: plan.bytes, writtenBytes }
}

export function storedObject({ container, name, entry }: PlannedObject): StoredObject {
  return { container, name, compression: entry.compression, length: entry.length, bytesMax: entry.length, md5: entry.md5 }
}
