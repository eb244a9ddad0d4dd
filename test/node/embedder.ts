/** Programs that use the built library, each run in a process of its own. */
import { startProcess } from './command.ts'
import type { Workplace } from './workplace.ts'

let programs = 0

/** URL of the built library, for an import. */
export const DIST = new URL('../../dist/index.js', import.meta.url).href

/** Starts an ES module given as text. */
export function startProgram(place: Workplace, source: string, environment: Record<string, string> = {}) {
  return startProcess(place, [place.file(`program-${++programs}.mjs`, source)], environment)
}
