/**
 * Verify: is everything there that the backups need, and with `readData`, does every chunk decode to its fingerprint. Damage is
 * a finding, not a failure: it goes on and names every damaged object and every backup it hurts.
 *
 * Two passes: the first finds what is damaged, reading each shared chunk once; the second, only when something was found, walks
 * the backups again to name those that need it.
 */
import type { VerifyFinding, VerifyOptions, VerifyResult } from '../contract/backup.ts'
import { BlockvaultError, throwIfCancelled } from '../contract/errors.ts'
import { toHex } from '../core/bytes.ts'
import { createChunkReader, createPackKeys, notHeld } from './chunk-reader.ts'
import type { RepositoryContext } from './context.ts'
import { createFetchPlan } from './fetch-plan.ts'
import { runBatch } from './fetch.ts'
import { type Manifest, manifestRoot, readManifest } from './manifest.ts'
import { indexName, manifestName, packName } from './names.ts'
import { progressReporter } from './progress.ts'
import { eachOf } from './stored-index.ts'
import { walkMap } from './volume-map.ts'

const WINDOW_CHUNKS = 128 * 1024
const BATCHES_A_WORKER = 2

export async function runVerify(context: RepositoryContext, ids: readonly string[], options: VerifyOptions): Promise<VerifyResult> {
  const { platform, storage, sealer, config, index, pool } = context
  const { signal } = options
  const startedAt = platform.now()
  throwIfCancelled(signal)
  await index.refresh(signal)

  const findings = new Map<string, VerifyFinding>()
  const note = (object: string, code: string, message: string, backups: readonly string[] = []) => {
    let finding = findings.get(object)
    if (!finding) findings.set(object, (finding = { object, code, message, backups: [] }))
    for (const id of backups) if (!finding.backups.includes(id)) finding.backups.push(id)
  }
  /** Chunks (hex) that can not be had, and the object to blame. */
  const bad = new Map<string, string>()
  const blame = (fingerprint: Uint8Array, error: BlockvaultError) => {
    const object = String(error.details['object'] ?? 'index/')
    bad.set(toHex(fingerprint), object)
    note(object, error.code, error.message)
  }

  const manifests: Manifest[] = []
  for (const id of ids) {
    try {
      manifests.push(await readManifest(storage, sealer, id, signal))
    } catch (error) {
      const { code, message } = known(error)
      note(manifestName(id), code, message, [id])
    }
  }
  for (const [object, { code, message }] of index.problems) note(object, code, message)
  for (const { id, indexes } of manifests) {
    for (const name of indexes.map(indexName)) {
      if (index.names.has(name)) continue
      if (!index.problems.has(name)) note(name, 'OBJECT_MISSING', `${name} is missing. Its packs were read from their own directories, so nothing else need be lost.`)
      note(name, '', '', [id])
    }
  }

  let chunks = 0
  let bytes = 0
  let doneBytes = 0
  const totalBytes = manifests.reduce((sum, { volumeBytes }) => sum + volumeBytes, 0)
  const progress = progressReporter(options.onProgress, () => ({ phase: 'verify', doneBytes, totalBytes, newBytes: 0, storedBytes: 0 }), platform.now)
  const reader = createChunkReader(context, signal)
  const read = async (fingerprint: Uint8Array) => {
    const node = await reader.read(fingerprint).catch((error: unknown) => {
      blame(fingerprint, known(error))
      throw error
    })
    return node
  }
  const packKeys = createPackKeys(context, signal)
  const plan = createFetchPlan()
  const drain = () =>
    eachOf(
      plan.batches(index.chunks),
      async (batch) => {
        throwIfCancelled(signal)
        const object = packName(batch.packId)
        const all = () => batch.frames.flatMap((frame) => splitFingerprints(frame.fingerprints))
        try {
          const { failures } = await runBatch(context, batch, await packKeys(batch.packId), { signal })
          for (const { frame, chunk, reason } of failures) {
            const request = batch.frames[frame]
            const wanted = splitFingerprints(request?.fingerprints ?? new Uint8Array(0))
            const hurt = chunk === undefined ? wanted : wanted.slice(chunk, chunk + 1)
            note(object, 'OBJECT_DAMAGED', `${object} is damaged: frame ${request?.number} does not decode (${reason}).`)
            for (const fingerprint of hurt) bad.set(toHex(fingerprint), object)
          }
        } catch (error) {
          const { code, message } = known(error)
          note(object, code, message)
          for (const fingerprint of all()) bad.set(toHex(fingerprint), object)
        }
      },
      pool.ports.length * BATCHES_A_WORKER,
    )

  const seen = platform.core.fingerprintSet()
  try {
    for (const manifest of manifests) {
      const before = doneBytes
      const walk = { volumeBytes: manifest.volumeBytes, segmentBytes: config.segmentBytes, enter: (node: Uint8Array) => !bad.has(toHex(node)) && seen.claim(node, 1)[0] === 1 }
      await eachPiece(manifest, read, walk, async ({ offset, length, fingerprint }) => {
        throwIfCancelled(signal)
        doneBytes = before + offset + length
        progress()
        if (!fingerprint || seen.claim(fingerprint, 1)[0] === 0) return
        chunks++
        bytes += length
        const place = index.chunks.find(fingerprint)
        if (!place) return blame(fingerprint, notHeld(context, fingerprint))
        if (place.chunkBytes !== length) return blame(fingerprint, new BlockvaultError('OBJECT_DAMAGED', `${packName(toHex(index.chunks.packId(place.pack)))} holds a chunk of another length than its backup asks for.`, { details: { object: packName(toHex(index.chunks.packId(place.pack))) } }))
        if (!options.readData) return
        plan.want(place, fingerprint)
        if (plan.chunks >= WINDOW_CHUNKS) await drain()
      })
      doneBytes = before + manifest.volumeBytes
    }
    await drain()
  } finally {
    seen.free()
  }

  if (bad.size > 0) {
    for (const manifest of manifests) {
      const entered = new Set<string>()
      const enter = (node: Uint8Array) => {
        const hex = toHex(node)
        const object = bad.get(hex)
        if (object !== undefined) note(object, '', '', [manifest.id])
        return object === undefined && !entered.has(hex) && entered.add(hex).has(hex)
      }
      await eachPiece(manifest, reader.read, { volumeBytes: manifest.volumeBytes, segmentBytes: config.segmentBytes, enter }, async ({ fingerprint }) => {
        const object = fingerprint && bad.get(toHex(fingerprint))
        if (object !== undefined) note(object, '', '', [manifest.id])
      })
    }
  }
  progress.end()
  return { backups: ids.length, chunks, bytes, errors: [...findings.values()], seconds: (platform.now() - startedAt) / 1000 }

  /** Walks a map; a node that can not be read has been noted by `read` and ends the walk of its backup at this pass. */
  async function eachPiece(manifest: Manifest, read: (fingerprint: Uint8Array) => Promise<Uint8Array>, walk: Parameters<typeof walkMap>[2], visit: (piece: { offset: number; length: number; fingerprint: Uint8Array | undefined }) => Promise<void>) {
    for (;;) {
      try {
        for await (const piece of walkMap(manifestRoot(manifest), read, walk)) await visit(piece)
        return
      } catch (error) {
        const { code, message, details } = known(error)
        note(String(details['object'] ?? 'volume map'), code, message, [manifest.id])
        return
      }
    }
  }
}

/** Damage that verify reports; everything else (cancelled, storage gone) ends it. */
function known(error: unknown): BlockvaultError {
  if (error instanceof BlockvaultError && ['OBJECT_DAMAGED', 'OBJECT_MISSING', 'REPOSITORY_UNSUPPORTED'].includes(error.code)) return error
  throw error
}

function splitFingerprints(fingerprints: Uint8Array): Uint8Array[] {
  return Array.from({ length: fingerprints.length / 32 }, (_, chunk) => fingerprints.subarray(chunk * 32, chunk * 32 + 32))
}
