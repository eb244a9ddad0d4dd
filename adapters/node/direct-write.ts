/**
 * Writes a large new file past the page cache (O_DIRECT). A backup's packs are written once and not read soon: through the cache
 * they cost a copy into fresh pages, a sixth of a first backup's CPU time, and push out what others use.
 *
 * The bytes go through memory that is page-aligned, which only WebAssembly's is in JavaScript, in whole 4 KiB blocks; the file is
 * then cut to its length.
 */
import { constants } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { systemCode } from './system-error.ts'

const ALIGNMENT = 4096
const WASM_PAGE_BYTES = 65536
/** Below this the cache is as good. */
export const DIRECT_BYTES_MIN = 1024 * 1024
/** Longer files go the usual way: the staging memory would outweigh what it saves. */
const DIRECT_BYTES_MAX = 32 * 1024 * 1024
/** Staging memories, 11 MiB each for a pack: one is written while the next is filled; further writes wait for one. */
const STAGING_MAX = 2

const staging: WebAssembly.Memory[] = []
const waiting: (() => void)[] = []
let lent = 0
/** Directories' file systems that refused: not asked again. */
let refused = false

/** True when the file was written and synced. False: nothing is there, use the other way. */
export async function writeDirect(path: string, parts: readonly Uint8Array[]): Promise<boolean> {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  if (refused || constants.O_DIRECT === undefined || length < DIRECT_BYTES_MIN || length > DIRECT_BYTES_MAX) return false
  const padded = Math.ceil(length / ALIGNMENT) * ALIGNMENT
  const memory = await takeStaging(padded)
  try {
    const bytes = new Uint8Array(memory.buffer, 0, padded)
    let at = 0
    for (const part of parts) {
      bytes.set(part, at)
      at += part.length
    }
    bytes.fill(0, length)
    const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_DIRECT, 0o600)
    try {
      for (let put = 0; put < padded; ) put += (await file.write(bytes, put, padded - put, put)).bytesWritten
      await file.truncate(length)
      await file.sync()
    } finally {
      await file.close()
    }
    return true
  } catch (error) {
    // EINVAL: the file system has no O_DIRECT, or wants another alignment.
    if (systemCode(error) !== 'EINVAL') throw error
    refused = true
    await rm(path, { force: true })
    return false
  } finally {
    lent--
    staging.push(memory)
    waiting.shift()?.()
  }
}

async function takeStaging(bytes: number): Promise<WebAssembly.Memory> {
  while (lent >= STAGING_MAX) await new Promise<void>((resolve) => waiting.push(resolve))
  lent++
  const kept = staging.pop()
  if (kept && kept.buffer.byteLength >= bytes) return kept
  return new WebAssembly.Memory({ initial: Math.ceil(bytes / WASM_PAGE_BYTES) + 16 })
}
