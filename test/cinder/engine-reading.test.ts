/** A chain that is read in volume order, and backups that are checked without restoring them. */
import { afterAll, describe, expect, it } from 'vitest'
import type { ChainMember } from '../../src/cinder/chain.ts'
import { chainVolume } from '../../src/cinder/chain-volume.ts'
import { sha256FileName } from '../../src/cinder/names.ts'
import { planRestore } from '../../src/cinder/restore-plan.ts'
import { verifyBackup } from '../../src/cinder/verify-backup.ts'
import { createMemoryObjects, type MemoryContainers } from '../../src/storage/memory-objects.ts'
import { coded, codeOf } from '../repository/support/repositories.ts'
import { noise } from '../repository/support/random.ts'
import { backUp, CONTAINER, now, portsOf, same } from './support/engine.ts'
import { backupIdOf, prefixOf } from './support/manifests.ts'
import { watchedObjects } from './support/watched-objects.ts'

const ports = await portsOf(2)
afterAll(() => Promise.all(ports.map((port) => port.close())))
const BLOCK = 4096

/** Each backup changes all blocks but the outermost ones of the one before: every backup has two parts of the volume, around the next. */
async function onion(backups: number, compression: 'zlib' | 'none' = 'zlib') {
  const containers: MemoryContainers = new Map()
  const store = createMemoryObjects(containers)
  const volume = new Uint8Array(BLOCK * backups * 2)
  const chain: ChainMember[] = []
  for (let number = 1; number <= backups; number++) {
    const from = (number - 1) * BLOCK
    volume.set(
      noise(number, volume.length - from * 2).map((byte) => byte & 15),
      from,
    )
    chain.push(await backUp(volume, { store, ports, number, compression, objectBytes: 1024 * BLOCK, blockBytes: BLOCK }))
  }
  return { store, chain, volume, objects: containers.get(CONTAINER)! }
}

describe('a chain that is read in order', async () => {
  const deep = await onion(30)
  const plan = planRestore(deep.chain)

  it('has a bounded number of objects open, also when all of them are needed twice', async () => {
    let open = 0
    let most = 0
    const opened: string[] = []
    const { store } = deep
    const counted = {
      ...store,
      async open(container: string, name: string) {
        const reader = await store.open(container, name)
        opened.push(name)
        most = Math.max(most, ++open)
        return {
          ...reader,
          async close() {
            open--
            await reader.close()
          },
        }
      },
    }
    const file = chainVolume(plan, { store: counted, ports })
    const half = await file.readAt(0, file.size / 2)
    expect(most).toBeLessThanOrEqual(16)
    expect(same(Buffer.concat([half, await file.readAt(file.size / 2, file.size)]), deep.volume)).toBe(true)
    await file.close()
    expect(open).toBe(0)
    // Those that were closed in between were opened again.
    expect(new Set(opened).size).toBe(30)
    expect(opened.length).toBeGreaterThan(30)
  })

  it('refuses to read a place twice, and to be written to', async () => {
    const file = chainVolume(plan, { store: deep.store, ports })
    await file.readAt(0, 5000)
    await expect(file.readAt(0, 5000)).rejects.toEqual(coded('USAGE'))
    await expect(file.readAt(4999, 1)).rejects.toEqual(coded('USAGE'))
    await expect(file.writeAt(0, new Uint8Array(1))).rejects.toEqual(coded('TARGET_UNSUPPORTED'))
    await expect(file.punchHole(0, 1)).rejects.toEqual(coded('TARGET_UNSUPPORTED'))
    expect(await file.readAt(file.size, 10)).toHaveLength(0)
    await file.close()
  })

  it('is read by its position too', async () => {
    const file = chainVolume(plan, { store: deep.store, ports })
    const parts: Uint8Array[] = []
    for (let bytes = await file.read(10_007); bytes.length > 0; bytes = await file.read(10_007)) parts.push(bytes)
    expect(same(Buffer.concat(parts), deep.volume)).toBe(true)
    await file.close()
  })

  it('ends reads that wait when it is closed', async () => {
    const file = chainVolume(plan, { store: deep.store, ports })
    const waiting = codeOf(file.readAt(100, 100))
    await file.close()
    expect(await waiting).toBe('CLOSED')
    expect(await codeOf(file.readAt(0, 1))).toBe('CLOSED')
  })

  it('fails every read once one failed, and opens nothing more', async () => {
    let opened = 0
    const failing = watchedObjects(deep.store, {
      before({ method, name }) {
        if (method === 'open') opened++
        if (method === 'open' && name.startsWith(prefixOf(5))) throw new Error('the test let it fail')
      },
    })
    const file = chainVolume(plan, { store: failing, ports })
    const reads = await Promise.allSettled(Array.from({ length: 60 }, (_, block) => file.readAt(block * BLOCK, BLOCK)))
    // A piece is held back until the next is there: the last one before the failure is not given.
    expect(reads.findIndex(({ status }) => status === 'rejected')).toBe(3)
    expect(reads.slice(3).every(({ status }) => status === 'rejected')).toBe(true)
    expect(opened).toBe(5)
    await file.close()
  })

  it('is cancelled by its signal', async () => {
    const abort = new AbortController()
    const file = chainVolume(plan, { store: deep.store, ports, signal: abort.signal })
    await file.readAt(0, 10)
    abort.abort()
    expect(await codeOf(file.readAt(10, file.size - 10))).toBe('CANCELLED')
    await file.close()
  })
})

