import { expect, it } from 'vitest'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { storageSuite } from '../suites/storage.ts'

storageSuite('memory', async () => {
  const objects = new Map<string, Uint8Array<ArrayBuffer>>()
  return { storage: createMemoryStorage(objects), again: () => createMemoryStorage(objects) }
})

it('a memory storage keeps its objects where the caller gave it room', async () => {
  const objects = new Map([['config', Uint8Array.of(1)]])
  const storage = createMemoryStorage(objects)
  await storage.put('backups/one', [Uint8Array.of(2)])
  expect(await storage.get('config', { bytesMax: 1 })).toEqual(Uint8Array.of(1))
  expect([...objects.keys()]).toEqual(['config', 'backups/one'])
})
