/** What the benchmarks take of the engine on this runtime: cores by name, and a repository for the pipeline. */
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Repository } from '../src/contract/backup.ts'
import type { Core } from '../src/contract/core.ts'
import { createWasmCore } from '../src/core/wasm.ts'
import type { Target } from './pipeline.ts'

/** From the repository's root, where npm runs scripts. */
const WASM = 'wasm/pkg/blockvault_core_bg.wasm'

export interface NamedCore {
  name: string
  core: Core
}

/** Those of `wasm` and `fallback` that are in `names`. */
export async function loadCores(names: readonly string[]): Promise<NamedCore[]> {
  const cores: NamedCore[] = []
  if (names.includes('wasm')) {
    cores.push({ name: 'wasm', core: createWasmCore(await WebAssembly.compile(await readFile(WASM))) })
  }
  return cores
}

/** A new encrypted repository in memory or in the directory `location`. */
export async function openBenchRepository(target: Target, location: string, workers: number): Promise<Repository> {
  const key = randomBytes(32)
  throw new Error(`${target} ${location} ${workers} ${key.length}`)
}