describe('a backup that is checked', async () => {
  const { store, chain, objects } = await onion(3)
  const hashName = sha256FileName(prefixOf(2))
  const kept = objects.get(hashName)!
  const text = () => new TextDecoder().decode(kept)
  const check = async (content: string | undefined, index = 1) => {
    if (content === undefined) objects.delete(hashName)
    else objects.set(hashName, new TextEncoder().encode(content))
    try {
      return (await verifyBackup(chain[index]!, { store, ports, now, parent: chain[index - 1] })).findings.map(({ object, code, message }) => ({
        object,
        code,
        message,
      }))
    } finally {
      objects.set(hashName, kept)
    }
  }
  const hashes = JSON.parse(text()).sha256s as string[]
  const replaced = (block: number) => text().replace(hashes[block]!, 'ab'.repeat(32))

  it('has no findings while it is whole', async () => {
    expect(await check(text())).toEqual([])
    expect(await check(text(), 2)).toEqual([])
  })

  it('has one for a block whose hash is another: one that it stores, and one that only its parent has', async () => {
    expect(await check(replaced(2))).toEqual([
      { object: `${prefixOf(2)}-00001`, code: 'OBJECT_DAMAGED', message: expect.stringContaining(`the block at offset ${2 * BLOCK} of the volume`) },
    ])
    expect(await check(replaced(5))).toEqual([
      { object: hashName, code: 'InvalidBackup', message: expect.stringContaining(`the block at offset ${5 * BLOCK} is not stored in this backup`) },
    ])
  })

  it('has one for a parent that is not the one it was made on', async () => {
    // The first block, which only the first backup stores, was another when the third was made.
    expect(await check(replaced(0), 2)).toEqual([
      { object: sha256FileName(prefixOf(3)), code: 'InvalidBackup', message: expect.stringContaining(`parent ${backupIdOf(2)}`) },
    ])
  })

  it('has one for hashes that are missing, are none, or are not its own', async () => {
    for (const [content, code] of [
      [undefined, 'OBJECT_MISSING'],
      ['', 'InvalidBackup'],
      [text().slice(0, -100), 'InvalidBackup'],
      [text().replaceAll(backupIdOf(2), backupIdOf(7)), 'InvalidBackup'],
      [text().replace('"chunk_size": 4096', '"chunk_size": 3000'), 'InvalidBackup'],
      // It ends before the extent that the backup stores.
      [text().replace(`"${hashes.at(-3)}",\n    "${hashes.at(-2)}",\n    "${hashes.at(-1)}"`, `"${hashes.at(-3)}"`), 'InvalidBackup'],
      [text().replace(hashes[0]!, 'no hash'), 'InvalidBackup'],
    ] as const) {
      const findings = await check(content)
      expect(findings.map(({ object, code }) => ({ object, code }))).toEqual([{ object: hashName, code }])
    }
  })

  it('has no more than it is asked for', async () => {
    const many = await onion(2, 'none')
    const volume = new Uint8Array(40 * BLOCK)
    const member = await backUp(volume, { store: many.store, ports, number: 9, parent: 0, objectBytes: BLOCK, blockBytes: BLOCK })
    for (const name of [...many.objects.keys()]) if (name.startsWith(`${prefixOf(9)}-`)) many.objects.set(name, noise(1, BLOCK))
    expect((await verifyBackup(member, { store: many.store, ports, now })).findings).toHaveLength(40)
    expect((await verifyBackup(member, { store: many.store, ports, now, findingsMax: 7 })).findings).toHaveLength(7)
  })

  it('is not checked to its end when that is cancelled', async () => {
    const abort = new AbortController()
    abort.abort()
    await expect(verifyBackup(chain[0]!, { store, ports, now, signal: abort.signal })).rejects.toEqual(coded('CANCELLED'))
  })
})
