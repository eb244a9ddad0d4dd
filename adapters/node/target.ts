/** A restore target that is a file: made under a temporary name beside its own, renamed when it is whole. */
import { open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { BlockvaultError } from '../../src/contract/errors.ts'
import type { TargetFile } from '../../src/contract/platform.ts'
import { linkExclusive, syncDirectory } from './files.ts'
import { fromSystem, TARGET_ERRORS } from './system-error.ts'

export async function createTarget(path: string, { size, replace }: { size: number; replace: boolean }): Promise<TargetFile> {
  const directory = dirname(path)
  const partial = join(directory, `.${basename(path).slice(0, 200)}.${randomUUID()}.partial`)
  try {
    const file = await open(partial, 'wx', 0o600)
    try {
      await file.truncate(size)
    } catch (error) {
      await rm(partial, { force: true })
      throw error
    } finally {
      await file.close()
    }
  } catch (error) {
    throw fromSystem(error, { ...TARGET_ERRORS, codes: { ...TARGET_ERRORS.codes, ENOENT: 'TARGET_DENIED' } }, `Making ${path}`, { path })
  }
  return {
    path: partial,
    async commit() {
      try {
        if (replace) await rename(partial, path)
        else await linkExclusive(partial, path)
        await syncDirectory(directory)
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'EEXIST')
          throw new BlockvaultError('TARGET_EXISTS', `${path} was made by somebody else meanwhile; it was not touched.`, { details: { path }, cause: error })
        throw fromSystem(error, TARGET_ERRORS, `Naming ${path}`, { path })
      }
    },
    async discard() {
      await rm(partial, { force: true })
    },
  }
}
