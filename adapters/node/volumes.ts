/** Files and block devices by Node's synchronous calls, which Bun has too. */
import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import type { VolumeHost, VolumeMode } from '../../src/contract/volume.ts'
import { type SystemFile, volumeHost } from '../shared/volume-handle.ts'
import { deviceBytes } from './device.ts'
import { openDirect } from './direct-file.ts'

const FLAGS: Record<VolumeMode, number> = { read: constants.O_RDONLY, write: constants.O_RDWR, create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL }

/** Makes a range of an open file a hole, where a runtime can: Node can not. */
export type PunchHole = (fd: number, offset: number, length: number) => boolean

export function createVolumeHost(punchHole?: PunchHole): VolumeHost {
  return volumeHost({
    open(path, mode, size) {
      // O_NONBLOCK: opening a FIFO planted at the path must not wait for its other end.
      const fd = openSync(path, FLAGS[mode] | (constants.O_NONBLOCK ?? 0), 0o600)
      try {
        if (mode === 'create') ftruncateSync(fd, size)
        const file = fileOf(fd, path, mode, punchHole)
        if (!file) closeSync(fd)
        return file
      } catch (error) {
        closeSync(fd)
        if (mode === 'create') unlinkSync(path)
        throw error
      }
    },
  })
}

function fileOf(fd: number, path: string, mode: VolumeMode, punchHole: PunchHole | undefined): SystemFile | undefined {
  const stats = fstatSync(fd)
  const kind = stats.isBlockDevice() ? 'block-device' : stats.isFile() ? 'file' : undefined
  if (kind === undefined) return undefined
  const direct = mode === 'read' ? undefined : openDirect(path)
  return {
    kind,
    size: kind === 'block-device' ? deviceBytes(fd, stats.rdev) : stats.size,
    read: (into, offset) => readSync(fd, into, 0, into.length, offset),
    write: (bytes, offset) => writeSync(fd, bytes, 0, bytes.length, offset),
    writeDirect: (bytes, offset) => direct?.write(bytes, offset) ?? false,
    ...(punchHole ? { punch: (offset, length) => punchHole(fd, offset, length) } : {}),
    sync: () => fsyncSync(fd),
    close() {
      direct?.close()
      closeSync(fd)
    },
  }
}
