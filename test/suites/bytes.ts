/** Bytes without a runtime's own helpers: the suites run in pages and edge workers too, where there is no Buffer. */

export function same(left: Uint8Array | undefined, right: Uint8Array): boolean {
  if (left?.length !== right.length) return false
  for (let index = 0; index < right.length; index++) if (left[index] !== right[index]) return false
  return true
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
