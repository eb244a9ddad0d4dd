/**
 * The messages between the two ends of a worker, and how an error crosses: structured clone keeps neither its class nor
 * its code, so errors travel as plain records.
 */
import { BlockvaultError, ERROR_CODES, type ErrorCode, type ErrorDetails } from '../contract/errors.ts'

export interface CallMessage {
  call: number
  operation: string
  argument: unknown
}

export type AnswerMessage = { answer: number; value: unknown } | { answer: number; error: ErrorRecord }

export interface ErrorRecord {
  code: ErrorCode
  message: string
  details: ErrorDetails
  stack: string
}

/** One end of a message channel, as an adapter wraps its runtime's worker. */
export interface Endpoint {
  post(message: unknown, transfer: readonly ArrayBuffer[]): void
  /** Called for every message that arrives, and once with the reason when the other end is gone. */
  listen(onMessage: (message: unknown) => void, onGone: (reason: unknown) => void): void
  close(): Promise<void> | void
}

export function errorRecord(error: unknown): ErrorRecord {
  if (error instanceof BlockvaultError) return { code: error.code, message: error.message, details: error.details, stack: error.stack ?? '' }
  const reason = error instanceof Error ? error : new Error(String(error))
  return { code: 'INTERNAL', message: `Unexpected failure in a worker: ${reason.message}`, details: {}, stack: reason.stack ?? '' }
}

export function errorFromRecord(record: ErrorRecord): BlockvaultError {
  const error = new BlockvaultError(record.code, record.message, { details: record.details })
  if (record.stack) error.stack = record.stack
  return error
}

/** A worker that was damaged may post anything: only well-formed answers are believed. */
export function isAnswer(message: unknown): message is AnswerMessage {
  if (typeof message !== 'object' || message === null || !('answer' in message)) return false
  if (!Number.isSafeInteger(message.answer)) return false
  if ('value' in message) return true
  const error = 'error' in message ? (message.error as Partial<ErrorRecord> | null) : null
  return (
    typeof error === 'object' && error !== null && typeof error.message === 'string' && typeof error.code === 'string' && Object.hasOwn(ERROR_CODES, error.code)
  )
}

export function isCall(message: unknown): message is CallMessage {
  return typeof message === 'object' && message !== null && 'call' in message && 'operation' in message && typeof message.operation === 'string'
}
