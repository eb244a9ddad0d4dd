/** A volume in memory that counts what is done to it, and asks a test before it does it. */
import type { VolumeFile } from '../../../src/contract/volume.ts'
import { createVolumeFace } from '../../../src/io/volume-face.ts'

export interface MemoryVolume extends VolumeFile {
  /** Bytes that were read, written, and punched. */
  readonly done: { read: number; written: number; punched: number; flushed: number }
}

export interface VolumeHooks {
  onRead?: (offset: number) => void | Promise<void>
  onWrite?: (offset: number) => void | Promise<void>
}

/** `bytes` is the volume: writes change it. */
export function memoryVolume(bytes: Uint8Array<ArrayBuffer>, { onRead, onWrite }: VolumeHooks = {}): MemoryVolume {
  const done = { read: 0, written: 0, punched: 0, flushed: 0 }
  const file = createVolumeFace({
    kind: 'block-device',
    size: bytes.length,
    async readAt(offset, length) {
      await onRead?.(offset)
      done.read += length
      return bytes.slice(offset, offset + length)
    },
    async writeAt(offset, piece) {
      await onWrite?.(offset)
      done.written += piece.length
      bytes.set(piece, offset)
    },
    async punchHole(offset, length) {
      await onWrite?.(offset)
      done.punched += length
      bytes.fill(0, offset, offset + length)
    },
    async flush() {
      done.flushed++
    },
    close: async () => {},
  })
  return Object.assign(file, { done })
}
