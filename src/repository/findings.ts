/** What a verify found: each damaged object once, with every backup it hurts. */
import type { VerifyFinding } from '../contract/backup.ts'
import { BlockvaultError, type ErrorCode } from '../contract/errors.ts'
import { toHex } from '../core/bytes.ts'

/** Damage that verify reports; any other failure (cancelled, storage out of reach) ends it. */
const DAMAGE: readonly ErrorCode[] = ['OBJECT_DAMAGED', 'OBJECT_MISSING', 'REPOSITORY_UNSUPPORTED']

export function asDamage(error: unknown): BlockvaultError {
  if (error instanceof BlockvaultError && DAMAGE.includes(error.code)) return error
  throw error
}

export interface Findings {
  /** Notes a damaged object. The first message about it stays. */
  object(name: string, error: BlockvaultError): void
  /** Notes that a chunk can not be had, and the object to blame. */
  chunk(fingerprint: Uint8Array, name: string, error: BlockvaultError): void
  /** The object to blame for a chunk, if it is a bad one. */
  blamed(fingerprint: Uint8Array): string | undefined
  /** Notes that a backup needs the object. */
  hurts(name: string, backupId: string): void
  readonly badChunks: number
  list(): VerifyFinding[]
}

export function createFindings(): Findings {
  const findings = new Map<string, VerifyFinding>()
  const bad = new Map<string, string>()
  const findingOf = (object: string, error?: BlockvaultError): VerifyFinding => {
    let finding = findings.get(object)
    if (!finding)
      findings.set(object, (finding = { object, code: error?.code ?? 'OBJECT_DAMAGED', message: error?.message ?? `${object} is damaged.`, backups: [] }))
    return finding
  }
  return {
    object: (name, error) => void findingOf(name, error),
    chunk(fingerprint, name, error) {
      bad.set(toHex(fingerprint), name)
      findingOf(name, error)
    },
    blamed: (fingerprint) => bad.get(toHex(fingerprint)),
    hurts(name, backupId) {
      const { backups } = findingOf(name)
      if (!backups.includes(backupId)) backups.push(backupId)
    },
    get badChunks() {
      return bad.size
    },
    list: () => [...findings.values()],
  }
}

/** The object an error is about. */
export function blamedObject(error: BlockvaultError): string {
  return String(error.details['object'] ?? 'index/')
}
