/**
 * One object of any length, written beside its name and renamed to it: NFS and every other file system can rename over a file.
 *
 * Whole stretches of 4 MiB go past the page cache where the system allows, as packs do (`direct-write.ts`); the memory that this needs is
 * lent to one writer at a time and kept for the next.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { throwIfCancelled } from '../../src/contract/errors.ts'
import type { ObjectWriter } from '../../src/contract/object-store.ts'
import { writerClosed } from '../../src/storage/object-errors.ts'
import { temporaryName } from '../../src/storage/store-names.ts'
import { syncDirectory } from './files.ts'
import type { OpenFile } from './regular-file.ts'
import { systemCode } from './system-error.ts'

/** As Cinder's posix driver makes them, whatever the umask. */
const OBJECT_MODE = 0o660
const STRETCH_BYTES = 4 * 1024 * 1024
const WASM_PAGE_BYTES = 65536
/** Memories kept for later writers; an engine has as many objects under way as it has workers. */
const KEPT_MAX = 4

/** Page-aligned, which in JavaScript only WebAssembly's memory is. */
const kept: WebAssembly.Memory[] = []

export interface ObjectWriterOptions {
  path: string
  signal?: AbortSignal | undefined
  /** Makes a coded error of a system error. */
  failed(error: unknown): Error
}

export async function createObjectWriter({ path, signal, failed }: ObjectWriterOptions): Promise<ObjectWriter> {
  const temporary = join(dirname(path), temporaryName(basename(path), randomBytes(8).toString('hex')))
  const file = await openNew(temporary).catch((error: unknown) => {
    throw failed(error)
  })
  const memory = kept.pop() ?? new WebAssembly.Memory({ initial: STRETCH_BYTES / WASM_PAGE_BYTES })
  const staging = new Uint8Array(memory.buffer, 0, STRETCH_BYTES)
  let staged = 0
  let position = 0
  let direct: OpenFile | undefined
  let refused = constants.O_DIRECT === undefined
  /** The memory and the files are this writer's. */
  let lent = true

  const writeOut = async () => {
    if (staged === STRETCH_BYTES && !refused) {
      try {
        direct ??= await openDirect(temporary)
        await writeAll(direct, staging, position)
      } catch (error) {
        // EINVAL: no O_DIRECT here, or not for this place of the file: the whole stretch goes the usual way.
        if (systemCode(error) !== 'EINVAL') throw error
        refused = true
      }
    }
    if (staged !== STRETCH_BYTES || refused) await writeAll(file, staging.subarray(0, staged), position)
    position += staged
    staged = 0
  }
  const close = async () => {
    if (!lent) return
    lent = false
    if (kept.length < KEPT_MAX) kept.push(memory)
    try {
      await direct?.close()
    } finally {
      await file.close()
    }
  }
  const remove = () => rm(temporary, { force: true })
  /** What went wrong: with a gap in it, the object is never finished. */
  let broken: Error | undefined
  let turn: Promise<unknown> = Promise.resolve()
  /** One call after the other: whoever discards beside a write must not lend its memory out under it. */
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const result = turn.then(work)
    turn = result.catch(() => {})
    return result
  }

  return {
    write: (bytes) =>
      inTurn(async () => {
        if (!lent) throw writerClosed()
        if (broken) throw broken
        try {
          throwIfCancelled(signal)
          for (let from = 0; from < bytes.length; ) {
            const part = bytes.subarray(from, from + STRETCH_BYTES - staged)
            staging.set(part, staged)
            staged += part.length
            from += part.length
            if (staged === STRETCH_BYTES) await writeOut()
          }
        } catch (error) {
          broken = failed(error)
          throw broken
        }
      }),
    finish: () =>
      inTurn(async () => {
        if (!lent) throw writerClosed()
        try {
          if (broken) throw broken
          throwIfCancelled(signal)
          if (staged > 0) await writeOut()
          await file.sync()
          // Some network file systems say only now that the disk is full.
          await close()
          throwIfCancelled(signal)
          await rename(temporary, path)
          await syncDirectory(dirname(path))
        } catch (error) {
          await close().catch(() => {})
          await remove().catch(() => {})
          throw failed(error)
        }
      }),
    discard: () =>
      inTurn(async () => {
        if (!lent) return
        try {
          await close().catch(() => {})
          await remove()
        } catch (error) {
          throw failed(error)
        }
      }),
  }
}

async function openNew(path: string): Promise<OpenFile> {
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, OBJECT_MODE)
  try {
    await file.chmod(OBJECT_MODE)
  } catch (error) {
    // File systems without modes.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(systemCode(error))) {
      await file.close()
      await rm(path, { force: true })
      throw error
    }
  }
  return file
}

function openDirect(path: string): Promise<OpenFile> {
  return open(path, constants.O_WRONLY | constants.O_DIRECT | (constants.O_NOFOLLOW ?? 0))
}

/** A short write is a signal or a nearly full disk: goes on from there until an error says why. */
async function writeAll(file: OpenFile, bytes: Uint8Array, position: number): Promise<void> {
  for (let put = 0; put < bytes.length; ) put += (await file.write(bytes, put, bytes.length - put, position + put)).bytesWritten
}
