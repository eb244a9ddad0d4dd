/**
 * Checks everything about one backup that can be checked without restoring it: that its objects are there and no others, that each decodes
 * to the length and MD5 of the manifest, that its blocks have the hashes of `_sha256file`, and that the blocks it does not store are
 * what its parent says they are.
 *
 * Invariant: what is wrong is returned, not thrown; only what ends the check as such is thrown (CANCELLED, a worker that died).
 */
import type { JobOptions, Progress } from '../contract/backup.ts'
import { type ErrorCode, isBlockvaultError } from '../contract/errors.ts'
import type { ObjectStore } from '../contract/object-store.ts'
import type { Port } from '../contract/port.ts'
import { concatBytes } from '../core/bytes.ts'
import { progressReporter } from '../pipeline/progress.ts'
import type { ChainMember } from './chain.ts'
import { decodeObject } from './decode-object.ts'
import { describeHashes } from './hash-stream.ts'
import { compareListing } from './listing.ts'
import { dataObjectName, sha256FileName } from './names.ts'
import { digesterFor, overWorkers } from './over-workers.ts'
import type { Sha256File } from './sha256file.ts'
import { byOffset, firstDifference, hashesFault, openOwnHashes, strayBlock } from './verify-hashes.ts'
import { OBJECT_BYTES_MAX } from './write-checks.ts'

export interface VerifyBackupOptions extends JobOptions {
  store: ObjectStore
  ports: readonly Port[]
  /** The backup it builds on, to compare hashes with. Not compared without it. */
  parent?: ChainMember | undefined
  /** Most findings; what is wrong beyond is not told. 100 by default. */
  findingsMax?: number | undefined
  /** Milliseconds since 1970. */
  now(): number
}

export interface CinderFinding {
  container: string
  object: string
  code: ErrorCode
  message: string
}

export interface VerifiedBackup {
  findings: CinderFinding[]
  /** Objects that were decoded whole, and the plain bytes that came out of all. */
  objects: number
  bytes: number
}

export async function verifyBackup(member: ChainMember, options: VerifyBackupOptions): Promise<VerifiedBackup> {
  const { store, signal, parent, findingsMax = 100 } = options
  const hashName = sha256FileName(member.prefix)
  const findings = createFindings(member.container, findingsMax)
  const absent = await listedFindings(member, findings, options)
  const hashes = absent.has(hashName) ? undefined : await usableHashes(member, findings, options)
  const decoded = await decodeAll(member, hashes, absent, findings, options)
  if (hashes && parent) {
    const stray = await strayBlock(store, { member, parent, ...hashes }, signal).catch((error: unknown) => void findings.addError(hashName, error))
    if (stray !== undefined) {
      const place = `the block at offset ${stray * hashes.blockBytes} is not stored in this backup, and has another hash in its parent ${parent.manifest.backupId}`
      findings.add(hashName, 'InvalidBackup', `${hashName}: ${place}.`)
    }
  }
  return { findings: findings.list, ...decoded }
}

/** Names of the objects that need no further look. */
async function listedFindings(member: ChainMember, findings: Findings, { store, signal, findingsMax }: VerifyBackupOptions): Promise<Set<string>> {
  const CODES = { missing: 'OBJECT_MISSING', 'no-hashes': 'OBJECT_MISSING', size: 'OBJECT_DAMAGED', extra: 'InvalidBackup' } as const
  const names = new Set<string>()
  for (const { object, kind, message } of await compareListing(store, [member], { hashes: true, signal, findingsMax })) {
    findings.add(object, CODES[kind], `${object} ${message}.`)
    names.add(object)
  }
  return names
}

async function usableHashes(member: ChainMember, findings: Findings, { store, signal }: VerifyBackupOptions): Promise<Sha256File | undefined> {
  const name = sha256FileName(member.prefix)
  const hashes = await describeHashes(store, member, signal).catch((error: unknown) => void findings.addError(name, error))
  const fault = hashes && hashesFault(hashes, member)
  if (fault === undefined) return hashes ?? undefined
  findings.add(name, 'InvalidBackup', `${name} does not belong to this backup: ${fault}.`)
  return undefined
}

