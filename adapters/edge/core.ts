/**
 * Loads the core from a module that the host has compiled, or compiles it as it comes in where a host allows that; a browser without WASM SIMD
 * gets the fallback, many times slower, and says so once.
 */
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

/** The least module that needs SIMD: a function whose result is a vector (`i8x16.splat` of zero). */
const SIMD_MODULE = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11)
let fallback: Promise<Core> | undefined

/** @throws BlockvaultError CORE_UNAVAILABLE */
export async function loadCore(source: CoreSource): Promise<Core> {
  if (!globalThis.WebAssembly)
    throw new BlockvaultError('CORE_UNAVAILABLE', 'This browser runs no WebAssembly (a lockdown mode, or a policy): blockvault needs it.')
  // A module that was compiled elsewhere has shown that its engine can.
  if (!(source instanceof WebAssembly.Module) && !WebAssembly.validate(SIMD_MODULE)) {
    if (typeof source === 'object' && 'then' in source) source.then((response) => response.body?.cancel()).catch(() => {})
    else if (source instanceof Response) source.body?.cancel().catch(() => {})
    fallback ??= loadFallback()
    return fallback
  }
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

/** Its WebAssembly has no SIMD, but is compiled from bytes: in an edge worker, which forbids that, there is none. */
async function loadFallback(): Promise<Core> {
  try {
    const { createFallbackCore } = await import('../../src/core/fallback.ts')
    const core = await createFallbackCore()
    // biome-ignore lint/suspicious/noConsole: who wonders why a page is slow looks here, and nowhere else.
    console.warn('blockvault: this browser has no WebAssembly SIMD: a fallback is used, which is many times slower')
    return core
  } catch (cause) {
    fallback = undefined
    throw new BlockvaultError(
      'CORE_UNAVAILABLE',
      "The engine has no WASM SIMD, and the fallback could not be started: it compiles WebAssembly too, which a page's content security policy must allow ('wasm-unsafe-eval') and edge workers forbid. Use an engine with WASM SIMD.",
      { cause },
    )
  }
}
