/**
 * The key file: one line, `blockvault-key-1 ` and the 32 bytes in lower-case hex, then a newline. Text, so that it can be
 * printed and kept on paper.
 *
 * Invariant: accepts exactly what it writes; no error repeats any of the file's contents.
 */
import { KEY_BYTES } from '../contract/core.ts'
import { BlockvaultError } from '../contract/errors.ts'

const PREFIX = 'blockvault-key-1 '
export const KEY_FILE_BYTES = PREFIX.length + 2 * KEY_BYTES + 1

const SPACE = 0x20

/** The file's bytes for `key`. The caller wipes them. */
export function encodeKeyFile(key: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(KEY_FILE_BYTES)
  bytes.set(new TextEncoder().encode(PREFIX))
  for (const [index, byte] of key.entries()) {
    bytes[PREFIX.length + 2 * index] = hexDigit(byte >> 4)
    bytes[PREFIX.length + 2 * index + 1] = hexDigit(byte & 15)
  }
  bytes[KEY_FILE_BYTES - 1] = 0x0a
  return bytes
}

/** The key in `file`, without making a string of it: strings can not be wiped. `path` is for the message. */
export function decodeKeyFile(file: Uint8Array, path: string): Uint8Array<ArrayBuffer> {
  const key = new Uint8Array(KEY_BYTES)
  let valid = file.length === KEY_FILE_BYTES && file[KEY_FILE_BYTES - 1] === 0x0a
  for (let index = 0; valid && index < PREFIX.length; index++) valid = file[index] === PREFIX.charCodeAt(index)
  for (let index = 0; valid && index < KEY_BYTES; index++) {
    const high = hexValue(file[PREFIX.length + 2 * index] ?? SPACE)
    const low = hexValue(file[PREFIX.length + 2 * index + 1] ?? SPACE)
    valid = high >= 0 && low >= 0
    key[index] = (high << 4) | low
  }
  if (!valid) {
    key.fill(0)
    throw new BlockvaultError(
      'KEY_WRONG',
      `${path} is not a blockvault key file: that is one line, '${PREFIX}' and ${2 * KEY_BYTES} digits 0-9 a-f, ended by a newline. A passphrase goes into --passphrase-file.`,
      { details: { path } },
    )
  }
  return key
}

function hexDigit(value: number): number {
  return value < 10 ? 0x30 + value : 0x61 + value - 10
}

/** -1 for what is no lower-case hex digit. */
function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  if (code >= 0x61 && code <= 0x66) return code - 0x61 + 10
  return -1
}
