/**
 * Reads single chunks (map nodes) by fingerprint. Neighbouring nodes share frames, so the last few frames are kept decoded.
 */
import { BlockvaultError } from '../contract/errors.ts'
import { equalBytes, toHex } from '../core/bytes.ts'
import { invoke } from '../io/operation.ts'
import { decodeFrames } from '../pipeline/decode-operations.ts'
import type { RepositoryContext } from './context.ts'
import { packName } from './names.ts'
import { readPackKey } from './pack.ts'
import { damaged, type ObjectKey } from './seal.ts'

/** Decoded frames kept: 8 MiB. A walk in volume order touches one or two at a time. */
const FRAMES_KEPT = 8

export interface ChunkReader {
  /** The chunk's bytes, checked. Rejects with OBJECT_DAMAGED or OBJECT_MISSING, `details.object` naming the pack. */
  read(fingerprint: Uint8Array): Promise<Uint8Array>
}

/** Keys of packs, read once each. */
export function createPackKeys({ storage, sealer }: RepositoryContext, signal?: AbortSignal): (id: string) => Promise<ObjectKey> {
  const keys = new Map<string, Promise<ObjectKey>>()
  return (id) => {
    let key = keys.get(id)
    if (!key) {
      keys.set(id, (key = readPackKey(storage, sealer, id, signal)))
      // A storage that failed once may answer the next time.
      key.catch(() => keys.delete(id))
    }
    return key
  }
}

export function createChunkReader(context: RepositoryContext, signal?: AbortSignal): ChunkReader {
  const { storage, sealer, index, pool, platform, encrypted } = context
  const packKeys = createPackKeys(context, signal)
  const kept = new Map<string, Promise<Uint8Array>>()

  const decode = async (id: string, place: NonNullable<ReturnType<typeof index.chunks.find>>): Promise<Uint8Array> => {
    const name = packName(id)
    const bytes = await storage.getRange(name, place.frameOffset, place.frameStoredBytes, { signal })
    const frame = {
      offset: 0,
      storedBytes: place.frameStoredBytes,
      plainBytes: place.framePlainBytes,
      codec: place.codec,
      number: place.frame,
      chunks: new Uint32Array(0),
      fingerprints: new Uint8Array(0),
      changeTags: new Uint8Array(0),
      writes: new Float64Array(0),
    }
    const { key, additional } = await packKeys(id)
    const { failures, collected } = await invoke(pool.any(), decodeFrames, {
      bytes,
      frames: [frame],
      key: { key, additional },
      fingerprintKey: sealer.keyring.fingerprintKey,
      encrypted,
      collect: true,
    })
    if (failures.length > 0) throw damaged(name, `frame ${place.frame} can not be decoded (${failures[0]?.reason})`)
    return collected[0] as Uint8Array<ArrayBuffer>
  }

  return {
    async read(fingerprint) {
      const place = index.chunks.find(fingerprint)
      if (!place) throw notHeld(context, fingerprint)
      const id = toHex(index.chunks.packId(place.pack))
      const slot = `${id}/${place.frame}`
      let frame = kept.get(slot)
      kept.delete(slot)
      if (!frame) {
        frame = decode(id, place)
        frame.catch(() => kept.delete(slot))
      }
      kept.set(slot, frame)
      if (kept.size > FRAMES_KEPT) kept.delete(kept.keys().next().value as string)
      const bytes = (await frame).subarray(place.chunkOffset, place.chunkOffset + place.chunkBytes)
      const buffer = platform.core.buffer(bytes.length)
      try {
        buffer.bytes().set(bytes)
        if (!equalBytes(platform.core.fingerprint(sealer.keyring.fingerprintKey, buffer, 0, bytes.length), fingerprint))
          throw damaged(packName(id), `a chunk in frame ${place.frame} does not have its fingerprint`)
      } finally {
        buffer.free()
      }
      return bytes
    },
  }
}

/** A chunk that is in no pack that is there: names the pack that held it when one is known. */
export function notHeld({ index }: RepositoryContext, fingerprint: Uint8Array): BlockvaultError {
  const place = index.lost.find(fingerprint)
  const object = place ? packName(toHex(index.lost.packId(place.pack))) : 'index/'
  const what = place ? `${object} is missing or has another length` : 'a chunk is in no index and no pack'
  return new BlockvaultError('OBJECT_MISSING', `Part of the backup is lost: ${what}. Run \`blockvault verify\` to see which backups it affects.`, {
    details: { object },
  })
}
