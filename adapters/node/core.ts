/** Loads the core: the WASM file beside this module, or the fallback where SIMD is missing. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Core } from '../../src/contract/core.ts'
import { createWasmCore } from '../../src/core/wasm.ts'

/** In `dist/` the build puts it beside the code; in a checkout it lies where wasm-pack's output is kept. */
const PLACES = ['./blockvault_core_bg.wasm', '../../wasm/pkg/blockvault_core_bg.wasm']

let compiled: WebAssembly.Module | undefined

/** The compiled module, to be sent to workers: they share its machine code. `undefined` where it does not compile. */
export function compileCore(): WebAssembly.Module | undefined {
  if (compiled) return compiled
  const place = PLACES.map((path) => fileURLToPath(new URL(path, import.meta.url))).find((path) => existsSync(path))
  if (place === undefined) return undefined
  try {
    compiled = new WebAssembly.Module(readFileSync(place))
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error
  }
  return compiled
}

/** The fallback and its libraries are loaded only where they are needed: they would double the command's start-up. */
export async function loadCore(module: WebAssembly.Module | undefined): Promise<Core> {
  if (module) return createWasmCore(module)
  const { createFallbackCore } = await import('../../src/core/fallback.ts')
  return createFallbackCore()
}
