/** `blockvault bench`: what this machine, and a device, give: reading, scanning, compressing, encrypting, one core each. */
import { randomBytes } from 'node:crypto'
import type { BenchOptions } from '../../src/cli/host.ts'
import { throwIfCancelled } from '../../src/contract/errors.ts'
import type { WorkerPlatform } from '../../src/contract/platform.ts'

const SEGMENT_BYTES = 4 * 1024 * 1024
const FRAME_BYTES = 1024 * 1024
/** Long enough for the compiler's top tier and a steady clock. */
const SECONDS = 1
/** Ctrl-C is heard between two such spells of work. */
const DEAF_MS = 50
/** A device is read once from its start, at most so far. */
const DEVICE_BYTES_MAX = 4 * 1024 ** 3

export async function measureMachine({ core, aead, volumes }: WorkerPlatform, device: string | undefined, { onLine, signal }: BenchOptions): Promise<void> {
  const segment = core.buffer(SEGMENT_BYTES)
  const packed = core.buffer(FRAME_BYTES * 2)
  const key = randomBytes(32)
  const nonce = randomBytes(12)

  const rate = async (name: string, note: string, bytesEach: number, run: () => unknown) => {
    for (let warm = 0; warm < 3; warm++) await run()
    const from = performance.now()
    let bytes = 0
    while (performance.now() - from < SECONDS * 1000) {
      await hearSignals()
      throwIfCancelled(signal)
      const until = performance.now() + DEAF_MS
      for (; performance.now() < until; bytes += bytesEach) await run()
    }
    onLine({ name, bytes, seconds: (performance.now() - from) / 1000, note })
  }

  if (device !== undefined) {
    const volume = await volumes.open(device, { mode: 'read' })
    try {
      const length = Math.min(volume.size, DEVICE_BYTES_MAX)
      const from = performance.now()
      for (let offset = 0; offset < length; offset += SEGMENT_BYTES) {
        if (offset % (8 * SEGMENT_BYTES) === 0) await hearSignals()
        throwIfCancelled(signal)
        await volume.readAt(segment.bytes(0, Math.min(SEGMENT_BYTES, length - offset)), offset)
      }
      onLine({ name: 'read', bytes: length, seconds: (performance.now() - from) / 1000, note: `${device}, through the page cache` })
      await volume.readAt(segment.bytes(), Math.max(0, Math.floor(length / 2 / SEGMENT_BYTES) * SEGMENT_BYTES))
    } finally {
      await volume.close()
    }
  } else {
    halfCompressible(segment.bytes())
  }
  const source = device === undefined ? 'half-compressible data' : `from the middle of ${device}`
  const fixed = core.scanner({ kind: 'fixed', size: 64 * 1024 }, key)
  const moving = core.scanner({ kind: 'fastcdc', min: 16 * 1024, average: 64 * 1024, max: 256 * 1024 }, key)
  await rate('scan fixed', '64 KiB chunks, keyed BLAKE3', SEGMENT_BYTES, () => fixed.scan(segment, SEGMENT_BYTES))
  await rate('scan fastcdc', '16/64/256 KiB chunks, keyed BLAKE3', SEGMENT_BYTES, () => moving.scan(segment, SEGMENT_BYTES))
  const codec = core.writes.includes('zstd') ? 'zstd' : 'deflate'
  await rate('compress', `${codec} 1, ${source}`, FRAME_BYTES, () => core.compress(codec, 1, segment, 0, FRAME_BYTES, packed))
  const compressed = core.compress(codec, 1, segment, 0, FRAME_BYTES, packed)
  if (compressed > 0) await rate('decompress', codec, FRAME_BYTES, () => core.decompress(codec, packed, 0, compressed, segment, FRAME_BYTES))
  await rate('encrypt', 'AES-256-GCM, 1 MiB frames', FRAME_BYTES, () => aead.seal(key, nonce, key, segment.bytes(0, FRAME_BYTES)))
}

/** Lets the event loop turn: a promise that is already kept would not. */
function hearSignals(): Promise<void> {
  return new Promise((done) => setImmediate(done))
}

/** Every second 4 KiB random, the others text-like: compresses to a little over a half. */
function halfCompressible(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += 8192) {
    bytes.set(randomBytes(4096), at)
    for (let index = at + 4096; index < Math.min(at + 8192, bytes.length); index++) bytes[index] = 97 + ((index * index) % 23)
  }
}
