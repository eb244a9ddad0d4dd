/** Gathers map nodes that are new into frames of their own, apart from data: reading a map then touches few frames. */
import { type Core, FINGERPRINT_BYTES } from '../contract/core.ts'
import { concatBytes } from '../core/bytes.ts'
import type { ChunkRun } from './pack-writer.ts'

/** A frame's chunk count has 16 bits in the index. */
const CHUNKS_MAX = 0xffff

export interface NodeStore {
  /** The node's fingerprint. The node is kept for storing when `claim` says that nobody holds it. */
  add(node: Uint8Array<ArrayBuffer>): Uint8Array
  /** Resolves when no full frame waits to be encoded. Rejects when encoding failed. */
  settle(): Promise<void>
  /** Encodes what is gathered. */
  flush(): Promise<void>
}

export function createNodeStore(
  core: Core,
  key: Uint8Array,
  frameBytes: number,
  claim: (fingerprint: Uint8Array) => boolean,
  encode: (bytes: Uint8Array<ArrayBuffer>, run: ChunkRun) => Promise<void>,
): NodeStore {
  let nodes: Uint8Array[] = []
  let fingerprints: Uint8Array[] = []
  let bytes = 0
  let encoding: Promise<void> = Promise.resolve()

  const close = () => {
    if (nodes.length === 0) return
    const run = { lengths: Uint32Array.from(nodes, (node) => node.length), fingerprints: concatBytes(fingerprints) }
    const frame = concatBytes(nodes)
    nodes = []
    fingerprints = []
    bytes = 0
    encoding = encoding.then(() => encode(frame, run))
    encoding.catch(() => {}) // reported by `settle`
  }

  return {
    add(node) {
      const buffer = core.buffer(node.length)
      buffer.bytes().set(node)
      const fingerprint = core.fingerprint(key, buffer, 0, node.length)
      buffer.free()
      if (!claim(fingerprint)) return fingerprint
      if (bytes + node.length > frameBytes || nodes.length === CHUNKS_MAX) close()
      nodes.push(node)
      fingerprints.push(fingerprint.subarray(0, FINGERPRINT_BYTES))
      bytes += node.length
      return fingerprint
    },
    settle: () => encoding,
    flush() {
      close()
      return encoding
    },
  }
}
