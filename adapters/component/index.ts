/**
 * The reader of the repository format, as an ES module made from the WebAssembly component in `wasm/component`: for reading single objects
 * without the engine, and the same code that hosts in other languages run. `import { objects } from 'blockvault/component'`.
 *
 * It is handed bytes and does no I/O. What it refuses it throws: `problemOf(error)` says why.
 */
import { chunks, codecs, objects } from '../../wasm/component/pkg/blockvault_reader.js'

export { chunks, codecs, objects }

/** Why bytes were refused, when that is what `error` says; `undefined` for any other error. */
export function problemOf(error: unknown): objects.Problem | undefined {
  const payload = error instanceof Error && 'payload' in error ? error.payload : undefined
  return PROBLEMS.find((problem) => problem === payload)
}

const PROBLEMS: readonly objects.Problem[] = [
  'argument',
  'not-an-object',
  'newer-version',
  'malformed',
  'seal',
  'epoch',
  'codec',
  'fingerprint',
  'costs',
  'key',
  'encryption',
  'memory',
]
