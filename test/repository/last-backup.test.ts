/**
 * A backup that compares with the volume's last one finds exactly what a backup without one finds: the oracle is the same content
 * under a new volume name, whose every chunk is fingerprinted.
 */
import { describe, expect, it } from 'vitest'
import type { ChunkerOptions } from '../../src/contract/core.ts'
import { noise, numbers, SEED, text } from './support/random.ts'
import { copyOf, newRepository, namesUnder, opened } from './support/repositories.ts'
import { fileOf, restored } from './support/volumes.ts'

const KIB = 1024
const MIB = 1024 * KIB
const CHUNKERS: Record<string, ChunkerOptions> = {
  'fixed chunks': { kind: 'fixed', size: 64 * KIB },
  'fixed chunks that do not divide a segment': { kind: 'fixed', size: 100_000 },
  'content-defined chunks': { kind: 'fastcdc', min: 16 * KIB, average: 64 * KIB, max: 256 * KIB },
}

/** Noise, text and long runs of zeros, over several segments, with a length that is a multiple of nothing. */
function image(): Uint8Array<ArrayBuffer> {
  const volume = new Uint8Array(17 * MIB + 12_345)
  volume.set(noise(1, 3 * MIB), 0)
  volume.set(text(2, 2 * MIB), 7 * MIB)
  volume.set(noise(3, 300 * KIB), 11 * MIB + 777)
  volume.set(noise(4, 40), volume.length - 40)
  return volume
}

/** What can happen to a volume between two backups. */
function changesOf(below: (bound: number) => number): Record<string, (volume: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>> {
  const flip = (volume: Uint8Array<ArrayBuffer>, count: number) => {
    const changed = volume.slice()
    for (let bit = 0; bit < count; bit++) changed[below(volume.length)]! ^= 1 << below(8)
    return changed
  }
  const fill = (volume: Uint8Array<ArrayBuffer>, bytes: Uint8Array, at: number) => {
    const changed = volume.slice()
    changed.set(bytes.subarray(0, changed.length - at), at)
    return changed
  }
  return {
    nothing: (volume) => volume,
    'one bit': (volume) => flip(volume, 1),
    'many bits': (volume) => flip(volume, 500),
    'data where zeros were': (volume) => fill(volume, noise(5, 1), 5 * MIB + 1),
    'zeros where data was': (volume) => fill(volume, new Uint8Array(600 * KIB), below(MIB)),
    'the last byte': (volume) => fill(volume, Uint8Array.of(99), volume.length - 1),
    'a part that moved': (volume) => fill(volume, volume.slice(0, MIB), 8 * MIB),
    'a longer volume': (volume) => fill(new Uint8Array(volume.length + MIB), volume, 0),
    'a shorter volume': (volume) => volume.slice(0, 16 * MIB + 5),
  }
}

describe.each(Object.entries(CHUNKERS))('a backup after another one, in %s', (_, chunker) => {
  it.each(Object.keys(changesOf(() => 0)))(`finds %s (seed ${SEED})`, async (change) => {
    const repository = await newRepository({ chunker })
    const before = image()
    const after = changesOf(numbers(SEED))[change]!(before)
    await opened(repository, async (open) => {
      await open.backup(fileOf(before), { volume: 'v' })
      const compared = await open.backup(fileOf(after), { volume: 'v' })
      const oracle = await open.backup(fileOf(after), { volume: 'another name' })
      expect(compared.digest).toBe(oracle.digest)
      expect(oracle.newBytes).toBe(0)
      if (change === 'nothing') expect(compared).toMatchObject({ newBytes: 0, storedBytes: 0, readBytes: before.length })
      expect(Buffer.compare(await restored(open, compared.id), after)).toBe(0)
    })
  })
})

describe('a last backup that lost something', () => {
  it.each(['packs/', 'index/'])('under %s costs the next one time, not content', async (prefix) => {
    const repository = await newRepository({ chunker: CHUNKERS['fixed chunks']! })
    const volume = image()
    await opened(repository, (open) => open.backup(fileOf(volume), { volume: 'v' }))
    for (const name of namesUnder(repository.objects, prefix)) {
      const copy = copyOf(repository)
      copy.objects.delete(name)
      await opened(copy, async (open) => {
        const { id } = await open.backup(fileOf(volume), { volume: 'v' })
        expect(Buffer.compare(await restored(open, id), volume), name).toBe(0)
      })
    }
  })

  it('in a pack that still has its length is not noticed by the next backup, but by verify', async () => {
    const repository = await newRepository({ chunker: CHUNKERS['fixed chunks']! })
    const volume = image()
    await opened(repository, (open) => open.backup(fileOf(volume), { volume: 'v' }))
    const [name] = namesUnder(repository.objects, 'packs/')
    repository.objects.set(
      name!,
      repository.objects.get(name!)!.map((byte, at) => (at === 5000 ? byte ^ 1 : byte)),
    )
    await opened(repository, async (open) => {
      const { id } = await open.backup(fileOf(volume), { volume: 'v' })
      const { errors } = await open.verify({ readData: true })
      expect(errors).toMatchObject([{ object: name, code: 'OBJECT_DAMAGED' }])
      expect(errors[0]?.backups).toContain(id)
    })
  })
})
