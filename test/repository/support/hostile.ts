/** Objects that a client which holds the keys may write, whether out of malice or by a defect: sealed properly, wrong inside. */
import { CODECS } from '../../../src/contract/core.ts'
import { concatBytes, toHex, utf8 } from '../../../src/core/bytes.ts'
import { frameNonce } from '../../../src/pipeline/frame.ts'
import { type FrameRecord, joinBlock } from '../../../src/repository/index-block.ts'
import { indexName, manifestName, uuidFrom } from '../../../src/repository/names.ts'
import { openPack, storePack } from '../../../src/repository/pack.ts'
import { sealObject } from '../../../src/repository/seal.ts'
import { createMemoryStorage } from '../../../src/storage/memory.ts'
import { platform, sealerOf, type TestRepository } from './repositories.ts'

export type ManifestFields = Record<string, unknown>

/** A manifest that is well-formed but for the given fields. */
export function manifestFields(id: string, fields: ManifestFields = {}): ManifestFields {
  return {
    version: 1,
    id,
    volume: 'hostile',
    createdAt: '2030-01-01T00:00:00.000Z',
    volumeBytes: 1000,
    sourcePath: '/dev/vda',
    hostName: 'host',
    tags: {},
    readBytes: 0,
    newBytes: 0,
    storedBytes: 0,
    seconds: 0,
    root: { level: 0, fingerprint: null },
    indexes: [],
    ...fields,
  }
}

/** Seals a manifest of the fields, or of any text made for its id, under the name that the id has. Returns the id. */
export async function plantManifest(repository: TestRepository, content: ManifestFields | ((id: string) => string) = {}): Promise<string> {
  const id = uuidFrom(platform.random(16))
  const text = typeof content === 'function' ? content(id) : JSON.stringify(manifestFields(id, content))
  const name = manifestName(id)
  repository.objects.set(name, concatBytes(await sealObject(await sealerOf(repository), 'manifest', name, platform.random(16), utf8(text))))
  return id
}

/** The fingerprint that a repository gives to the bytes. */
export async function fingerprintOf(repository: TestRepository, bytes: Uint8Array): Promise<Uint8Array> {
  const buffer = platform.core.buffer(bytes.length)
  try {
    buffer.bytes().set(bytes)
    return platform.core.fingerprint((await sealerOf(repository)).keyring.fingerprintKey, buffer, 0, bytes.length)
  } finally {
    buffer.free()
  }
}

/** Stores chunks in a pack of their own, with an index. `alter` may change what the index says of their one frame. */
export async function plantChunks(
  repository: TestRepository,
  chunks: readonly Uint8Array[],
  alter: (frame: FrameRecord) => FrameRecord = (frame) => frame,
): Promise<Uint8Array[]> {
  const sealer = await sealerOf(repository)
  const storage = createMemoryStorage(repository.objects)
  const pack = await openPack(sealer, platform.random(16))
  const plain = concatBytes(chunks)
  const sealed = concatBytes(await sealer.aead.seal(pack.key.key, frameNonce(0), pack.key.additional, plain))
  const fingerprints = await Promise.all(chunks.map((chunk) => fingerprintOf(repository, chunk)))
  pack.parts.push(sealed)
  pack.storedBytes += sealed.length
  const frame = {
    storedBytes: sealed.length,
    plainBytes: plain.length,
    codec: CODECS.none,
    lengths: Uint32Array.from(chunks, ({ length }) => length),
    fingerprints: concatBytes(fingerprints),
  }
  pack.frames.push(alter(frame))
  const { record } = await storePack(storage, sealer, pack)
  await plantIndex(repository, joinBlock([record]))
  return fingerprints
}

/** Seals any bytes as an index object of a random or given name. Returns the name. */
export async function plantIndex(repository: TestRepository, block: Uint8Array, name: string = indexName(toHex(platform.random(16)))): Promise<string> {
  repository.objects.set(name, concatBytes(await sealObject(await sealerOf(repository), 'index', name, platform.random(16), block)))
  return name
}
