/** Starts worker threads, and the same operations without one. */
import type { Core } from '../../src/contract/core.ts'
import type { Port } from '../../src/contract/port.ts'
import { createInlinePort } from '../../src/io/inline.ts'
import { workerHandlers } from '../../src/pipeline/worker.ts'
import { fromSystem } from '../node/system-error.ts'
import { startThread } from '../shared/worker-thread.ts'
import { workerPlatform } from './worker-platform.ts'

/** Beside this file: built in `dist/`, TypeScript in a checkout. */
const CODE = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './deno-worker.js', import.meta.url)
/** A thread's code is a file, or a text: of JSR's server's it is a line that imports it. */
const FILE = CODE.protocol === 'file:' ? CODE : new URL(`data:text/javascript,import ${encodeURIComponent(JSON.stringify(CODE.href))}`)

export function inlinePort(core: Core): Port {
  return createInlinePort(workerHandlers(workerPlatform(core)))
}

/** Deno reads the worker's code with the permissions of the process. */
export function workerPort(module: WebAssembly.Module | undefined): Port {
  try {
    return startThread(FILE, { module })
  } catch (error) {
    throw fromSystem(error, { codes: {}, otherwise: 'CORE_UNAVAILABLE' }, 'Starting a worker')
  }
}
