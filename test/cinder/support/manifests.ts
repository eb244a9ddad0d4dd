/** Manifests and stores made by hand, for what Cinder would never write. */
import type { ChainMember } from '../../../src/cinder/chain.ts'
import type { CompressionName } from '../../../src/cinder/compression.ts'
import { encodeManifest, type Manifest } from '../../../src/cinder/metadata.ts'
import { dataObjectName } from '../../../src/cinder/names.ts'
import { createObjectList, type ObjectEntry } from '../../../src/cinder/object-list.ts'
import { createMemoryObjects, type MemoryContainers } from '../../../src/storage/memory-objects.ts'
import type { ObjectStore } from '../../../src/contract/object-store.ts'

export const VOLUME_ID = '11111111-1111-4111-8111-111111111111'

export function backupIdOf(number: number): string {
  return `${number.toString(16).padStart(8, '0')}-2222-4222-8222-222222222222`
}

export function prefixOf(number: number, volumeId = VOLUME_ID): string {
  return `volume_${volumeId}_20240110000509_backup_${backupIdOf(number)}`
}

/** Extents as `[offset, length]`, numbered in this order. */
export function entriesOf(extents: readonly (readonly [offset: number, length: number])[], compression: CompressionName = 'none'): ObjectEntry[] {
  return extents.map(([offset, length], index) => ({ number: index + 1, offset, length, compression, md5: undefined }))
}

export function manifestOf(number: number, entries: Iterable<ObjectEntry>, fields: Partial<Manifest> = {}): Manifest {
  return {
    version: '1.0.0',
    backupId: backupIdOf(number),
    volumeId: VOLUME_ID,
    backupName: null,
    backupDescription: null,
    createdAt: '2024-01-10 00:05:09+00:00',
    parentId: number === 1 ? null : backupIdOf(number - 1),
    objects: createObjectList(entries),
    volumeMeta: null,
    ...fields,
  }
}

/** Backup `number` builds on the one before; 1 is full. */
export function memberOf(number: number, extents: readonly (readonly [number, number])[], fields: Partial<Manifest> = {}): ChainMember {
  return { container: 'backups', prefix: prefixOf(number), manifest: manifestOf(number, entriesOf(extents), fields) }
}

export interface MadeStore {
  store: ObjectStore
  containers: MemoryContainers
  put(container: string, name: string, content: string | Uint8Array): void
  /** Puts the manifest, and a data object of zeros for every entry, as long as the entry says. */
  putBackup(member: ChainMember): void
}

export function madeStore(): MadeStore {
  const containers: MemoryContainers = new Map()
  const made: MadeStore = {
    store: createMemoryObjects(containers),
    containers,
    put(container, name, content) {
      const objects = containers.get(container) ?? new Map<string, Uint8Array<ArrayBuffer>>()
      objects.set(name, new Uint8Array(typeof content === 'string' ? new TextEncoder().encode(content) : content))
      containers.set(container, objects)
    },
    putBackup({ container, prefix, manifest }) {
      for (const { number, length = 0 } of manifest.objects) made.put(container, dataObjectName(prefix, number), new Uint8Array(length))
      made.put(container, `${prefix}_metadata`, Buffer.concat([...encodeManifest(manifest, prefix)]))
    },
  }
  return made
}
