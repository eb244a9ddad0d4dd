/**
 * Verify: is everything there that the backups need, and with `readData`, does every chunk decode to its fingerprint. Damage is
 * a finding, not a failure: it goes on and names every damaged object and every backup it hurts.
 *
 * Two passes: the first finds what is damaged, reading each shared chunk once; the second, only when something was found, walks
 * the backups again to name those that need it.
 */
import type { VerifyOptions, VerifyResult } from '../contract/backup.ts'
import { BlockvaultError, throwIfCancelled } from '../contract/errors.ts'
import { toHex } from '../core/bytes.ts'
import { createChunkReader, createPackKeys, notHeld } from './chunk-reader.ts'
import type { RepositoryContext } from './context.ts'
import { type FetchBatch, createFetchPlan } from './fetch-plan.ts'
import { drainPlan } from './fetch.ts'
import { asDamage, blamedObject, createFindings, type Findings } from './findings.ts'
import { type Manifest, manifestRoot, readManifest } from './manifest.ts'
import { indexName, manifestName, packName } from './names.ts'
import { readDirectory } from './pack.ts'
import { progressReporter } from '../pipeline/progress.ts'
import { damaged } from './seal.ts'
import { eachOf } from './stored-index.ts'
import { type MapPiece, walkMap } from './volume-map.ts'

/** `named`: the caller asked for these ids; otherwise they were listed, and one that is gone meanwhile was deleted. */
export async function runVerify(context: RepositoryContext, ids: readonly string[], named: boolean, options: VerifyOptions): Promise<VerifyResult> {
  const { platform, index } = context
  const { signal } = options
  const startedAt = platform.now()
  throwIfCancelled(signal)
  await index.refresh(signal)
  const findings = createFindings()
  const manifests = await readable(context, ids, named, findings, signal)
  for (const [name, error] of index.problems) findings.object(name, error)
  noteMissingIndexes(context, manifests, findings)
  if (options.readData) await checkDirectories(context, findings, signal)

  const checked = await checkChunks(context, manifests, findings, options)
  if (findings.badChunks > 0) for (const manifest of manifests) await nameHurtBackup(context, manifest, findings, signal)
  return { backups: ids.length, ...checked, errors: findings.list(), seconds: (platform.now() - startedAt) / 1000 }
}

/** The manifests that can be read; the others are findings. */
async function readable(
  { storage, sealer }: RepositoryContext,
  ids: readonly string[],
  named: boolean,
  findings: Findings,
  signal: AbortSignal | undefined,
): Promise<Manifest[]> {
  const manifests: Manifest[] = []
  for (const id of ids) {
    try {
      manifests.push(await readManifest(storage, sealer, id, signal))
    } catch (error) {
      const damage = asDamage(error)
      if (damage.code === 'OBJECT_MISSING' && !named) continue
      findings.object(manifestName(id), damage)
      findings.hurts(manifestName(id), id)
    }
  }
  return manifests
}

function noteMissingIndexes({ index }: RepositoryContext, manifests: readonly Manifest[], findings: Findings): void {
  for (const { indexes } of manifests) {
    for (const name of indexes.map(indexName).filter((name) => !index.names.has(name))) {
      const message = `${name} is missing. Its packs were read from their own directories: nothing else need be lost.`
      findings.object(name, new BlockvaultError('OBJECT_MISSING', message))
    }
  }
}

/** A pack's own directory is needed only once its index is lost: all the more reason to know that it can be read. */
async function checkDirectories({ storage, sealer, index }: RepositoryContext, findings: Findings, signal: AbortSignal | undefined): Promise<void> {
  await eachOf([...index.packs], async ([id, size]) => {
    throwIfCancelled(signal)
    await readDirectory(storage, sealer, id, size, signal).catch((error: unknown) => findings.object(packName(id), asDamage(error)))
  })
}

