/** A restore target that is a file: made under a temporary name beside its own, renamed when it is whole. */
import { randomUUID } from 'node:crypto'
import { lstat, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { BlockvaultError } from '../../src/contract/errors.ts'
import type { TargetFile } from '../../src/contract/platform.ts'
import { linkExclusive, syncDirectory } from './files.ts'
import { type ErrorMap, fromSystem, systemCode, TARGET_ERRORS } from './system-error.ts'

/** A restore makes a file, never a directory: that a directory is missing may mean that a disk is not mounted. */
const MAKING_ERRORS: ErrorMap = { ...TARGET_ERRORS, codes: { ...TARGET_ERRORS.codes, ENOENT: 'TARGET_DENIED', ENOTDIR: 'TARGET_DENIED' } }

export async function createTarget(path: string, { size, replace }: { size: number; replace: boolean }): Promise<TargetFile> {
  const details = { path }
  const old = await (replace ? replaced(path) : refuseTaken(path)).catch((error: unknown) => {
    throw fromSystem(error, MAKING_ERRORS, `Looking at ${path}`, details)
  })
  const target = old?.path ?? path
  const directory = dirname(target)
  const partial = join(directory, `.${basename(target).slice(0, 200)}.${randomUUID()}.partial`)
  try {
    const file = await open(partial, 'wx', 0o600)
    try {
      if (old) await giveAccess(file, old)
      await file.truncate(size)
    } catch (error) {
      await rm(partial, { force: true })
      throw error
    } finally {
      await file.close()
    }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error))) {
      throw new BlockvaultError('TARGET_DENIED', `There is no directory ${directory} to make ${basename(target)} in: make it, or mount what holds it.`, {
        details,
        cause: error,
      })
    }
    throw fromSystem(error, MAKING_ERRORS, `Making a file in ${directory}`, details)
  }
  return {
    path: partial,
    async commit() {
      try {
        if (replace) await rename(partial, target)
        else await linkExclusive(partial, target)
        await syncDirectory(directory)
      } catch (error) {
        if (systemCode(error) === 'EEXIST') {
          throw new BlockvaultError('TARGET_EXISTS', `${path} was made by somebody else meanwhile; it was not touched.`, { details, cause: error })
        }
        throw fromSystem(error, TARGET_ERRORS, `Naming ${path}`, details)
      }
    },
    async discard() {
      await rm(partial, { force: true })
    },
  }
}

interface Replaced {
  /** Links resolved: what a link leads to is replaced, not the link. */
  path: string
  mode: number
  uid: number
  gid: number
}

async function replaced(path: string): Promise<Replaced | undefined> {
  try {
    const { mode, uid, gid } = await stat(path)
    return { path: await realpath(path), mode, uid, gid }
  } catch (error) {
    // Removed a moment ago.
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** `commit` would refuse it too, but only after all the work: a link to nowhere is no volume that anybody saw before. */
async function refuseTaken(path: string): Promise<undefined> {
  const taken = await lstat(path).then(
    () => true,
    () => false,
  )
  if (taken) throw new BlockvaultError('TARGET_EXISTS', `${path} exists, and is a link to nowhere: remove it, or name another target.`, { details: { path } })
}

/** Who could use the old file can use the new one; nobody else. Without the right to give it away it stays ours alone. */
async function giveAccess(file: Awaited<ReturnType<typeof open>>, { mode, uid, gid }: Replaced): Promise<void> {
  try {
    await file.chown(uid, gid)
  } catch (error) {
    if (systemCode(error) === 'EPERM') return
    throw error
  }
  await file.chmod(mode & 0o777)
}
