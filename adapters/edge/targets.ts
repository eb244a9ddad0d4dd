/**
 * Restore targets without a file system: what takes bytes at an offset, under a name of this process that the engine opens like a path.
 *
 * Invariant: a write that never ends holds nobody who has cancelled.
 */
import { BlockvaultError, cancelled, isBlockvaultError } from '../../src/contract/errors.ts'
import type { TargetFile } from '../../src/contract/platform.ts'
import type { MaybePromise, VolumeFacts, VolumeHandle, VolumeHost } from '../../src/contract/volume.ts'

/** Takes a volume in any order: each byte once, none beyond `length`. */
export interface RangeWriter {
  /** Writes all of `bytes` at `offset`. The bytes are the writer's to keep. */
  write(offset: number, bytes: Uint8Array<ArrayBuffer>): MaybePromise<void>
  /**
   * The range is zeros. Without it ranges of zeros are left out: the target must read as zeros where nothing is written, as a new file of
   * the right length does.
   */
  zero?(offset: number, length: number): MaybePromise<void>
  /** Everything is written: make it durable and visible. */
  close?(): MaybePromise<void>
  /** The restore failed or was cancelled: what was written is not whole. */
  abort?(reason: unknown): MaybePromise<void>
}

export interface Targets {
  readonly host: VolumeHost
  add(writer: RangeWriter, signal: AbortSignal | undefined): AddedTarget
  facts(path: string): VolumeFacts | undefined
  createTarget(path: string, options: { size: number }): TargetFile
}

export interface AddedTarget {
  /** The target's name, to be restored to until `remove`. */
  readonly path: string
  /** What the writer failed with: it does not come through the port, which carries no foreign errors. */
  failure(): BlockvaultError | undefined
  remove(): void
}

interface Target {
  writer: RangeWriter
  signal: AbortSignal | undefined
  size: number
  failure: BlockvaultError | undefined
}

export function createTargets(): Targets {
  const targets = new Map<string, Target>()
  let count = 0
  return {
    host: {
      open(path, { mode }) {
        const target = targets.get(path)
        if (!target || mode === 'read') throw noFiles(path)
        return handleOf(target)
      },
    },
    add(writer, signal) {
      const path = `target ${++count}`
      const target: Target = { writer, signal, size: Number.MAX_SAFE_INTEGER, failure: undefined }
      targets.set(path, target)
      return { path, failure: () => target.failure, remove: () => void targets.delete(path) }
    },
    /** A writer that is told of zeros is like a device: what it holds before is not known. */
    facts(path) {
      const target = targets.get(path)
      return target?.writer.zero && { kind: 'block-device', size: target.size, path, identity: path }
    },
    createTarget(path, { size }) {
      const target = targets.get(path)
      if (!target) throw noFiles(path)
      target.size = size
      return { path, commit: async () => {}, discard: async () => {} }
    },
  }
}

function handleOf(target: Target): VolumeHandle {
  const { writer, signal, size } = target
  const guarded = async (offset: number, work: () => MaybePromise<void>) => {
    try {
      await untilCancelled(async () => work(), signal)
    } catch (cause) {
      if (isBlockvaultError(cause)) throw cause
      target.failure = new BlockvaultError('TARGET_WRITE_FAILED', `Writing at offset ${offset} of the target failed.`, { details: { offset }, cause })
      throw target.failure
    }
  }
  return {
    kind: 'file',
    size,
    readAt() {
      throw new BlockvaultError('INTERNAL', 'A target was read.')
    },
    writeAt(bytes, offset) {
      // A copy: these lie in the core's memory, which grows and is used again.
      const copy = Uint8Array.from(bytes)
      return guarded(offset, () => writer.write(offset, copy))
    },
    zeroAt: (offset, length) => guarded(offset, () => writer.zero?.(offset, length)),
    flush() {},
    close() {},
  }
}

/** The work's outcome, or CANCELLED as soon as the signal fires: what was begun may go on, nobody waits for it. */
export function untilCancelled<Result>(work: () => Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      if (signal) reject(cancelled(signal))
    }
    if (signal?.aborted) return stop()
    signal?.addEventListener('abort', stop, { once: true })
    work()
      .then(resolve, reject)
      .finally(() => signal?.removeEventListener('abort', stop))
  })
}

export function noFiles(path: string): BlockvaultError {
  return new BlockvaultError('SOURCE_UNSUPPORTED', `There are no files here, so none at ${path}: pass a Blob, a stream or an address instead.`, {
    details: { path },
  })
}
