/** Facts about block devices on Linux. `fstat` gives size 0 for them on every runtime, so the kernel's sysfs is asked. */
import { readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs'

const SECTOR_BYTES = 512

/** Size of an open block device, bytes. */
export function deviceBytes(fd: number, rdev: number): number {
  const { major, minor } = deviceNumbers(rdev)
  try {
    const sectors = Number(readFileSync(`/sys/dev/block/${major}:${minor}/size`, 'utf8').trim())
    if (Number.isSafeInteger(sectors * SECTOR_BYTES) && sectors >= 0) return sectors * SECTOR_BYTES
  } catch {
    // No sysfs (a container, another system): the device itself tells.
  }
  return bytesByReading(fd)
}

/** Bisects for the last readable byte: some 50 one-byte reads. */
export function bytesByReading(fd: number): number {
  const byte = Buffer.alloc(1)
  const readable = (offset: number): boolean => {
    try {
      return readSync(fd, byte, 0, 1, offset) === 1
    } catch {
      return false
    }
  }
  if (!readable(0)) return 0
  let low = 0
  let high = 1
  while (high < Number.MAX_SAFE_INTEGER / 2 && readable(high)) {
    low = high
    high *= 2
  }
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2)
    if (readable(middle)) low = middle
    else high = middle
  }
  return high
}

/** glibc's encoding of a device number. */
export function deviceNumbers(rdev: number): { major: number; minor: number } {
  const number = BigInt(rdev)
  const major = ((number >> 32n) & 0xfffff000n) | ((number >> 8n) & 0xfffn)
  const minor = ((number >> 12n) & 0xffffff00n) | (number & 0xffn)
  return { major: Number(major), minor: Number(minor) }
}

/** How the system uses a block device now, or `undefined`: mounted, swap, or held by another device (LVM, RAID, dm-crypt). */
export function deviceUse(rdev: number): string | undefined {
  const { major, minor } = deviceNumbers(rdev)
  const numbers = [`${major}:${minor}`, ...partitionsOf(`${major}:${minor}`)]
  for (const number of numbers) {
    const mount = mountOf(number)
    if (mount !== undefined) return `mounted at ${mount}`
    const [holder] = list(`/sys/dev/block/${number}/holders`)
    if (holder !== undefined) return `held by ${holder}`
    const name = link(`/sys/dev/block/${number}`)?.split('/').at(-1)
    if (
      name !== undefined &&
      text('/proc/swaps')
        .split('\n')
        .some((line) => line.startsWith(`/dev/${name} `))
    )
      return 'used as swap'
  }
  return undefined
}

function partitionsOf(number: string): string[] {
  const base = `/sys/dev/block/${number}`
  return list(base)
    .map((entry) => text(`${base}/${entry}/dev`).trim())
    .filter((dev) => /^\d+:\d+$/.test(dev))
}

/** Third field of mountinfo is the device, the fifth the mount point (proc(5)). */
function mountOf(number: string): string | undefined {
  for (const line of text('/proc/self/mountinfo').split('\n')) {
    const fields = line.split(' ')
    if (fields[2] === number) return fields[4]
  }
  return undefined
}

function text(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

function link(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