/** Walks every map and checks each distinct chunk once. */
async function checkChunks(
  context: RepositoryContext,
  manifests: readonly Manifest[],
  findings: Findings,
  options: VerifyOptions,
): Promise<Pick<VerifyResult, 'chunks' | 'bytes'>> {
  const { platform, config, index } = context
  const { signal } = options
  let chunks = 0
  let bytes = 0
  let doneBytes = 0
  const totalBytes = manifests.reduce((sum, { volumeBytes }) => sum + volumeBytes, 0)
  const progress = progressReporter(options.onProgress, () => ({ phase: 'verify', doneBytes, totalBytes, newBytes: 0, storedBytes: 0 }), platform.now)

  const reader = createChunkReader(context, signal)
  const read = (fingerprint: Uint8Array) =>
    reader.read(fingerprint).catch((error: unknown) => {
      const damage = asDamage(error)
      findings.chunk(fingerprint, blamedObject(damage), damage)
      return undefined // what lies behind it is checked all the same
    })
  const packKeys = createPackKeys(context, signal)
  const plan = createFetchPlan(platform)
  const drain = () =>
    drainPlan(context, plan, packKeys, { signal }, (batch, outcome) => {
      if (outcome instanceof BlockvaultError) blameBatch(batch, asDamage(outcome), findings)
      else for (const failure of outcome.failures) blameFrame(batch, failure, findings)
    })

  // Two sets: a chunk of one volume may have the bytes of another one's node.
  const seen = platform.core.fingerprintSet()
  const entered = platform.core.fingerprintSet()
  try {
    for (const manifest of manifests) {
      const before = doneBytes
      const enter = (node: Uint8Array) => findings.blamed(node) === undefined && entered.claim(node, 1)[0] === 1
      const check = async ({ offset, length, fingerprint }: MapPiece) => {
        throwIfCancelled(signal)
        doneBytes = before + offset + length
        progress()
        if (!fingerprint || seen.claim(fingerprint, 1)[0] === 0) return
        chunks++
        bytes += length
        const place = index.chunks.find(fingerprint)
        const wrong = !place
          ? notHeld(context, fingerprint)
          : place.chunkBytes === length
            ? undefined
            : damaged(packName(toHex(index.chunks.packId(place.pack))), 'a chunk has another length than its backup asks for')
        if (wrong) findings.chunk(fingerprint, blamedObject(wrong), wrong)
        else if (place && options.readData) {
          plan.want(place, { fingerprint })
          if (plan.full) await drain()
        }
      }
      try {
        const walk = { volumeBytes: manifest.volumeBytes, segmentBytes: config.segmentBytes, enter }
        for await (const piece of walkMap(manifestRoot(manifest), read, walk)) await check(piece)
      } catch (error) {
        // A node that can not be read hides what is below it: this backup is not whole, whatever else is.
        const damage = asDamage(error)
        findings.object(blamedObject(damage), damage)
        findings.hurts(blamedObject(damage), manifest.id)
      }
      doneBytes = before + manifest.volumeBytes
    }
    await drain()
  } finally {
    seen.free()
    entered.free()
  }
  progress.end()
  return { chunks, bytes }
}

function blameBatch(batch: FetchBatch, error: BlockvaultError, findings: Findings): void {
  for (const frame of batch.frames) for (const fingerprint of frame.fingerprints) findings.chunk(fingerprint, packName(batch.packId), error)
}

function blameFrame(batch: FetchBatch, { frame, chunk, reason }: { frame: number; chunk?: number; reason: string }, findings: Findings): void {
  const name = packName(batch.packId)
  const request = batch.frames[frame]
  const wanted = request?.fingerprints ?? []
  const error = damaged(name, `frame ${request?.number} does not decode (${reason})`)
  for (const fingerprint of chunk === undefined ? wanted : wanted.slice(chunk, chunk + 1)) findings.chunk(fingerprint, name, error)
}

/** Names the backup beside every bad object that it needs. */
async function nameHurtBackup(context: RepositoryContext, manifest: Manifest, findings: Findings, signal: AbortSignal | undefined): Promise<void> {
  const entered = new Set<string>()
  const blame = (fingerprint: Uint8Array): boolean => {
    const name = findings.blamed(fingerprint)
    if (name !== undefined) findings.hurts(name, manifest.id)
    return name !== undefined
  }
  const enter = (node: Uint8Array) => {
    const hex = toHex(node)
    if (blame(node) || entered.has(hex)) return false
    entered.add(hex)
    return true
  }
  const walk = { volumeBytes: manifest.volumeBytes, segmentBytes: context.config.segmentBytes, enter }
  try {
    for await (const { fingerprint } of walkMap(manifestRoot(manifest), createChunkReader(context, signal).read, walk)) {
      throwIfCancelled(signal)
      if (fingerprint) blame(fingerprint)
    }
  } catch (error) {
    findings.hurts(blamedObject(asDamage(error)), manifest.id)
  }
}
