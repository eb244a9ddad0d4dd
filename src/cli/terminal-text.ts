/**
 * Makes text safe for a terminal. Volume names, paths and tags come from other machines: an escape sequence in one must
 * not move the cursor, set the title or hide a line.
 */

/** C0 and C1 controls, line and paragraph separators, and the marks that reorder text (bidirectional overrides). */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** One line: each unsafe character shows as U+FFFD, so that an odd name still looks odd. */
export function terminalText(text: string): string {
  return text.replace(UNSAFE, '\ufffd')
}
