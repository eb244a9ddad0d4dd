/** What the tests of the edge adapter have in common: the core as an edge worker has it, and streams and writers that remember. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import type { RangeWriter } from '../../../adapters/edge/index.ts'

export const wasm = readFileSync(fileURLToPath(new URL('../../../wasm/pkg/blockvault_core_bg.wasm', import.meta.url)))
export const core = new WebAssembly.Module(wasm)
export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
export const code = (expected: string) => expect.objectContaining({ name: 'BlockvaultError', code: expected })

/** Gathers what is written, in order. */
export function sink() {
  const parts: Uint8Array[] = []
  const seen = { closed: false, aborted: undefined as unknown }
  const stream = new WritableStream<Uint8Array>({
    write: (part) => void parts.push(part),
    close: () => void (seen.closed = true),
    abort: (reason) => void (seen.aborted = reason),
  })
  return { stream, seen, bytes: () => Buffer.concat(parts) }
}

/** A file of zeros that takes ranges. It looks at the bytes at the end only: they are its own to keep. */
export function file(size: number) {
  const bytes = new Uint8Array(size)
  const kept: { offset: number; part: Uint8Array }[] = []
  const seen = { closed: 0, aborted: undefined as unknown, written: 0 }
  const writer: RangeWriter = {
    write(offset, part) {
      kept.push({ offset, part })
      seen.written += part.length
    },
    close() {
      for (const { offset, part } of kept) bytes.set(part, offset)
      seen.closed++
    },
    abort: (reason) => void (seen.aborted = reason),
  }
  return { writer, seen, bytes }
}

/** Rejects within two seconds, or it is called a hang. */
export async function settles(promise: Promise<unknown>): Promise<unknown> {
  const hangs = Symbol('hangs')
  const outcome = await Promise.race([promise.catch((error: unknown) => error), new Promise((resolve) => setTimeout(resolve, 2000, hangs))])
  expect(outcome, 'hangs').not.toBe(hangs)
  return outcome
}
