/**
 * The worker pool: a fixed set of ports, and volumes that are open in all of them under one number, so that any worker can
 * serve any part of a volume.
 */
import { BlockvaultError } from '../contract/errors.ts'
import type { Port } from '../contract/port.ts'
import type { VolumeKind, VolumeOpenOptions } from '../contract/volume.ts'
import { invoke } from './operation.ts'
import { closeVolume, flushVolume, openVolume } from './volume-operations.ts'

export interface Pool {
  readonly ports: readonly Port[]
  /** Starts all workers, for a job that will need them: they come up while it is prepared. */
  start(): void
  /** The next port in turn, for calls that are not bound to one. */
  any(): Port
  /** As `any`, over the spare worker too where there is one: for calls that write to a volume, which wait for the disk part of their time. */
  anyWriter(): Port
  /** Opens the path in every worker; in none when one of them fails. With `create`, the first makes the file. */
  openVolume(path: string, options: VolumeOpenOptions): Promise<PooledVolume>
  close(): Promise<void>
}

export interface PooledVolume {
  readonly volume: number
  readonly kind: VolumeKind
  readonly size: number
  flush(): Promise<void>
  close(): Promise<void>
}

/** Counted over all pools of this thread: a driver and the service may each have a pool of the same ports. */
let volumes = 0

/** `spare`: one more worker, for volumes that are written to. None by default. */
export function createPool(ports: readonly Port[], spare?: Port): Pool {
  const writers = spare ? [...ports, spare] : ports
  let turn = 0
  const [first] = ports
  if (!first) throw new BlockvaultError('INTERNAL', 'A pool needs at least one port.')

  return {
    ports,
    start() {
      for (const port of ports) port.start?.()
    },
    any: () => ports[turn++ % ports.length] ?? first,
    anyWriter: () => writers[turn++ % writers.length] ?? first,
    async openVolume(path, options) {
      const volume = ++volumes
      const openIn = options.mode === 'read' ? ports : writers
      const close = async () => {
        await Promise.all(openIn.map((port) => invoke(port, closeVolume, { volume }).catch(() => {})))
      }
      try {
        const opened = await invoke(first, openVolume, { volume, path, options })
        const rest: VolumeOpenOptions = options.mode === 'read' ? { mode: 'read' } : { mode: 'write' }
        await Promise.all(openIn.slice(1).map((port) => invoke(port, openVolume, { volume, path, options: rest })))
        return { volume, ...opened, flush: () => invoke(first, flushVolume, { volume }), close }
      } catch (error) {
        await close()
        throw error
      }
    },
    async close() {
      await Promise.all(writers.map((port) => port.close()))
    },
  }
}
