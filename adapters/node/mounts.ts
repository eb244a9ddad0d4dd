/** What is mounted where, as Linux tells it (proc(5), `/proc/self/mountinfo`). */
import { readFile, realpath } from 'node:fs/promises'
import { fromSystem, STORAGE_ERRORS, systemCode } from './system-error.ts'

/**
 * What is mounted at exactly this directory: the device or share, as it was mounted (`server:/export`). `undefined` when nothing is, or
 * there is no such directory. For `NfsBackupDriver`. Linux only; elsewhere it rejects with STORAGE_FAILED.
 */
export async function mountedAt(path: string): Promise<string | undefined> {
  try {
    const mounts = await readFile('/proc/self/mountinfo', 'utf8')
    const place = await realpath(path).catch((error: unknown) => {
      if (['ENOENT', 'ENOTDIR'].includes(systemCode(error))) return undefined
      throw error
    })
    return place === undefined ? undefined : mountSource(mounts, place)
  } catch (error) {
    throw fromSystem(error, STORAGE_ERRORS, `Looking what is mounted at ${path}`, { path })
  }
}

/** The last line for a place is what is seen there: mounts lie over each other. */
export function mountSource(mountinfo: string, place: string): string | undefined {
  let source: string | undefined
  for (const line of mountinfo.split('\n')) {
    if (line === '') continue
    // Optional fields end with a hyphen; behind it stand the type and the source.
    const [before = '', after = ''] = line.split(' - ', 2)
    if (unescaped(before.split(' ')[4] ?? '') === place) source = unescaped(after.split(' ')[1] ?? '')
  }
  return source
}

/** Spaces, tabs, line ends and backslashes are written as three octal digits. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
