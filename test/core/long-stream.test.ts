/**
 * zstd beyond 2 GiB. Its indexes have 32 bits, and wasm32's pointers make those from 2 GiB on a trap: without the correction that
 * wasm/zstd-wide.h asks for, matches in the older part of the window are lost there, and a part takes six times as many bytes.
 */
import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import type { Core, CoreBuffer } from '../../src/contract/core.ts'
import { createWasmCore } from '../../src/core/wasm.ts'
import { randomBytes } from '../suites/core/bytes.ts'

const MIB = 1024 * 1024
const ZERO_PART_BYTES = 16 * MIB
const ZERO_PARTS = 131
/** Nearly as long as the window of level 3, 2 MiB: each repeat is found in the older part of it. */
const REPEATED = randomBytes(1, 1_700_000)
const REPEATS = 4

it('an object of zstd is compressed as well behind 2 GiB as at its start, and comes back', { timeout: 240_000 }, async () => {
  const core = createWasmCore(await WebAssembly.compile(await readFile(new URL('../../wasm/pkg/blockvault_core_bg.wasm', import.meta.url))))
  const atStart = run(core, 0)
  const behind = run(core, ZERO_PARTS)
  expect(atStart).toBeLessThan(REPEATED.length * 1.2)
  expect(behind).toBeLessThan(atStart * 1.01 + 65_536)
})

/** Encodes parts of zeros and one with the repeats, decodes them on the way, and returns the stored bytes of the latter. */
function run(core: Core, zeroParts: number): number {
  const lastBytes = REPEATED.length * REPEATS
  const encoder = core.streamEncoder('zstd', 3, zeroParts * ZERO_PART_BYTES + lastBytes)
  const decoder = core.streamDecoder('zstd')
  const source = core.buffer(ZERO_PART_BYTES)
  const target = core.buffer(encoder.bound(ZERO_PART_BYTES))
  const out = core.buffer(ZERO_PART_BYTES + MIB)
  const zeros = new Uint8Array(MIB)
  source.bytes().fill(0)
  let zeroBytes = 0
  const last: Uint8Array[] = []

  const decode = (length: number) => {
    let at = 0
    for (let full = true; full || at < length; ) {
      const { consumed, produced } = decoder.decode(target, at, length - at, out)
      at += consumed
      full = produced === out.length
      const isZero = Math.min(produced, zeroParts * ZERO_PART_BYTES - zeroBytes)
      expectZeros(out, isZero, zeros)
      zeroBytes += isZero
      last.push(out.bytes(isZero, produced - isZero).slice())
    }
  }

  for (let part = 0; part < zeroParts; part++) decode(encoder.encode(source, 0, ZERO_PART_BYTES, target, false).length)
  for (let repeat = 0; repeat < REPEATS; repeat++) source.bytes(repeat * REPEATED.length, REPEATED.length).set(REPEATED)
  const { length } = encoder.encode(source, 0, lastBytes, target, false)
  decode(length)
  // A last part of some length would be taken from where it lies, without the window's own memory, where indexes start to matter.
  decode(encoder.encode(source, 0, 0, target, true).length)
  decoder.finish()
  expect(zeroBytes).toBe(zeroParts * ZERO_PART_BYTES)
  const whole = Buffer.concat(last)
  expect(whole.length).toBe(lastBytes)
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    expect(Buffer.compare(whole.subarray(repeat * REPEATED.length, (repeat + 1) * REPEATED.length), REPEATED)).toBe(0)
  }
  for (const each of [encoder, decoder, source, target, out]) each.free()
  return length
}

function expectZeros(buffer: CoreBuffer, length: number, zeros: Uint8Array): void {
  for (let at = 0; at < length; at += zeros.length) {
    const count = Math.min(zeros.length, length - at)
    if (Buffer.compare(buffer.bytes(at, count), zeros.subarray(0, count)) !== 0) expect.fail(`zeros do not come back as zeros, at ${at}`)
  }
}
