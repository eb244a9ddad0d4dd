/**
 * Files and block devices by Deno's own synchronous calls. Deno counts everything below `/dev` as special: a block device needs
 * `--allow-all`, a disk image `--allow-read` (as a source) and `--allow-write` (as a target).
 */
import type { VolumeHost, VolumeKind, VolumeMode } from '../../src/contract/volume.ts'
import { openDirect } from '../node/direct-file.ts'
import { type SystemFile, volumeHost } from '../shared/volume-handle.ts'

const HOW: Record<VolumeMode, Deno.OpenOptions> = {
  read: { read: true },
  write: { read: true, write: true },
  create: { read: true, write: true, createNew: true, mode: 0o600 },
}

export function createVolumeHost(): VolumeHost {
  return volumeHost({
    open(path, mode, size) {
      // Deno has no O_NONBLOCK: a FIFO would be waited for, so it is not opened.
      if (mode !== 'create' && kindOf(Deno.statSync(path)) === undefined) return undefined
      const file = Deno.openSync(path, HOW[mode])
      try {
        if (mode === 'create') file.truncateSync(size)
        const kind = kindOf(file.statSync())
        if (kind !== undefined) return fileOf(file, kind, path, mode)
        file.close()
        return undefined
      } catch (error) {
        file.close()
        if (mode === 'create') Deno.removeSync(path)
        throw error
      }
    },
  })
}

function kindOf({ isFile, isBlockDevice }: Deno.FileInfo): VolumeKind | undefined {
  return isBlockDevice ? 'block-device' : isFile ? 'file' : undefined
}

function fileOf(file: Deno.FsFile, kind: VolumeKind, path: string, mode: VolumeMode): SystemFile {
  const direct = mode === 'read' ? undefined : openDirect(path)
  return {
    kind,
    // Also of a block device, whose `stat` says 0.
    size: file.seekSync(0, Deno.SeekMode.End),
    read(into, offset) {
      file.seekSync(offset, Deno.SeekMode.Start)
      return file.readSync(into) ?? 0
    },
    write(bytes, offset) {
      file.seekSync(offset, Deno.SeekMode.Start)
      return file.writeSync(bytes)
    },
    writeDirect: (bytes, offset) => direct?.write(bytes, offset) ?? false,
    sync: () => file.syncSync(),
    close() {
      direct?.close()
      file.close()
    },
  }
}
