/**
 * MD5 of objects that pass through a worker part by part. An MD5 can only be computed in order, so each object has one worker, its home,
 * where all its parts are digested; several objects may be under way in one worker.
 */
import type { IHasher } from 'hash-wasm'

export interface ObjectDigests {
  /** Adds the object's next bytes; `object` is the caller's number for it. */
  update(object: number, bytes: Uint8Array): Promise<void>
  /** MD5 in lower-case hex of all that was added; the object is forgotten. */
  finish(object: number): Promise<string>
  /** Forgets the object. */
  drop(object: number): void
}

export function createObjectDigests(): ObjectDigests {
  const hashers = new Map<number, IHasher>()
  const free: IHasher[] = []
  const hasherOf = async (object: number) => {
    let hasher = hashers.get(object)
    if (!hasher) {
      // Loaded by the first object: a repository needs none of it.
      const { createMD5 } = await import('hash-wasm')
      hasher = (free.pop() ?? (await createMD5())).init()
      hashers.set(object, hasher)
    }
    return hasher
  }
  const drop = (object: number) => {
    const hasher = hashers.get(object)
    if (hasher) free.push(hasher)
    hashers.delete(object)
  }
  return {
    async update(object, bytes) {
      ;(await hasherOf(object)).update(bytes)
    },
    async finish(object) {
      const md5 = (await hasherOf(object)).digest('hex')
      drop(object)
      return md5
    },
    drop,
  }
}
