/** Loads the core from a module that the host has compiled, or compiles it as it comes in where a host allows that. */
import type { Core } from '../../src/contract/core.ts'
import { BlockvaultError } from '../../src/contract/errors.ts'
import { createWasmCore } from '../../src/core/wasm.ts'

/**
 * A compiled module (`import core from 'blockvault/core.wasm'` in an edge worker, where nothing may be compiled at run time); or, in a
 * browser, the address of that file or the response to a request for it.
 */
export type CoreSource = WebAssembly.Module | FetchedCore
type FetchedCore = URL | string | Response | Promise<Response>

/** One instance a thread: a second one would take a second memory. */
const loaded = new WeakMap<WebAssembly.Module, Core>()

/** @throws BlockvaultError CORE_UNAVAILABLE */
export async function loadCore(source: CoreSource): Promise<Core> {
  const module = source instanceof WebAssembly.Module ? source : await compile(source as FetchedCore)
  let core = loaded.get(module)
  if (!core) loaded.set(module, (core = createWasmCore(module)))
  return core
}

async function compile(source: FetchedCore): Promise<WebAssembly.Module> {
  let response: Response
  try {
    response = await (typeof source === 'string' || source instanceof URL ? fetch(source) : source)
  } catch (cause) {
    throw new BlockvaultError('CORE_UNAVAILABLE', 'The WebAssembly core could not be fetched: check its address.', { cause })
  }
  if (!response.ok) throw new BlockvaultError('CORE_UNAVAILABLE', `The WebAssembly core could not be fetched: status ${response.status} from ${response.url}.`)
  try {
    // Compiled while it comes in; a server that gives it another type has it compiled afterwards.
    const streams = response.headers.get('content-type') === 'application/wasm'
    return await (streams ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer()))
  } catch (cause) {
    throw new BlockvaultError(
      'CORE_UNAVAILABLE',
      "The WebAssembly core could not be compiled. An edge worker imports it as a module; a page's content security policy must allow 'wasm-unsafe-eval'; the engine needs WASM SIMD.",
      { cause },
    )
  }
}
