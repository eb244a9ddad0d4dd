/** Starts worker threads, and the same operations without one. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Core } from '../../src/contract/core.ts'
import { BlockvaultError } from '../../src/contract/errors.ts'
import type { Port } from '../../src/contract/port.ts'
import { createInlinePort } from '../../src/io/inline.ts'
import { workerHandlers } from '../../src/pipeline/worker.ts'
import { startThread } from '../shared/worker-thread.ts'
import { workerPlatform } from './worker-platform.ts'

/** Beside the built code; from a checkout's TypeScript, which Node 20 can not run in a worker, the build's. */
const PLACES = ['./worker.js', '../../dist/worker.js']

export function inlinePort(core: Core): Port {
  return createInlinePort(workerHandlers(workerPlatform(core)))
}

export function workerPort(module: WebAssembly.Module | undefined): Port {
  const file = PLACES.map((path) => new URL(path, import.meta.url)).find((url) => existsSync(fileURLToPath(url)))
  if (!file) throw new BlockvaultError('CORE_UNAVAILABLE', 'The worker file is missing: run `npm run build`.')
  return startThread(file, { module })
}
