/**
 * The seal of a repository without encryption: the same shape as an AEAD (16-byte tag at the end), but the bytes stay
 * readable and the tag, a BLAKE3 keyed by what the repository's config says in the clear, finds damage, not forgery.
 */
import type { Core } from '../contract/core.ts'
import type { Aead } from '../contract/platform.ts'

const TAG_BYTES = 16

/** The seal a repository uses: the platform's AEAD, or the checksum. */
export function aeadOf(encrypted: boolean, aead: Aead, core: Core): Aead {
  return encrypted ? aead : createChecksumSeal(core)
}

export function createChecksumSeal(core: Core): Aead {
  const tag = (key: Uint8Array, nonce: Uint8Array, additional: Uint8Array, bytes: Uint8Array): Uint8Array => {
    const head = new Uint8Array(8)
    new DataView(head.buffer).setUint32(0, nonce.length, true)
    new DataView(head.buffer).setUint32(4, additional.length, true)
    const parts = [head, nonce, additional, bytes]
    const buffer = core.buffer(parts.reduce((sum, part) => sum + part.length, 0))
    try {
      let at = 0
      for (const part of parts) {
        buffer.bytes(at, part.length).set(part)
        at += part.length
      }
      return core.fingerprint(key, buffer, 0, at).subarray(0, TAG_BYTES)
    } finally {
      buffer.free()
    }
  }
  return {
    seal(key, nonce, additional, plaintext) {
      // `plaintext` may be a view of the core's memory, which `tag` can detach by growing it: nothing of it is used after.
      const { length } = plaintext
      const sealed = new Uint8Array(length + TAG_BYTES)
      sealed.set(plaintext)
      sealed.set(tag(key, nonce, additional, sealed.subarray(0, length)), length)
      return [sealed]
    },
    open(key, nonce, additional, sealed) {
      if (sealed.length < TAG_BYTES) return undefined
      const plaintext = sealed.slice(0, sealed.length - TAG_BYTES)
      const expected = tag(key, nonce, additional, plaintext)
      for (let index = 0; index < TAG_BYTES; index++) if (expected[index] !== sealed[plaintext.length + index]) return undefined
      return plaintext
    },
  }
}
