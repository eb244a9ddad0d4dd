/** System errors as blockvault's codes: thrown at the edge that knows what was being done. Deno's have Node's codes. */
import { BlockvaultError, type ErrorCode, type ErrorDetails } from '../../src/contract/errors.ts'

/** Deno's refusal of what its process was not permitted, which has no system code. WASI has one for the same. */
const NOT_CAPABLE = 'ENOTCAPABLE'

export function systemCode(error: unknown): string {
  if (error instanceof Error && error.name === 'NotCapable') return NOT_CAPABLE
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** What a system error means for one kind of work: its own codes by system code, and one for the rest. */
export interface ErrorMap {
  codes: Partial<Record<string, ErrorCode>>
  otherwise: ErrorCode
}

const DENIED = { EACCES: 1, EPERM: 1, EROFS: 1, [NOT_CAPABLE]: 1 }
const FULL = { ENOSPC: 1, EDQUOT: 1, EFBIG: 1 }

function all(codes: Record<string, number>, code: ErrorCode): Partial<Record<string, ErrorCode>> {
  return Object.fromEntries(Object.keys(codes).map((key) => [key, code]))
}

export const SOURCE_ERRORS: ErrorMap = {
  codes: {
    ENOENT: 'SOURCE_MISSING',
    ENOTDIR: 'SOURCE_MISSING',
    ENXIO: 'SOURCE_MISSING',
    ENOMEDIUM: 'SOURCE_MISSING',
    EISDIR: 'SOURCE_UNSUPPORTED',
    ELOOP: 'SOURCE_UNSUPPORTED',
    ...all(DENIED, 'SOURCE_DENIED'),
  },
  otherwise: 'SOURCE_READ_FAILED',
}
export const TARGET_ERRORS: ErrorMap = {
  codes: {
    EISDIR: 'TARGET_UNSUPPORTED',
    EEXIST: 'TARGET_EXISTS',
    EBUSY: 'TARGET_IN_USE',
    ETXTBSY: 'TARGET_IN_USE',
    ...all(DENIED, 'TARGET_DENIED'),
    ...all(FULL, 'TARGET_FULL'),
  },
  otherwise: 'TARGET_WRITE_FAILED',
}
export const STORAGE_ERRORS: ErrorMap = {
  codes: { ...all(DENIED, 'STORAGE_DENIED'), ...all(FULL, 'STORAGE_FULL') },
  otherwise: 'STORAGE_FAILED',
}

export function fromSystem(error: unknown, map: ErrorMap, doing: string, details: ErrorDetails = {}): BlockvaultError {
  if (error instanceof BlockvaultError) return error
  const system = systemCode(error)
  const reason = error instanceof Error ? error.message : String(error)
  // Deno's message ends with it: `run again with the --allow-read flag`.
  const flag = system === NOT_CAPABLE ? /--allow-[a-z]+/.exec(reason)?.[0] : undefined
  return new BlockvaultError(map.codes[system] ?? map.otherwise, `${doing} failed: ${reason}`, {
    cause: error,
    details: { ...details, ...(system ? { system } : {}), ...(flag ? { flag } : {}) },
  })
}
