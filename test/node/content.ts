/** Bytes to back up, and how two volumes are compared. */
import { createCipheriv, createHash, randomInt } from 'node:crypto'
import { closeSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import { tool } from './system.ts'

export const KIB = 1024
export const MIB = 1024 * 1024

/** Reproducible bytes that no codec makes smaller. */
export function noise(seed: number, length: number): Buffer<ArrayBuffer> {
  const key = createHash('md5').update(String(seed)).digest()
  return Buffer.from(createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length)))
}

/** A seed that is printed, or given again by BLOCKVAULT_TEST_SEED. */
export function printedSeed(what: string): number {
  const seed = Number(process.env['BLOCKVAULT_TEST_SEED'] ?? randomInt(2 ** 31))
  say(`${what}: BLOCKVAULT_TEST_SEED=${seed}`)
  return seed
}

/** A line in the tests' output. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Overwrites a part of an existing file or device. */
export function overwrite(path: string, offset: number, bytes: Uint8Array): void {
  const file = openSync(path, 'r+')
  try {
    for (let put = 0; put < bytes.length; ) put += writeSync(file, bytes, put, bytes.length - put, offset + put)
  } finally {
    closeSync(file)
  }
}

export function readPart(path: string, offset: number, length: number): Buffer {
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(length)
    let got = 0
    for (let count = -1; got < length && count !== 0; got += count) count = readSync(file, bytes, got, length - got, offset + got)
    return bytes.subarray(0, got)
  } finally {
    closeSync(file)
  }
}

/** SHA-256 of a file or device, hex. */
export function digestOf(path: string): string {
  const hash = createHash('sha256')
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(4 * MIB)
    for (let count = readSync(file, bytes); count > 0; count = readSync(file, bytes)) hash.update(bytes.subarray(0, count))
  } finally {
    closeSync(file)
  }
  return hash.digest('hex')
}

/** Throws and names the first difference when the two files or devices are not identical, length included. */
export function compare(one: string, other: string, ...options: string[]): void {
  tool('cmp', ...options, one, other)
}

/** What a file takes on its disk, bytes. */
export function allocatedBytes(path: string): number {
  return statSync(path).blocks * 512
}
