/** Reads an object of a store from its start to its end, in pieces. */
import { throwIfCancelled } from '../contract/errors.ts'
import type { ObjectStore } from '../contract/object-store.ts'

const PIECE_BYTES = 256 * 1024

/** The object is opened when the first piece is asked for, and closed whatever happens. @throws OBJECT_MISSING */
export async function* objectPieces(
  store: ObjectStore,
  container: string,
  name: string,
  { signal }: { signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = await store.open(container, name, { signal })
  try {
    for (let offset = 0; offset < reader.size; offset += PIECE_BYTES) {
      throwIfCancelled(signal)
      yield await reader.read(offset, Math.min(PIECE_BYTES, reader.size - offset))
    }
  } finally {
    await reader.close()
  }
}