async function decodeAll(
  member: ChainMember,
  hashes: Sha256File | undefined,
  absent: ReadonlySet<string>,
  findings: Findings,
  { store, ports, signal, onProgress, now }: VerifyBackupOptions,
): Promise<{ objects: number; bytes: number }> {
  const { container, prefix } = member
  const { objects } = member.manifest
  const hashName = sha256FileName(prefix)
  const order = byOffset(objects)
  const progress: Progress = { phase: 'verify', doneBytes: 0, totalBytes: 0, newBytes: 0, storedBytes: 0 }
  for (const index of order) progress.totalBytes += objects.length(index) ?? 0
  const report = progressReporter(onProgress, () => ({ ...progress }), now)
  const own = hashes && openOwnHashes(store, member, hashes.blockBytes, signal)
  let whole = 0

  const decode = async (index: number, port: Port, stop: AbortSignal) => {
    const { number, offset, length, compression, md5 } = objects.entry(index)
    const name = dataObjectName(prefix, number)
    // Asked for before anything else, so that the hashes are taken in the order of the objects.
    const wanted = length === undefined ? undefined : own?.take({ offset, length })
    // A manifest may list a million objects that are not there: what would not be told is not looked for.
    if (absent.has(name) || findings.isFull()) return
    const found: Uint8Array[] = []
    let before = 0
    try {
      const stored = { container, name, compression, length, bytesMax: OBJECT_BYTES_MAX, md5 }
      const blocks = hashes && wanted ? { blockBytes: hashes.blockBytes } : {}
      const digester = digesterFor(ports, port, length ?? 0, progress.totalBytes)
      await decodeObject(stored, { store, port, digester, signal: stop, ...blocks }, (part) => {
        found.push(part.sha256s)
        progress.doneBytes += part.plainBytes - before
        before = part.plainBytes
        report()
      })
      whole++
    } catch (error) {
      return findings.addError(name, error)
    }
    if (!hashes || !wanted) return
    const expected = await wanted.catch((error: unknown) => void findings.addError(hashName, error))
    const block = expected && firstDifference(concatBytes(found), expected)
    if (block !== undefined)
      findings.add(
        name,
        'OBJECT_DAMAGED',
        `${name}: the block at offset ${offset + block * hashes.blockBytes} of the volume has not the SHA-256 of ${hashName}.`,
      )
  }
  try {
    const items = { count: order.length, at: (at: number) => order[at]!, bytes: (index: number) => objects.length(index) ?? 0 }
    await overWorkers(items, ports, signal, (index, _at, port, stop) => decode(index, port, stop))
  } finally {
    await own?.close()
  }
  report.end()
  return { objects: whole, bytes: progress.doneBytes }
}

/** Errors that say what is wrong with stored bytes. */
const FINDING_CODES: readonly ErrorCode[] = ['OBJECT_DAMAGED', 'OBJECT_MISSING', 'InvalidBackup']

interface Findings {
  readonly list: CinderFinding[]
  isFull(): boolean
  add(object: string, code: ErrorCode, message: string): void
  /** Keeps an error that says what is wrong with stored bytes; throws any other. */
  addError(object: string, error: unknown): void
}

function createFindings(container: string, most: number): Findings {
  const list: CinderFinding[] = []
  const add = (object: string, code: ErrorCode, message: string) => {
    if (list.length < most) list.push({ container, object, code, message })
  }
  return {
    list,
    isFull: () => list.length >= most,
    add,
    addError(object, error) {
      if (!isBlockvaultError(error) || !FINDING_CODES.includes(error.code)) throw error
      add(object, error.code, error.message)
    },
  }
}
