/**
 * The core's operations one by one, on one thread: Rust→WASM, the plain fallback, the nearest JavaScript peer
 * (`@huggingface/xetchunk-wasm`: content-defined cuts and keyed BLAKE3) and native Rust.
 *
 * All work on the same bytes, which lie in memory already: what is measured is computing, not reading.
 */
import { getChunks } from '@huggingface/xetchunk-wasm'
import { parseArgs } from 'node:util'
import { FINGERPRINT_BYTES } from '../src/contract/core.ts'
import type { ChunkerOptions, Codec, Core, CoreBuffer } from '../src/contract/core.ts'
import { encodePackRecord, joinBlock } from '../src/repository/index-block.ts'
import { loadCores } from './engine.ts'
import { interleave, jsonReporter, machine, measureFunction, medianSample, MIB } from './harness.ts'
import { positiveInteger, printTable, say, sayMachine } from './harness.ts'
import { measureNative } from './native.ts'
import { generateBytes, randomWords, sampleFile } from './volume.ts'

export const help = `core [OPTIONS]    the core's operations, one thread: wasm, fallback, xetchunk-wasm, native Rust
  --input FILE       real input: its pieces that are not zero, spread over the file (default: generated, half compressible)
  --size MIB         how much of it (default 64)
  --seed N           of generated input (default 1)
  --runs N           the table has the medians (default 5)
  --only NAME,…      of wasm, fallback, xetchunk, native
  --json             JSON lines to stdout`

const SEGMENT_BYTES = 4 * MIB
const FRAME_BYTES = MIB
const FIXED = { kind: 'fixed', size: 64 * 1024 } as const satisfies ChunkerOptions
/** The xet chunker's own bounds. */
const FASTCDC = { kind: 'fastcdc', min: 8 * 1024, average: 64 * 1024, max: 128 * 1024 } as const satisfies ChunkerOptions
const LEVELS: readonly [codec: Codec, level: number][] = [
  ['zstd', 1],
  ['lz4', 0],
  ['deflate', 1],
]
/** A volume of 64 GiB in 64 KiB chunks. */
const INDEX_CHUNKS = 1 << 20
/** As many as a segment has. */
const LOOKUP_BATCH = 64

/** Operations in the order of the table. Those not named here are MiB/s. */
const LOOKUPS = 'index has'

/** One implementation's way of doing one operation. */
interface Work {
  subject: string
  operation: string
  /** Bytes, or look-ups. */
  amount: number
  run: () => void
}

export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      input: { type: 'string' },
      size: { type: 'string', default: '64' },
      seed: { type: 'string', default: '1' },
      runs: { type: 'string', default: '5' },
      only: { type: 'string', default: 'wasm,fallback,xetchunk,native' },
      json: { type: 'boolean', default: false },
    },
  })
  const bytes = positiveInteger('--size', values.size) * MIB
  const seed = positiveInteger('--seed', values.seed)
  const runs = positiveInteger('--runs', values.runs)
  const only = values.only.split(',')
  const input = values.input === undefined ? generateBytes(bytes, seed) : await sampleFile(values.input, bytes)
  const source = values.input ?? `generated, seed ${seed}`

  const report = jsonReporter(values.json)
  report(machine())
  sayMachine()
  const cores = await loadCores(only)
  const works = cores.flatMap(({ name, core }) =>
    coreWorks(
      name,
      core,
      input,
      cores.map((each) => each.core),
    ),
  )
  if (only.includes('xetchunk')) {
    works.push({ subject: 'xetchunk', operation: 'scan fastcdc', amount: input.length, run: () => getChunks(input, FASTCDC.average) })
  }

  const found = new Map<string, Map<string, number>>()
  const note = (operation: string, subject: string, amount: number, figures: { seconds: number }): void => {
    const perSecond = amount / figures.seconds
    const rate = operation === LOOKUPS ? { lookupsPerSecond: perSecond } : { mibPerSecond: perSecond / MIB }
    report({ type: 'result', bench: 'core', operation, subject, input: source, runs, amount, ...figures, ...rate })
    const row = found.get(operation) ?? new Map<string, number>()
    found.set(operation, row.set(subject, operation === LOOKUPS ? perSecond / 1e6 : perSecond / MIB))
  }
  for (const operation of new Set(works.map((work) => work.operation))) {
    const subjects = works.filter((work) => work.operation === operation)
    const samples = await interleave(
      subjects.map((work) => ({ name: work.subject, sample: () => measureFunction(work.run) })),
      { runs, warmups: 1 },
    )
    for (const work of subjects) note(operation, work.subject, work.amount, medianSample(samples.get(work.subject) ?? []))
  }
  if (only.includes('native')) {
    for (const { operation, amount, seconds } of await measureNative(input, runs)) note(operation, 'native', amount, { seconds })
  }

  const columns = ['wasm', 'fallback', 'xetchunk', 'native'].filter((subject) => [...found.values()].some((row) => row.has(subject)))
  say(`\nMiB/s on one thread (${LOOKUPS}: million look-ups a second), median of ${runs}; ${input.length / MIB} MiB of ${source}\n`)
  printTable(
    ['operation', ...columns],
    [...found].map(([operation, row]) => [
      operation,
      ...columns.map((subject) => {
        const rate = row.get(subject)
        return rate === undefined ? '–' : rate.toFixed(operation === LOOKUPS ? 2 : 0)
      }),
    ]),
  )
  return 0
}

