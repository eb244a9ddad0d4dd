/** Durable naming of files: what POSIX gives, with the fallbacks that some file systems need. */
import { link, lstat, open, rename, unlink } from 'node:fs/promises'
import { systemCode } from './system-error.ts'

/** Gives `from` the name `to`, failing with EEXIST when that is taken. `from` is gone afterwards. */
export async function linkExclusive(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    // exFAT, some FUSE and network file systems have no hard links.
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(systemCode(error))) throw error
    const taken = await lstat(to).then(() => true, () => false)
    if (taken) throw Object.assign(new Error(`${to} exists`), { code: 'EEXIST' })
    await rename(from, to)
    return
  }
  await unlink(from)
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
