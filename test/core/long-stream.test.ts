/**
 * zstd parts of more than 2 GiB in all. A context numbers the bytes it has seen with 32 bits, and wasm32's pointers make those from 2 GiB on a
 * trap (wasm/zstd-wide.h): the encoder has to begin anew before. Without that, parts behind come out larger, or wrong.
 */
import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { createWasmCore } from '../../src/core/wasm.ts'
import { volumeBytes } from '../suites/core/bytes.ts'

const MIB = 1024 * 1024
const PART_BYTES = 16 * MIB
const PARTS = 150

it('a part of zstd is compressed the same behind 2 GiB as at the start, and comes back', { timeout: 240_000 }, async () => {
  const core = createWasmCore(await WebAssembly.compile(await readFile(new URL('../../wasm/pkg/blockvault_core_bg.wasm', import.meta.url))))
  const encoder = core.streamEncoder('zstd', 3)
  const decoder = core.streamDecoder('zstd')
  const source = core.buffer(PART_BYTES)
  const target = core.buffer(encoder.bound(PART_BYTES))
  const out = core.buffer(PART_BYTES + MIB)
  const some = volumeBytes(1, MIB)
  source.bytes().fill(0)
  for (let at = 0; at < PART_BYTES; at += 4 * MIB) source.bytes(at, MIB).set(some)
  const plain = source.bytes().slice()

  const stored: number[] = []
  for (let part = 0; part < PARTS; part++) {
    const place = { objectBytes: PARTS * PART_BYTES, first: part === 0, last: part === PARTS - 1 }
    const { length } = encoder.encode(source, 0, PART_BYTES, target, place)
    if (!place.first && !place.last) stored.push(length)
    let produced = 0
    for (let at = 0; at < length; ) {
      const step = decoder.decode(target, at, length - at, out, 0)
      if (Buffer.compare(out.bytes(0, step.produced), plain.subarray(produced, produced + step.produced)) !== 0) expect.fail(`part ${part} comes back wrong`)
      at += step.consumed
      produced += step.produced
    }
    expect(produced).toBe(PART_BYTES)
  }
  decoder.finish()
  expect(new Set(stored).size).toBe(1)
  for (const each of [encoder, decoder, source, target, out]) each.free()
})
