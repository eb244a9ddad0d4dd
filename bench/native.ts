/**
 * The same operations in native Rust: the example `bench` of the core crate, built and run by cargo.
 *
 * It is called as `bench INPUT RUNS`, works on the whole input file in memory with `core.ts`'s sizes (segments of 4 MiB,
 * frames of 1 MiB, its chunkers and levels), and prints one JSON object a line: `operation` as in `core.ts`, `amount` in
 * bytes or look-ups, and `seconds`, the median of the runs.
 */
import { execFile } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { say } from './harness.ts'

const MANIFEST = 'wasm/core/Cargo.toml'
const EXAMPLE = 'wasm/core/examples/bench.rs'

export interface NativeFigure {
  operation: string
  amount: number
  seconds: number
}

/** Nothing, and a line that says why, where cargo or the example is missing. */
export async function measureNative(input: Uint8Array, runs: number): Promise<NativeFigure[]> {
  if (!existsSync(EXAMPLE)) {
    say(`native: ${EXAMPLE} is not here, column left out (run from the repository's root)`)
    return []
  }
  const file = path.join(os.tmpdir(), `blockvault-bench-${process.pid}.input`)
  writeFileSync(file, input)
  try {
    const args = ['run', '--quiet', '--release', '--manifest-path', MANIFEST, '--example', 'bench', '--', file, String(runs)]
    const { stdout } = await promisify(execFile)('cargo', args, { maxBuffer: 1 << 24 })
    return stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as NativeFigure)
  } catch (error) {
    say(`native: column left out: ${error instanceof Error ? error.message : String(error)}`)
    return []
  } finally {
    rmSync(file, { force: true })
  }
}
