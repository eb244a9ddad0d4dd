/** What a path is: a volume's kind, size, identity and use, found without reading it. */
import { closeSync, constants, openSync, realpathSync, statSync } from 'node:fs'
import { BlockvaultError } from '../../src/contract/errors.ts'
import type { VolumeFacts } from '../../src/contract/volume.ts'
import { deviceBytes, deviceUse } from './device.ts'
import { fromSystem, SOURCE_ERRORS, systemCode } from './system-error.ts'

export async function volumeFacts(path: string): Promise<VolumeFacts | undefined> {
  try {
    const stats = statSync(path, { throwIfNoEntry: false })
    if (!stats) return undefined
    const resolved = realpathSync(path)
    if (stats.isFile()) return { kind: 'file', size: stats.size, path: resolved, identity: `file:${stats.dev}:${stats.ino}` }
    if (!stats.isBlockDevice()) {
      const what = stats.isDirectory() ? 'a directory' : 'neither a regular file nor a block device'
      throw new BlockvaultError('SOURCE_UNSUPPORTED', `${path} is ${what}: give a disk image or a block device.`, { details: { path } })
    }
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const inUse = deviceUse(stats.rdev) ?? exclusiveUse(path)
      return {
        kind: 'block-device',
        size: deviceBytes(fd, stats.rdev),
        path: resolved,
        identity: `device:${stats.rdev}`,
        ...(inUse === undefined ? {} : { inUse }),
      }
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    // ENOTDIR: below a file there is nothing.
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error))) return undefined
    throw fromSystem(error, SOURCE_ERRORS, `Looking at ${path}`, { path })
  }
}

/** Linux refuses O_EXCL on a block device that the system has claimed (open(2)), also in ways that sysfs does not show. */
function exclusiveUse(path: string): string | undefined {
  try {
    closeSync(openSync(path, constants.O_RDONLY | constants.O_EXCL | constants.O_NONBLOCK))
    return undefined
  } catch (error) {
    return systemCode(error) === 'EBUSY' ? 'claimed by the system' : undefined
  }
}
