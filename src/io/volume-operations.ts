/** The worker's side of a volume: handles by number, opened by path through the adapter's `VolumeHost`. */
import { BlockvaultError } from '../contract/errors.ts'
import type { VolumeHandle, VolumeHost, VolumeKind, VolumeOpenOptions } from '../contract/volume.ts'
import { type Handlers, handle, operation } from './operation.ts'

export interface OpenedVolume {
  kind: VolumeKind
  size: number
}

export const openVolume = operation<{ volume: number; path: string; options: VolumeOpenOptions }, OpenedVolume>('volume.open')
export const readVolume = operation<{ volume: number; offset: number; length: number }, Uint8Array<ArrayBuffer>>('volume.read')
export const writeVolume = operation<{ volume: number; offset: number; bytes: Uint8Array }, void>('volume.write')
export const zeroVolume = operation<{ volume: number; offset: number; length: number }, void>('volume.zero')
export const flushVolume = operation<{ volume: number }, void>('volume.flush')
export const closeVolume = operation<{ volume: number }, void>('volume.close')

/** The open handles of one worker. */
export type OpenVolumes = Map<number, VolumeHandle>

export function volumeOf(open: OpenVolumes, volume: number): VolumeHandle {
  const handle = open.get(volume)
  if (!handle) throw new BlockvaultError('CLOSED', 'The volume was used after it was closed.')
  return handle
}

export function addVolumeOperations(handlers: Handlers, host: VolumeHost, open: OpenVolumes): void {
  handle(handlers, openVolume, async ({ volume, path, options }) => {
    const opened = await host.open(path, options)
    open.set(volume, opened)
    return { kind: opened.kind, size: opened.size }
  })
  handle(
    handlers,
    readVolume,
    async ({ volume, offset, length }) => {
      const source = volumeOf(open, volume)
      const bytes = new Uint8Array(Math.max(0, Math.min(length, source.size - offset)))
      const got = await source.readAt(bytes, offset)
      return got === bytes.length ? bytes : bytes.slice(0, got)
    },
    (bytes) => [bytes.buffer],
  )
  handle(handlers, writeVolume, ({ volume, offset, bytes }) => volumeOf(open, volume).writeAt(bytes, offset))
  handle(handlers, zeroVolume, ({ volume, offset, length }) => volumeOf(open, volume).zeroAt(offset, length))
  handle(handlers, flushVolume, ({ volume }) => volumeOf(open, volume).flush())
  handle(handlers, closeVolume, async ({ volume }) => {
    const handle = open.get(volume)
    open.delete(volume)
    await handle?.close()
  })
}
