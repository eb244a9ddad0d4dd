/** Real block devices and file systems: loop devices, mounts, swap. Each is undone with its workplace. */
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRoot, lacks, lacksTool, tool } from './system.ts'
import type { Workplace } from './workplace.ts'

let mapped = 0
const notRoot = isRoot ? undefined : 'not root'

/** Why there are no loop devices here, or `undefined`. */
export const lacksLoop = notRoot ?? lacksTool('losetup') ?? lacks('no loop devices', tryLoop)
export const lacksMount = notRoot ?? lacksTool('mount', 'umount') ?? lacks('no mounts', tryMount)
export const lacksExt4 = lacksTool('mkfs.ext4')

/** Why device-mapper makes no devices here, or `undefined`. */
export const lacksDeviceMapper = notRoot ?? lacksTool('dmsetup') ?? lacks('no device-mapper', () => tool('dmsetup', 'targets'))

/** Attaches a file to a free loop device and returns the device's path. */
export function attachLoop(place: Workplace, file: string, ...options: string[]): string {
  const device = tool('losetup', '--find', '--show', ...options, file)
  place.later(() => tool('losetup', '--detach', device))
  return device
}

/** Makes a device-mapper device from a table (dmsetup(8)) and returns its path. */
export function mapDevice(place: Workplace, table: string): string {
  const name = `blockvault-test-${process.pid}-${++mapped}`
  tool('dmsetup', 'create', name, place.file(`${name}.table`, table))
  place.later(() => tool('dmsetup', 'remove', '--retry', name))
  return `/dev/mapper/${name}`
}

/** Mounts `source` at a new directory and returns it. */
export function mount(place: Workplace, name: string, source: string, ...options: string[]): string {
  const at = place.folder(name)
  tool('mount', ...options, source, at)
  place.later(() => tool('umount', at))
  return at
}

/** A sparse file of `bytes`. */
export function sparseFile(place: Workplace, name: string, bytes: number): string {
  const path = place.path(name)
  closeSync(openSync(path, 'wx'))
  truncateSync(path, bytes)
  return path
}

function tryLoop(): void {
  inScratch((directory) => {
    const file = join(directory, 'image')
    writeFileSync(file, new Uint8Array(65_536))
    tool('losetup', '--detach', tool('losetup', '--find', '--show', file))
  })
}

function tryMount(): void {
  inScratch((directory) => {
    tool('mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory)
    tool('umount', directory)
  })
}

function inScratch(run: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'blockvault-try-'))
  try {
    run(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
