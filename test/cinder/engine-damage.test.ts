/** Every damage to a stored chain: no target with other content is touched, verify names the object, and no import gets through. */
import { deflateSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import type { ChainMember } from '../../src/cinder/chain.ts'
import { chainVolume } from '../../src/cinder/chain-volume.ts'
import type { CompressionName } from '../../src/cinder/compression.ts'
import { measureLengths } from '../../src/cinder/measure-lengths.ts'
import { dataObjectName } from '../../src/cinder/names.ts'
import { createObjectList, type ObjectEntry } from '../../src/cinder/object-list.ts'
import { planRestore } from '../../src/cinder/restore-plan.ts'
import { restoreChain } from '../../src/cinder/restore-chain.ts'
import { verifyBackup } from '../../src/cinder/verify-backup.ts'
import { BlockvaultError } from '../../src/contract/errors.ts'
import type { ObjectStore } from '../../src/contract/object-store.ts'
import type { Port } from '../../src/contract/port.ts'
import type { VolumeFile } from '../../src/contract/volume.ts'
import { createMemoryObjects, type MemoryContainers } from '../../src/storage/memory-objects.ts'
import { startWorker } from '../io/support/worker.ts'
import { coded, codeOf } from '../repository/support/repositories.ts'
import { noise } from '../repository/support/random.ts'
import { handleOf } from '../repository/support/volumes.ts'
import { backUp, CONTAINER, COMPRESSIONS, now, portsOf, random, restoredOver, same } from './support/engine.ts'
import { prefixOf } from './support/manifests.ts'
import { watchedObjects } from './support/watched-objects.ts'

const ports = await portsOf(2)
afterAll(() => Promise.all(ports.map((port) => port.close())))

type Objects = Map<string, Uint8Array<ArrayBuffer>>

/** A full backup and two incrementals, and what a restore of the last one gives. */
async function chainWith(compression: CompressionName) {
  const containers: MemoryContainers = new Map()
  const store = createMemoryObjects(containers)
  // Four bits a byte: every algorithm makes it smaller.
  const volume = noise(5, 300_000).map((byte) => byte & 15)
  const chain: ChainMember[] = []
  for (const number of [1, 2, 3]) {
    if (number > 1)
      volume.set(
        noise(number, 30_000).map((byte) => byte & 3),
        number * 50_000,
      )
    chain.push(await backUp(volume, { store, ports, number, compression }))
  }
  return { store, chain, volume, objects: containers.get(CONTAINER) as Objects }
}

/** A target that keeps what is written, and was full of something else. */
function memoryTarget(bytes: Uint8Array): VolumeFile {
  return {
    ...handleOf(bytes),
    size: bytes.length,
    writeAt: async (offset, part) => bytes.set(part, offset),
    punchHole: async (offset, length) => void bytes.fill(0, offset, offset + length),
  }
}

const DAMAGE_CODES = ['OBJECT_DAMAGED', 'OBJECT_MISSING']

/** Restores over other content: it must be refused and leave the target as it was; and read in order: refused before the last byte. */
async function refusesToRestore(store: ObjectStore, chain: readonly ChainMember[], name?: string) {
  const before = noise(1, 300_000)
  for (const checkFirst of [true, false]) {
    const target = before.slice()
    const restore = restoreChain(planRestore(chain), { store, ports, target: memoryTarget(target), startsZero: false, checkFirst, now, random })
    const error = await restore.then(
      () => undefined,
      (error: unknown) => error,
    )
    expect(error).toEqual(coded(...DAMAGE_CODES))
    if (name) expect((error as BlockvaultError).details['object']).toBe(name)
    if (checkFirst) expect(same(target, before), 'nothing is written').toBe(true)
  }
  const file = chainVolume(planRestore(chain), { store, ports })
  expect(DAMAGE_CODES).toContain(await codeOf(file.readAt(0, file.size)))
  await file.close()
}

for (const compression of COMPRESSIONS) {
  describe(`a chain with ${compression}, damaged`, async () => {
    const { store, chain, objects, volume } = await chainWith(compression)
    const needed = { 'the full backup': dataObjectName(prefixOf(1), 1), 'the last one': dataObjectName(prefixOf(3), 1) }

    it('is whole before anything is', async () => {
      expect(same(await restoredOver(chain, { store, ports }), volume)).toBe(true)
    })

    for (const [whose, name] of Object.entries(needed)) {
      const stored = objects.get(name)!
      const member = chain.find(({ prefix }) => name.startsWith(prefix))!
      const flipped = (at: number) => stored.map((byte, index) => (index === at ? byte ^ (1 << (at % 8)) : byte))
      const extended = Uint8Array.from([...stored, ...noise(2, 50)])
      const damages: [string, Uint8Array<ArrayBuffer> | undefined][] = [
        // The last byte of a bzip2 stream has bits that mean nothing.
        ...[0, 1, stored.length >> 2, stored.length >> 1, stored.length - 2].map((at): [string, Uint8Array<ArrayBuffer>] => [
          `a bit of byte ${at} flipped`,
          flipped(at),
        ]),
        ...[0, 1, stored.length >> 1, stored.length - 1].map((length): [string, Uint8Array<ArrayBuffer>] => [
          `cut to ${length} bytes`,
          stored.slice(0, length),
        ]),
        ['zeros of its length', new Uint8Array(stored.length)],
        ['noise of its length', noise(3, stored.length)],
        ['replaced by its neighbour', objects.get(name.replace(/1$/, '2'))!],
        ['a stream that gives a thousand times as much', new Uint8Array(deflateSync(new Uint8Array(100_000_000)))],
        ['removed', undefined],
      ]
      // What follows a zlib stream, or bzip2 streams, is ignored, as Cinder does.
      if (compression === 'none' || compression === 'zstd') damages.push(['junk added', extended])

      for (const [title, bytes] of damages) {
        it(`${whose}: ${title}`, async () => {
          if (bytes) objects.set(name, new Uint8Array(bytes))
          else objects.delete(name)
          try {
            await refusesToRestore(store, chain, name)
            const { findings } = await verifyBackup(member, { store, ports, now })
            expect(findings.map(({ object }) => object)).toEqual([name])
            expect(DAMAGE_CODES).toContain(findings[0]!.code)
          } finally {
            objects.set(name, stored)
          }
        })
      }
      if (compression === 'zlib' || compression === 'bz2') {
        it(`${whose}: junk added is ignored`, async () => {
          objects.set(name, extended)
          try {
            expect(same(await restoredOver(chain, { store, ports }), volume)).toBe(true)
          } finally {
            objects.set(name, stored)
          }
        })
      }

      it(`${whose}: a manifest that says another MD5, length or compression`, async () => {
        const others = COMPRESSIONS.filter((other) => other !== member.manifest.objects.compression(0))
        for (const change of [{ md5: '0'.repeat(32) }, ...others.map((other) => ({ compression: other }))]) {
          await refusesToRestore(store, withEntry(chain, member, 0, change), name)
        }
        const { length } = member.manifest.objects.entry(0)
        for (const wrong of [length! - 1, length! + 1]) {
          const restore = (async () => restoredOver(withEntry(chain, member, 0, { length: wrong }), { store, ports }))()
          await expect(restore, `${wrong} bytes`).rejects.toEqual(coded('OBJECT_DAMAGED', 'InvalidBackup'))
        }
      })
    }

    it('between being checked and being written, nothing of the piece that changed is written', async () => {
      const name = needed['the full backup']
      const before = noise(1, 300_000)
      const target = before.slice()
      let opened = 0
      const changing: ObjectStore = {
        ...store,
        async open(container, object, options) {
          const reader = await store.open(container, object, options)
          if (object !== name || ++opened < 2) return reader
          return {
            ...reader,
            async read(offset, length) {
              const bytes = await reader.read(offset, length)
              bytes[bytes.length >> 1]! ^= 1
              return bytes
            },
          }
        },
      }
      const restore = restoreChain(planRestore(chain), { store: changing, ports, target: memoryTarget(target), startsZero: false, now, random })
      await expect(restore).rejects.toMatchObject({ code: 'OBJECT_DAMAGED', details: { object: name } })
      expect(opened).toBe(2)
      const { offset, length } = chain[0]!.manifest.objects.entry(0)
      expect(same(target.subarray(offset, offset + length!), before.subarray(offset, offset + length!))).toBe(true)
    })
  })
}

/** The chain with one entry of one manifest changed. */
function withEntry(chain: readonly ChainMember[], member: ChainMember, index: number, change: Partial<ObjectEntry>): ChainMember[] {
  return chain.map((each) => {
    if (each !== member) return each
    const entries = [...each.manifest.objects].map((entry, at) => (at === index ? { ...entry, ...change } : entry))
    return { ...each, manifest: { ...each.manifest, objects: createObjectList(entries) } }
  })
}

describe('one object of several segments, which one worker decodes and another one digests', () => {
  it.each(['none', 'zlib', 'zstd'] as const)('with %s: restores whole, and not damaged', { timeout: 60_000 }, async (compression) => {
    const containers: MemoryContainers = new Map()
    const store = createMemoryObjects(containers)
    // Half of it zeros: segments that are short when they are stored, and segments that are not.
    const volume = new Uint8Array(17_000_000)
    volume.set(
      noise(1, 9_000_000).map((byte) => byte & 15),
      4_000_000,
    )
    const chain = [await backUp(volume, { store, ports, number: 1, compression, objectBytes: 32_768 * 600, blockBytes: 32_768 })]
    const options = { store, ports, now, random }
    const before = noise(2, 17_000_000)
    const whole = async () => {
      for (const checkFirst of [true, false]) expect(same(await restoredOver(chain, { store, ports, checkFirst, before }), volume)).toBe(true)
      const file = chainVolume(planRestore(chain), { store, ports })
      expect(same(Buffer.concat([await file.readAt(0, 12_000_001), await file.readAt(12_000_001, file.size)]), volume)).toBe(true)
      await file.close()
      expect((await verifyBackup(chain[0]!, options)).findings).toEqual([])
    }
    const refused = async (damaged: readonly ChainMember[]) => {
      const target = before.slice()
      const restore = restoreChain(planRestore(damaged), { ...options, target: memoryTarget(target), startsZero: false })
      await expect(restore).rejects.toEqual(coded('OBJECT_DAMAGED'))
      expect(same(target, before)).toBe(true)
      const file = chainVolume(planRestore(damaged), { store, ports })
      expect(await codeOf(file.readAt(0, file.size))).toBe('OBJECT_DAMAGED')
      await file.close()
      expect((await verifyBackup(damaged[0]!, options)).findings.map(({ code }) => code)).toEqual(['OBJECT_DAMAGED'])
    }
    await whole()
    await refused(withEntry(chain, chain[0]!, 0, { md5: 'f'.repeat(32) }))
    const objects = containers.get(CONTAINER) as Objects
    const name = dataObjectName(prefixOf(1), 1)
    const stored = objects.get(name)!
    for (const at of [0, stored.length >> 1, stored.length - 2]) {
      objects.set(name, new Uint8Array(stored.map((byte, index) => (index === at ? byte ^ 4 : byte))))
      await refused(chain)
    }
    objects.set(name, stored)
    // What failed left nothing behind that the next one would go on with.
    await whole()
  })
})

describe('a restore', async () => {
  const { store, chain, volume } = await chainWith('zlib')
  const options = { ports, startsZero: false, now, random }

  it('to a target that is too small is refused before anything is read', async () => {
    const watched = watchedObjects(store, {
      before({ method }) {
        throw new Error(`${method} was called`)
      },
    })
    const target = memoryTarget(new Uint8Array(299_999))
    await expect(restoreChain(planRestore(chain), { ...options, store: watched, target })).rejects.toEqual(coded('InvalidBackup'))
  })

  it('that is cancelled, or told to stop, while objects are checked leaves the target as it was; later it ends at once', async () => {
    const before = noise(1, 300_000)
    for (const by of ['signal', 'check'] as const) {
      let checks = Infinity
      for (let at = 1; at < checks; at++) {
        const abort = new AbortController()
        const target = before.slice()
        let asked = 0
        const check = async () => {
          if (++asked < at) return
          if (by === 'check') throw new BlockvaultError('BackupRestoreCancel', 'The status changed.')
          abort.abort()
        }
        const code = await codeOf(restoreChain(planRestore(chain), { ...options, store, target: memoryTarget(target), check, signal: abort.signal }))
        if (code === undefined) {
          checks = asked
          break
        }
        expect(code).toBe(by === 'check' ? 'BackupRestoreCancel' : 'CANCELLED')
        if (at <= planRestore(chain).objects) expect(same(target, before), `${by} ${at}`).toBe(true)
      }
      expect(checks).toBeGreaterThan(planRestore(chain).objects * 2)
    }
  })

  it('whose worker dies fails with WORKER_FAILED', async () => {
    for (let at = 1; at < 12; at += 3) {
      const [dying, other] = [startWorker(), startWorker()]
      let calls = 0
      const call: Port['call'] = (operation, argument, transfer) => {
        const answer = dying.port.call(operation, argument, transfer)
        if (++calls === at) void dying.kill()
        return answer
      }
      const target = memoryTarget(noise(1, 300_000))
      const code = await codeOf(restoreChain(planRestore(chain), { ...options, ports: [{ ...dying.port, call }, other.port], store, target }))
      if (calls >= at) expect(['WORKER_FAILED', undefined]).toContain(code)
      await other.port.close()
    }
  })

  it('reports bytes that go up to all that is read', async () => {
    const plan = planRestore(chain)
    for (const checkFirst of [true, false]) {
      const seen: number[] = []
      const onProgress = ({ doneBytes, totalBytes }: { doneBytes: number; totalBytes: number }) => {
        expect(totalBytes).toBe(plan.plainBytes * (checkFirst ? 2 : 1))
        seen.push(doneBytes)
      }
      let clock = 0
      const target = memoryTarget(new Uint8Array(300_000))
      await restoreChain(plan, { ...options, store, target, checkFirst, startsZero: true, now: () => (clock += 50), onProgress })
      expect(seen).toEqual([...seen].sort((left, right) => left - right))
      expect(seen.at(-1)).toBe(plan.plainBytes * (checkFirst ? 2 : 1))
    }
  })

  it('needs neither MD5 nor length in a manifest, and decodes to find the lengths', async () => {
    for (const compression of COMPRESSIONS) {
      const made = await chainWith(compression)
      const bare = made.chain.map((member) => ({
        ...member,
        manifest: {
          ...member.manifest,
          objects: createObjectList([...member.manifest.objects].map((entry) => ({ ...entry, md5: undefined, length: undefined }))),
        },
      }))
      expect(() => planRestore(bare)).toThrow(coded('InvalidBackup'))
      await measureLengths(bare, { store: made.store, ports, volumeBytes: 300_000 })
      expect(same(await restoredOver(bare, { store: made.store, ports }), made.volume)).toBe(true)
    }
  })

  it('finds no length beyond the end of the volume', async () => {
    const bare = chain.map((member) => withEntry([member], member, 0, { length: undefined })[0]!)
    await expect(measureLengths(bare, { store, ports, volumeBytes: 10_000 })).rejects.toEqual(coded('OBJECT_DAMAGED'))
  })

  it('is the volume that was backed up, once more', async () => {
    expect(same(await restoredOver(chain, { store, ports, before: noise(9, 300_000) }), volume)).toBe(true)
  })
})
