/**
 * The volume's last backup, leaf by leaf: what a worker compares a segment with. Change tags decide, so an unchanged chunk costs
 * a quarter of a fingerprint; what is reused is the fingerprint that the last backup's map names.
 *
 * Invariant: a chunk is reused only while the repository holds it. A last backup that is damaged only makes this one slower.
 */
import { CHANGE_TAG_BYTES, type ChunkerOptions, FINGERPRINT_BYTES } from '../contract/core.ts'
import { BlockvaultError } from '../contract/errors.ts'
import { concatBytes } from '../core/bytes.ts'
import type { KnownChunks, SegmentScan } from '../pipeline/scan-pieces.ts'
import { type ChunkReader, createChunkReader } from './chunk-reader.ts'
import type { RepositoryContext } from './context.ts'
import { MAP_FANOUT } from './format.ts'
import { asDamage } from './findings.ts'
import { type Manifest, manifestRoot } from './manifest.ts'
import { decodeNode, type MapEntry, type NodeReference } from './map-node.ts'
import { readManifests } from './reference.ts'

export interface LastBackup {
  /** The chunks of a segment of this length; `undefined` when they are of no use: another length, lost or damaged. */
  leaf(segment: number, length: number): Promise<KnownLeaf | undefined>
}

export interface KnownLeaf {
  known: KnownChunks
  /** Gives the unchanged chunks of the scan their fingerprints. */
  fill(scan: SegmentScan): void
}

/** The newest readable backup of the volume, if there is one. */
export async function findLastBackup(context: RepositoryContext, volume: string, signal: AbortSignal | undefined): Promise<LastBackup | undefined> {
  const manifests = await readManifests(context.storage, context.sealer, () => {}, signal)
  const newest = manifests.find((manifest) => manifest.volume === volume)
  return newest && openLastBackup(context, newest, signal)
}

function openLastBackup(context: RepositoryContext, manifest: Manifest, signal: AbortSignal | undefined): LastBackup {
  const { config, index } = context
  const reader = createChunkReader(context, signal)
  const references = createLeafReferences(manifest, config.segmentBytes, reader)
  return {
    async leaf(segment, length) {
      if (Math.min(config.segmentBytes, manifest.volumeBytes - segment * config.segmentBytes) !== length) return undefined
      try {
        const reference = await references(segment)
        const entries = reference ? decodeNode(await reader.read(reference), 0, length) : [{ count: length, reference: undefined }]
        if (typeof entries === 'string') return undefined
        const chunks = chunksOf(entries, config.chunker)
        const stored = chunks.flatMap(({ reference }) => (reference ? [reference] : []))
        if (index.chunks.has(concatBytes(stored), stored.length).includes(0)) return undefined
        return knownLeaf(chunks)
      } catch (error) {
        asDamage(error)
        return undefined
      }
    },
  }
}

/** A run of zeros is one entry of a leaf; with fixed cuts it is chunks again, so that each can be found changed alone. */
function chunksOf(entries: readonly MapEntry[], chunker: ChunkerOptions): MapEntry[] {
  if (chunker.kind !== 'fixed') return [...entries]
  const { size } = chunker
  return entries.flatMap((entry) => {
    if (entry.reference || entry.count <= size) return [entry]
    return Array.from({ length: Math.ceil(entry.count / size) }, (_, chunk) => ({ count: Math.min(size, entry.count - chunk * size), reference: undefined }))
  })
}

function knownLeaf(chunks: readonly MapEntry[]): KnownLeaf {
  const known: KnownChunks = {
    lengths: Uint32Array.from(chunks, ({ count }) => count),
    zero: Uint8Array.from(chunks, ({ reference }) => (reference ? 0 : 1)),
    changeTags: new Uint8Array(chunks.length * CHANGE_TAG_BYTES),
  }
  for (const [chunk, { changeTag }] of chunks.entries()) if (changeTag) known.changeTags.set(changeTag, chunk * CHANGE_TAG_BYTES)
  return {
    known,
    fill(scan) {
      for (const [chunk, unchanged] of scan.unchanged.entries()) {
        const reference = unchanged ? chunks[chunk]?.reference : undefined
        if (reference) scan.fingerprints.set(reference, chunk * FINGERPRINT_BYTES)
      }
    },
  }
}

/** Looks leaves up by segment. The last node of each level is kept: segments come nearly in order. */
function createLeafReferences(manifest: Manifest, segmentBytes: number, reader: ChunkReader): (segment: number) => Promise<NodeReference> {
  const root = manifestRoot(manifest)
  const kept = new Map<number, { node: number; children: Promise<NodeReference[]> }>()

  const referenceAt = async (level: number, node: number): Promise<NodeReference> => {
    if (level === root.level) return root.reference
    const parent = Math.floor(node / MAP_FANOUT)
    let last = kept.get(level + 1)
    if (last?.node !== parent) kept.set(level + 1, (last = { node: parent, children: childrenOf(level + 1, parent) }))
    return (await last.children)[node % MAP_FANOUT]
  }
  const childrenOf = async (level: number, node: number): Promise<NodeReference[]> => {
    const reference = await referenceAt(level, node)
    if (!reference) return []
    const childBytes = segmentBytes * MAP_FANOUT ** (level - 1)
    const nodeBytes = Math.min(childBytes * MAP_FANOUT, manifest.volumeBytes - node * childBytes * MAP_FANOUT)
    const entries = decodeNode(await reader.read(reference), level, Math.ceil(nodeBytes / childBytes))
    if (typeof entries === 'string') throw new BlockvaultError('OBJECT_DAMAGED', `A node of the volume map is damaged: ${entries}.`)
    return entries.flatMap(({ count, reference }) => Array.from({ length: count }, () => reference))
  }
  return (segment) => referenceAt(0, segment)
}
