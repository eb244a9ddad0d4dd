/**
 * Loads the core: the WASM file beside this module, or the fallback where SIMD is missing. Reading it needs `--allow-read`; fetching it, where
 * this module came from JSR, `--allow-net` of that host.
 */
import type { Core } from '../../src/contract/core.ts'
import { BlockvaultError } from '../../src/contract/errors.ts'
import { createWasmCore } from '../../src/core/wasm.ts'
import { fromSystem, systemCode } from '../node/system-error.ts'

/** In `dist/` the build puts it beside the code; in a checkout it lies where wasm-pack's output is kept. */
const PLACES = ['./blockvault_core_bg.wasm', '../../wasm/pkg/blockvault_core_bg.wasm']

let compiled: Promise<WebAssembly.Module | undefined> | undefined

/** The compiled module, to be sent to workers: they share its machine code. `undefined` where it does not compile. */
export function compileCore(): Promise<WebAssembly.Module | undefined> {
  return (compiled ??= compile())
}

async function compile(): Promise<WebAssembly.Module | undefined> {
  const bytes = await readCore()
  try {
    return new WebAssembly.Module(bytes)
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) return undefined
    throw error
  }
}

async function readCore(): Promise<Uint8Array<ArrayBuffer>> {
  for (const place of PLACES) {
    const url = new URL(place, import.meta.url)
    try {
      return url.protocol === 'file:' ? await Deno.readFile(url) : await fetched(url)
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw fromSystem(error, { codes: {}, otherwise: 'CORE_UNAVAILABLE' }, "Reading blockvault's own files")
    }
  }
  throw new BlockvaultError('CORE_UNAVAILABLE', 'The file of the WebAssembly core is missing: install blockvault again.')
}

/** Deno caches modules, not this: each process fetches it once. */
async function fetched(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(url)
  if (response.ok) return new Uint8Array(await response.arrayBuffer())
  await response.body?.cancel()
  throw Object.assign(new Error(`status ${response.status} from ${url.href}`), { code: response.status === 404 ? 'ENOENT' : '' })
}

/** The fallback and its libraries are loaded only where they are needed: they would double the command's start-up. */
export async function loadCore(module: WebAssembly.Module | undefined): Promise<Core> {
  if (module) return createWasmCore(module)
  const { createFallbackCore } = await import('../../src/core/fallback.ts')
  return createFallbackCore()
}
