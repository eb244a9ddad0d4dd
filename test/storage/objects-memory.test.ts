import { expect, it } from 'vitest'
import { createMemoryObjects, type MemoryContainers } from '../../src/storage/memory-objects.ts'
import { objectStoreSuite, putObject } from '../suites/object-store.ts'

objectStoreSuite('memory', async () => {
  const places: MemoryContainers = new Map()
  return { store: createMemoryObjects(places), again: () => createMemoryObjects(places) }
})

it('a memory object store keeps its objects where the caller gave it room', async () => {
  const places: MemoryContainers = new Map([['c', new Map([['one', Uint8Array.of(1)]])]])
  const store = createMemoryObjects(places)
  await putObject(store, 'c', 'two', Uint8Array.of(2))
  expect([...(places.get('c') as Map<string, Uint8Array>)]).toEqual([
    ['one', Uint8Array.of(1)],
    ['two', Uint8Array.of(2)],
  ])
})
