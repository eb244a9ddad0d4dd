/** Durable naming of files: what POSIX gives, with the fallbacks that some file systems need. */
import { link, lstat, mkdir, open, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemCode } from './system-error.ts'

/** Gives `from` the name `to`, failing with EEXIST when that is taken. `from` is gone afterwards. */
export async function linkExclusive(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    // exFAT, some FUSE and network file systems have no hard links.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(systemCode(error))) throw error
    const taken = await lstat(to).then(
      () => true,
      () => false,
    )
    if (taken) throw Object.assign(new Error(`${to} exists`), { code: 'EEXIST' })
    await rename(from, to)
    return
  }
  await unlink(from)
}

/** unlink(2), for files: on Deno it takes empty directories too. Those fail with EISDIR everywhere. */
export async function removeFile(path: string): Promise<void> {
  if ((await lstat(path)).isDirectory()) throw Object.assign(new Error(`${path} is a directory`), { code: 'EISDIR' })
  await unlink(path)
}

/** Makes renames in the directory survive a power cut. Systems that can not open directories order them themselves. */
export async function syncDirectory(path: string): Promise<void> {
  let directory: Awaited<ReturnType<typeof open>>
  try {
    directory = await open(path, 'r')
  } catch (error) {
    if (['EISDIR', 'EPERM', 'EACCES'].includes(systemCode(error)) && process.platform === 'win32') return
    throw error
  }
  try {
    await directory.sync()
  } catch (error) {
    if (!['EINVAL', 'EPERM', 'ENOTSUP'].includes(systemCode(error))) throw error
  } finally {
    await directory.close()
  }
}

/**
 * Makes the directory and those above it, each durably: no fsynced file can lose its place. Not by `recursive: true`, which says
 * ENOENT when the disk is full or read-only.
 */
export async function makeDirectory(path: string, mode = 0o777): Promise<void> {
  try {
    await mkdir(path, { mode })
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return
    if (systemCode(error) !== 'ENOENT' || dirname(path) === path) throw error
    await makeDirectory(dirname(path), mode)
    // Whoever made it in between made it for all; a link to nowhere stays an error.
    await mkdir(path, { mode }).catch((again: unknown) => {
      if (systemCode(again) !== 'EEXIST') throw again
    })
  }
  await syncDirectory(dirname(path))
}
