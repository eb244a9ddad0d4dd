/**
 * An open repository as the edge has it: backups from Blobs and volume handles, restores to streams and range writers.
 *
 * Invariant: whatever a stream or writer of the caller does, a job that is cancelled, or whose consumer is gone, settles; and a target that
 * is not whole is aborted, never closed.
 */
import type { BackupInfo, BackupOptions, JobOptions, Repository } from '../../src/contract/backup.ts'
import { BlockvaultError, isBlockvaultError } from '../../src/contract/errors.ts'
import type { VolumeFile } from '../../src/contract/volume.ts'
import { blobVolume } from './sources.ts'
import { type RangeWriter, type Targets, untilCancelled } from './targets.ts'

/** Read and handed to a stream in one piece; the next is read while one is written. What the stream did with it is not known: it is left to the collector. */
const PIECE_BYTES = 2 * 1024 * 1024
/** Decoded frames kept while a stream is filled: in volume order few are met again. */
const CACHE_BYTES = 8 * 1024 * 1024

/** What of a backup goes to the target. */
export interface RestoreToOptions extends JobOptions {
  /** Only this range of the volume; it lands at offset 0 of the target. The whole volume by default. */
  range?: { offset: number; length: number } | undefined
}

/** What a restore did. */
export interface RestoreToResult {
  id: string
  /** Bytes of the volume (or range) that the target now holds. */
  bytes: number
  seconds: number
}

/** An open repository, with targets and sources that need no files. */
export interface EdgeRepository extends Omit<Repository, 'backup' | 'restore'> {
  /** Backs a Blob up, or a handle: `streamVolume(stream, size)`, `await fetchVolume(url)`, or one of your own. */
  backup(source: Blob | VolumeFile, options?: BackupOptions): Promise<BackupInfo>
  /**
   * Restores to a stream, in order, or to a writer that takes ranges in any order, which reads each part of the repository once. The target is
   * closed when everything is in it and aborted when the restore fails or is cancelled.
   * @throws BlockvaultError BACKUP_NOT_FOUND, OBJECT_DAMAGED, OBJECT_MISSING, TARGET_WRITE_FAILED when the target fails or its consumer is
   * gone, CANCELLED, USAGE, the storage's
   */
  restoreTo(reference: string, target: WritableStream<Uint8Array> | RangeWriter, options?: RestoreToOptions): Promise<RestoreToResult>
}

export function edgeRepository({ restore, backup, ...repository }: Repository, targets: Targets): EdgeRepository {
  const toWriter = async (reference: string, writer: RangeWriter, { range, signal, onProgress }: RestoreToOptions) => {
    const target = targets.add(writer, signal)
    try {
      const { id, bytes } = await restore(reference, target.path, { range, signal, onProgress, force: true })
      await untilCancelled(async () => writer.close?.(), signal)
      return { id, bytes }
    } catch (error) {
      const failure = target.failure() ?? asTarget(error)
      // Not waited for: a writer that hangs would hold us.
      void (async () => writer.abort?.(failure))().catch(() => {})
      throw failure
    } finally {
      target.remove()
    }
  }

  const toStream = async (reference: string, stream: WritableStream<Uint8Array>, options: RestoreToOptions) => {
    const writer = stream.getWriter()
    const gone = new AbortController()
    writer.closed.catch((error: unknown) => gone.abort(error))
    const signal = options.signal ? AbortSignal.any([options.signal, gone.signal]) : gone.signal
    let volume: VolumeFile | undefined
    try {
      const { id, volumeBytes } = await repository.show(reference)
      const { offset, length } = options.range ?? { offset: 0, length: volumeBytes }
      checkRange(offset, length, volumeBytes)
      const opened = await untilCancelled(() => repository.openBackup(id, { signal, cacheBytes: CACHE_BYTES }), signal)
      volume = opened
      const read = (at: number) => (at >= length ? undefined : untilCancelled(() => opened.readAt(offset + at, Math.min(PIECE_BYTES, length - at)), signal))
      let next = read(0)
      for (let at = 0; next; at += PIECE_BYTES) {
        const bytes = await next
        next = read(at + PIECE_BYTES)
        next?.catch(() => {}) // awaited in its turn, unless writing fails first
        await untilCancelled(() => writer.write(bytes), signal)
        const doneBytes = at + bytes.length
        options.onProgress?.({ phase: 'restore', doneBytes, totalBytes: length, newBytes: 0, storedBytes: 0 })
      }
      await untilCancelled(() => writer.close(), signal)
      return { id, bytes: length }
    } catch (error) {
      writer.abort(error).catch(() => {})
      if (gone.signal.aborted && !options.signal?.aborted)
        throw new BlockvaultError('TARGET_WRITE_FAILED', 'The stream that was restored to failed, or nobody reads it any more.', { cause: gone.signal.reason })
      throw asTarget(error)
    } finally {
      writer.releaseLock()
      await volume?.close()
    }
  }

  return {
    ...repository,
    backup: (source, options = {}) => backup(cancellable(source instanceof Blob ? blobVolume(source) : source, options.signal), options),
    async restoreTo(reference, target, options = {}) {
      const startedAt = Date.now()
      const result = await ('getWriter' in target ? toStream(reference, target, options) : toWriter(reference, target, options))
      return { ...result, seconds: (Date.now() - startedAt) / 1000 }
    },
  }
}

/** A source that stands still must not hold a backup that was cancelled. */
function cancellable(volume: VolumeFile, signal: AbortSignal | undefined): VolumeFile {
  return { ...volume, readAt: (offset, length) => untilCancelled(() => volume.readAt(offset, length), signal) }
}

function asTarget(error: unknown): BlockvaultError {
  if (isBlockvaultError(error)) return error
  return new BlockvaultError('TARGET_WRITE_FAILED', 'The target of the restore failed.', { cause: error })
}

function checkRange(offset: number, length: number, volumeBytes: number): void {
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0 || offset + length > volumeBytes)
    throw new BlockvaultError('USAGE', `The range ${offset}:${length} does not lie inside the volume's ${volumeBytes} bytes.`, {
      details: { offset, length, volumeBytes },
    })
}
