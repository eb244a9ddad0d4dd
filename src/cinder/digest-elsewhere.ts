/**
 * The MD5 of an object that one worker decodes, computed by another: MD5 takes as long as decompressing, and of a chain with one large object
 * all but one worker would have nothing to do.
 *
 * Invariant: one part is digested while the next is decoded, and no more are in memory.
 */
import type { Port } from '../contract/port.ts'
import { invoke } from '../io/operation.ts'
import { closeObject, digestPart } from '../pipeline/object-encode-operations.ts'

export interface DigestElsewhere {
  /** A buffer that was digested, to be filled again. */
  takeSpare(): ArrayBuffer | undefined
  /** Takes the object's next plain bytes. Resolves when those before are digested. */
  add(bytes: Uint8Array<ArrayBuffer>): Promise<void>
  /** The MD5 in lower-case hex. */
  finish(): Promise<string>
  /** Forgets the object, if it was not finished. */
  close(): Promise<void>
}

export function digestElsewhere(port: Port, object: number): DigestElsewhere {
  let turn = Promise.resolve()
  let spare: ArrayBuffer | undefined
  let finished = false
  return {
    takeSpare() {
      const taken = spare
      spare = undefined
      return taken
    },
    async add(bytes) {
      await turn
      turn = invoke(port, digestPart, { object, bytes, last: false }, [bytes.buffer]).then((part) => void (spare = part.bytes.buffer))
      // Told to whoever comes next.
      turn.catch(() => {})
    },
    async finish() {
      await turn
      const { md5 = '' } = await invoke(port, digestPart, { object, bytes: new Uint8Array(0), last: true })
      finished = true
      return md5
    },
    async close() {
      if (!finished) await invoke(port, closeObject, { object }).catch(() => {})
    },
  }
}
