/** Reading objects that are files, in directories where anybody may have put anything. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { endedEarly, missing, notAnObject } from '../../src/storage/object-errors.ts'

export type OpenFile = Awaited<ReturnType<typeof open>>

/** System codes for: nothing is at the path, or a directory, which is no object either. */
export const ABSENT = ['ENOENT', 'ENOTDIR', 'EISDIR']
/** What opening a link (with O_NOFOLLOW) or a socket gives. */
export const NOT_REGULAR = ['ELOOP', 'EMLINK', 'ENXIO']

/** Opens regular files only: a link planted at an object is not followed, and a FIFO is not waited for. */
export async function openRegular(path: string, name: string): Promise<{ file: OpenFile; size: number }> {
  const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  try {
    const stats = await file.stat()
    if (stats.isFile()) return { file, size: stats.size }
    throw stats.isDirectory() ? missing(name) : notAnObject(name)
  } catch (error) {
    await file.close()
    throw error
  }
}

export async function readExactly(file: OpenFile, name: string, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length)
  for (let got = 0; got < length; ) {
    const { bytesRead } = await file.read(bytes, got, length - got, offset + got)
    if (bytesRead === 0) throw endedEarly(name, offset + got, offset + length)
    got += bytesRead
  }
  return bytes
}
