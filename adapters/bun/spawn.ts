/** Starts worker threads, and the same operations without one. */
import type { Core } from '../../src/contract/core.ts'
import type { Port } from '../../src/contract/port.ts'
import { createInlinePort } from '../../src/io/inline.ts'
import { workerHandlers } from '../../src/pipeline/worker.ts'
import { startThread } from '../shared/worker-thread.ts'
import { workerPlatform } from './worker-platform.ts'

/** Beside this file: built in `dist/` and in an executable, TypeScript in a checkout. */
const FILE = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './bun-worker.js', import.meta.url)

export function inlinePort(core: Core): Port {
  return createInlinePort(workerHandlers(workerPlatform(core)))
}

export function workerPort(module: WebAssembly.Module | undefined): Port {
  return startThread(FILE, { module })
}
