/** Bytes without a runtime's own helpers: the suites run in pages and edge workers too, where there is no Buffer. */
import { equalBytes } from '../../src/core/bytes.ts'

export function same(left: Uint8Array | undefined, right: Uint8Array): boolean {
  return left !== undefined && equalBytes(left, right)
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