/** Everything a `Core` can be measured at. Frames to decompress are made by the first of `writers` that can. */
function coreWorks(subject: string, core: Core, input: Uint8Array, writers: readonly Core[]): Work[] {
  const key = new Uint8Array(32).fill(7)
  const segments = fill(core, input, SEGMENT_BYTES)
  const zeros = fill(core, new Uint8Array(input.length), SEGMENT_BYTES)
  const frame = core.buffer(FRAME_BYTES * 2)
  const works: Work[] = []
  const add = (operation: string, amount: number, run: () => void): void => {
    works.push({ subject, operation, amount, run })
  }
  const each = (buffers: readonly Filled[], bytes: number, run: (buffer: CoreBuffer, offset: number, length: number) => void): void => {
    for (const { buffer, length } of buffers) {
      for (let offset = 0; offset < length; offset += bytes) run(buffer, offset, Math.min(bytes, length - offset))
    }
  }
  for (const [operation, chunker, from] of [
    ['scan fixed', FIXED, segments],
    ['scan fastcdc', FASTCDC, segments],
    ['scan zeros', FIXED, zeros],
  ] as const) {
    const scanner = core.scanner(chunker, key)
    add(operation, input.length, () => each(from, SEGMENT_BYTES, (buffer, _, length) => scanner.scan(buffer, length)))
  }
  add('fingerprint', input.length, () => each(segments, FIXED.size, (buffer, offset, length) => core.fingerprint(key, buffer, offset, length)))
  for (const [codec, level] of LEVELS) {
    const label = codec === 'lz4' ? codec : `${codec} ${level}`
    if (core.writes.includes(codec)) {
      // as backups do it: decoded again and compared
      for (const [name, check] of [
        [`compress ${label}`, false],
        [`compress ${label}, checked`, true],
      ] as const) {
        add(name, input.length, () =>
          each(segments, FRAME_BYTES, (buffer, offset, length) => core.compress(codec, level, buffer, offset, length, frame, check)),
        )
      }
    }
    const writer = writers.find((each) => each.writes.includes(codec))
    if (writer === undefined) continue
    const packed = compressed(writer, codec, level, input)
    const frames = packed.map((one) => ({ ...one, at: fill(core, one.stored, one.stored.length)[0] }))
    const amount = packed.reduce((sum, one) => sum + one.plainBytes, 0)
    add(`decompress ${label}`, amount, () => {
      for (const { at, plainBytes } of frames) {
        if (at === undefined || !core.decompress(codec, at.buffer, 0, at.length, frame, plainBytes)) throw new Error(`${subject} can not read ${label}`)
      }
    })
  }
  add(LOOKUPS, INDEX_CHUNKS, lookups(subject, core))
  return works
}

interface Filled {
  buffer: CoreBuffer
  length: number
}

function fill(core: Core, input: Uint8Array, bytes: number): Filled[] {
  const filled: Filled[] = []
  for (let offset = 0; offset < input.length; offset += bytes) {
    const piece = input.subarray(offset, offset + bytes)
    const buffer = core.buffer(piece.length)
    buffer.bytes(0, piece.length).set(piece)
    filled.push({ buffer, length: piece.length })
  }
  return filled
}

/** Frames that got smaller. */
function compressed(core: Core, codec: Codec, level: number, input: Uint8Array): { stored: Uint8Array; plainBytes: number }[] {
  const target = core.buffer(FRAME_BYTES * 2)
  return fill(core, input, FRAME_BYTES).flatMap(({ buffer, length }) => {
    const storedBytes = core.compress(codec, level, buffer, 0, length, target)
    const stored = target.bytes(0, storedBytes).slice()
    buffer.free()
    return storedBytes === 0 ? [] : [{ stored, plainBytes: length }]
  })
}

/** Looks as many fingerprints up as are held, half of them held, in batches and no order. */
function lookups(subject: string, core: Core): () => void {
  const index = core.chunkIndex()
  const held = randomFingerprints(1)
  index.load(indexBlock(held))
  say(`${subject}: the index of ${INDEX_CHUNKS} chunks takes ${(index.memoryBytes / INDEX_CHUNKS).toFixed(1)} bytes a chunk`)
  const asked = randomFingerprints(2)
  const place = randomWords(3)
  for (let at = 0; at < INDEX_CHUNKS; at += 2) {
    const from = (place() % INDEX_CHUNKS) * FINGERPRINT_BYTES
    asked.set(held.subarray(from, from + FINGERPRINT_BYTES), at * FINGERPRINT_BYTES)
  }
  const batchBytes = LOOKUP_BATCH * FINGERPRINT_BYTES
  return () => {
    for (let at = 0; at < asked.length; at += batchBytes) index.has(asked.subarray(at, at + batchBytes), LOOKUP_BATCH)
  }
}

function randomFingerprints(seed: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Uint32Array.from({ length: (INDEX_CHUNKS * FINGERPRINT_BYTES) / 4 }, randomWords(seed)).buffer)
}

/** Packs of 16 frames of 16 chunks of 64 KiB, as backups make them. */
function indexBlock(fingerprints: Uint8Array): Uint8Array {
  const chunks = 16
  const frames = 16
  const frameBytes = chunks * FINGERPRINT_BYTES
  const lengths = new Uint32Array(chunks).fill(FIXED.size)
  const packs = Array.from({ length: fingerprints.length / frameBytes / frames }, (_, pack) => ({
    id: new Uint8Array(new Uint32Array([pack, 0, 0, 0]).buffer),
    packBytes: 1 << 24,
    frames: Array.from({ length: frames }, (_, frame) => {
      const from = (pack * frames + frame) * frameBytes
      const frameFingerprints = fingerprints.subarray(from, from + frameBytes)
      return { storedBytes: FRAME_BYTES / 2, plainBytes: FRAME_BYTES, codec: 1, lengths, fingerprints: frameFingerprints }
    }),
  }))
  return joinBlock(packs.map(encodePackRecord))
}
