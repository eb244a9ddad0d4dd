/**
 * A list of a storage's objects as text: what a server that can not list serves instead. One line an object, in any order: its bytes in
 * decimal, a space, its name, a newline. Lines of other files than objects are passed over, so that what
 * `find . -type f -printf '%s %P\n'` prints will do.
 *
 * Invariant: a list that was cut off or is something else, say a page that says "not found", is an error, never a shorter list.
 */
import { BlockvaultError } from '../contract/errors.ts'
import { OBJECT_NAME, type StorageBackend, type StorageOptions, type StoredObject } from '../contract/storage.ts'

/** The object that the list is looked for in when nothing else is said. */
export const LISTING_NAME = 'listing'
/** Longer than any path a file system has. */
const LINE_MAX = 8192
/** Text handed on in one piece. */
const PIECE_CHARACTERS = 64 * 1024

/** The list of everything in `storage`, as text in pieces. Store it as `listing` beside the objects, after each backup. */
export async function* createListing(storage: StorageBackend, options: StorageOptions = {}): AsyncGenerator<string> {
  let piece = ''
  for await (const { name, size } of storage.list('', options)) {
    if (name === LISTING_NAME) continue
    piece += `${size} ${name}\n`
    if (piece.length < PIECE_CHARACTERS) continue
    yield piece
    piece = ''
  }
  if (piece !== '') yield piece
}

/** The objects of a list that comes in pieces. `place` is for messages. Rejects with STORAGE_FAILED. */
export async function* parseListing(pieces: AsyncIterable<Uint8Array>, place: string): AsyncGenerator<StoredObject> {
  const decoder = new TextDecoder()
  let rest = ''
  let number = 0
  for await (const piece of pieces) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n')
    rest = lines.pop() as string
    if (rest.length > LINE_MAX) throw notAListing(place, number + 1)
    for (const line of lines) {
      number++
      const match = /^(\d{1,16}) (?:\.\/)?(.+)$/.exec(line)
      if (!match) throw notAListing(place, number)
      const [, size, name] = match as unknown as [string, string, string]
      if (OBJECT_NAME.test(name)) yield { name, size: Number(size) }
    }
  }
  if (rest !== '') throw notAListing(place, number + 1)
}

function notAListing(place: string, line: number): BlockvaultError {
  return new BlockvaultError('STORAGE_FAILED', `${place} is no whole list of objects: line ${line} is not "SIZE NAME". Make it anew.`, {
    details: { object: place, line },
  })
}
