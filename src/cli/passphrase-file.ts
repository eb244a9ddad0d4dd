/** The passphrase file: its first line, in UTF-8, without the newline. What follows is ignored. */
import { BlockvaultError } from '../contract/errors.ts'

/** A file longer than this was not written as a passphrase file: most likely the wrong path. */
export const PASSPHRASE_FILE_BYTES_MAX = 64 * 1024

const NEWLINE = 0x0a
const CARRIAGE_RETURN = 0x0d

/** The passphrase's bytes: a view of `file`. `path` is for the message, which never repeats what is in the file. */
export function decodePassphraseFile(file: Uint8Array, path: string): Uint8Array {
  const fail = (code: 'KEY_REQUIRED' | 'KEY_WRONG', problem: string) =>
    new BlockvaultError(code, `${path} ${problem}. Its first line must be the passphrase.`, { details: { path } })

  if (file.length > PASSPHRASE_FILE_BYTES_MAX) throw fail('KEY_WRONG', 'is longer than 64 KiB')
  const newline = file.indexOf(NEWLINE)
  let length = newline < 0 ? file.length : newline
  // An editor on Windows ends lines with both; the same passphrase by the environment has neither.
  if (newline > 0 && file[newline - 1] === CARRIAGE_RETURN) length--
  const passphrase = file.subarray(0, length)
  if (passphrase.length === 0) throw fail('KEY_REQUIRED', 'has an empty first line')
  if (!isUtf8(passphrase)) throw fail('KEY_WRONG', 'is not UTF-8 text')
  return passphrase
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}
