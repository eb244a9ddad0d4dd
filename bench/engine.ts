/** What the benchmarks take of the engine on this runtime: cores by name, and a repository for the pipeline. */
import { randomBytes } from 'node:crypto'
import { compileCore, loadCore } from '../adapters/node/core.ts'
import { createMemoryStorage, openRepository } from '../adapters/node/index.ts'
import type { Repository } from '../src/contract/backup.ts'
import type { Core } from '../src/contract/core.ts'
import { say } from './harness.ts'

/** Where a benchmark's repository lies. */
export type Target = 'memory' | 'directory'

export interface NamedCore {
  name: string
  core: Core
}

/** Those of `wasm` and `fallback` that are in `names`. */
export async function loadCores(names: readonly string[]): Promise<NamedCore[]> {
  const cores: NamedCore[] = []
  const module = compileCore()
  if (names.includes('wasm') && module === undefined) say('wasm: the core does not compile here, column left out')
  if (names.includes('wasm') && module !== undefined) cores.push({ name: 'wasm', core: await loadCore(module) })
  if (names.includes('fallback')) cores.push({ name: 'fallback', core: await loadCore(undefined) })
  return cores
}

/** A new encrypted repository in memory or in the directory `location`. */
export function openBenchRepository(target: Target, location: string, workers: number): Promise<Repository> {
  const repository = target === 'memory' ? createMemoryStorage() : location
  return openRepository({ repository, create: true, credentials: { key: new Uint8Array(randomBytes(32)) }, workers })
}
