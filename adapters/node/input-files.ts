/** Small files that a command is told to read or to write: records, and whatever else is no volume and no secret. */
import { randomUUID } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { BlockvaultError } from '../../src/contract/errors.ts'
import { syncDirectory } from './files.ts'
import { fromSystem, STORAGE_ERRORS } from './system-error.ts'

/** The bytes of a file, of standard input for `-`. Rejects with InvalidInput when there is none or it is longer than `bytesMax`. */
export async function readInputFile(path: string, bytesMax: number): Promise<Uint8Array> {
  const name = path === '-' ? 'standard input' : path
  try {
    const file = path === '-' ? undefined : await open(path, 'r')
    try {
      return await readAtMost(file, name, bytesMax)
    } finally {
      await file?.close()
    }
  } catch (error) {
    throw fromSystem(error, { codes: {}, otherwise: 'InvalidInput' }, `Reading ${name}`, { path })
  }
}

async function readAtMost(file: Awaited<ReturnType<typeof open>> | undefined, name: string, bytesMax: number): Promise<Uint8Array> {
  const stream = file ? file.createReadStream({ autoClose: false }) : process.stdin
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of stream as AsyncIterable<Uint8Array>) {
    length += part.length
    if (length > bytesMax) throw new BlockvaultError('InvalidInput', `${name} has more than ${bytesMax} bytes.`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** Whole or not at all: written beside its name, then renamed. One that exists is replaced. Rejects with a STORAGE_* code. */
export async function writeFile(path: string, bytes: Uint8Array): Promise<void> {
  const target = resolve(path)
  const temporary = join(dirname(target), `.${randomUUID()}.partial`)
  try {
    try {
      const file = await open(temporary, 'wx')
      try {
        await file.writeFile(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(temporary, target)
    } finally {
      await rm(temporary, { force: true })
    }
    await syncDirectory(dirname(target))
  } catch (error) {
    throw fromSystem(error, STORAGE_ERRORS, `Writing ${target}`, { path: target })
  }
}
