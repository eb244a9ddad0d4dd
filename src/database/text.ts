/**
 * Text that databases can not hold as it is: PostgreSQL refuses NUL, and neither keeps half a surrogate pair, which JSON from Python
 * can bring along. A backup whose failure can not be written down would stay `creating` for ever, so nothing is refused.
 *
 * Invariant: `unescapeText(escapeText(text)) === text`, for every string; text without these characters is stored as it is.
 */

/** U+FFFF is no character: no text has it. */
const ESCAPE = '\uffff'
const UNSTORABLE = /\0|\uffff|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

export function escapeText(text: string): string {
  return text.replace(UNSTORABLE, (unit) => ESCAPE + unit.charCodeAt(0).toString(16).padStart(4, '0'))
}

export function unescapeText(stored: string): string {
  return stored.includes(ESCAPE) ? stored.replace(/\uffff([0-9a-f]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))) : stored
}
