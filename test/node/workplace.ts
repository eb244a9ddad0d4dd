/**
 * A directory for one test or suite, and everything that must be undone after it, in reverse order, whatever happened.
 */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, onTestFinished } from 'vitest'

export interface Workplace {
  /** Absolute, links resolved. */
  readonly directory: string
  path(...names: string[]): string
  /** Makes a file and returns its path. */
  file(name: string, bytes: Uint8Array | string): string
  /** Makes a directory and returns its path. */
  folder(name: string): string
  /** Run at the end, the last one first. */
  later(undo: () => unknown): void
}

/** Undone when the test that runs now has ended. */
export function workplace(): Workplace {
  const { place, undo } = create()
  onTestFinished(undo)
  return place
}

/** Undone after every test of the suite or file; call it at its top. */
export function sharedWorkplace(): Workplace {
  const { place, undo } = create()
  afterAll(undo)
  return place
}

function create(): { place: Workplace; undo: () => Promise<void> } {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'blockvault-test-')))
  const undos: (() => unknown)[] = [() => rmSync(directory, { recursive: true, force: true })]
  const path = (...names: string[]) => join(directory, ...names)
  return {
    place: {
      directory,
      path,
      file(name, bytes) {
        writeFileSync(path(name), bytes)
        return path(name)
      },
      folder(name) {
        mkdirSync(path(name))
        return path(name)
      },
      later: (undo) => void undos.push(undo),
    },
    async undo() {
      const failures: unknown[] = []
      for (const undo of undos.reverse()) {
        try {
          await undo()
        } catch (error) {
          failures.push(error)
        }
      }
      if (failures.length > 0) throw new AggregateError(failures, `Something of ${directory} could not be undone.`)
    },
  }
}
