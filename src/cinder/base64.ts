/** Base64 of UTF-8 text, as backup records have it: standard alphabet, padded, one line. */
import { fromUtf8, utf8 } from '../core/bytes.ts'

export function toBase64(text: string): string {
  let binary = ''
  for (const byte of utf8(text)) binary += String.fromCharCode(byte)
  return btoa(binary)
}

/** The text, `undefined` when it is not base64 or the bytes are not UTF-8. White space is passed over: records get wrapped in mails. */
export function fromBase64(encoded: string): string | undefined {
  const dense = encoded.replace(/[ \t\r\n]/g, '')
  if (dense.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(dense)) return undefined
  return fromUtf8(Uint8Array.from(atob(dense), (character) => character.charCodeAt(0)))
}
