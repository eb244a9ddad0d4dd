/** What the suites of `edge-suite.ts` are over: the edge's core and the fallback, its storages, its sources. */
import { loadCore } from '../../adapters/edge/core.ts'
import { blobVolume, type CoreSource, createHttpStorage, createMemoryStorage, createStorage, fetchVolume, streamVolume } from '../../adapters/edge/index.ts'
import { createFallbackCore } from '../../src/core/fallback.ts'
import { mapFunctions } from '../storage/map-functions.ts'
import { coreSuite } from '../suites/core.ts'
import { storageSuite } from '../suites/storage.ts'
import { volumeReadSuite } from '../suites/volume-file.ts'
import type { EdgeSuiteName } from './edge-hosts.ts'

interface Place {
  url: string
  core: CoreSource
}

export const EDGE_SUITES_OF: Readonly<Record<EdgeSuiteName, (place: Place) => void>> = {
  core({ core: source }) {
    const make = async () => {
      const core = await loadCore(source)
      if (core.kind !== 'wasm') throw new Error('The fallback was loaded where the WASM core should run.')
      return core
    }
    coreSuite('WASM', make, { written: ['zlib', 'bz2', 'zstd'], read: ['zlib', 'bz2', 'zstd'] })
  },
  'fallback core': () => coreSuite('fallback', createFallbackCore, { written: ['zlib'], read: ['zlib', 'zstd'] }),
  storage({ url }) {
    storageSuite('memory', async () => {
      const objects = new Map<string, Uint8Array<ArrayBuffer>>()
      return { storage: createMemoryStorage(objects), again: () => createMemoryStorage(objects) }
    })
    storageSuite('HTTP', async () => {
      await request(`${url}clear`)
      const open = () => createHttpStorage({ url, writable: true })
      return { storage: open(), again: open }
    })
    storageSuite('four functions', async () => {
      const objects = new Map<string, Uint8Array<ArrayBuffer>>()
      return { storage: createStorage(mapFunctions(objects)), again: () => createStorage(mapFunctions(objects)) }
    })
  },
  'volume file'({ url }) {
    volumeReadSuite('that is a Blob', 'file', async (bytes) => blobVolume(new Blob([bytes])))
    volumeReadSuite('that is a stream', 'file', async (bytes) => streamVolume(new Blob([bytes]).stream(), bytes.length))
    volumeReadSuite('behind an address', 'file', async (bytes) => {
      await request(`${url}volume`, { method: 'PUT', body: bytes })
      return fetchVolume(`${url}volume`)
    })
  },
}

async function request(url: string, init?: RequestInit): Promise<void> {
  const { status } = await fetch(url, init)
  if (status >= 300) throw new Error(`Status ${status} of ${url}`)
}
