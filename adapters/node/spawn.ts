/** Starts worker threads, and the same operations without one. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { Core } from '../../src/contract/core.ts'
import { BlockvaultError } from '../../src/contract/errors.ts'
import type { Port } from '../../src/contract/port.ts'
import { createInlinePort } from '../../src/io/inline.ts'
import { createPort } from '../../src/io/proxy.ts'
import { workerHandlers } from '../../src/pipeline/worker.ts'
import { nodeAead } from './aead.ts'
import { nodeHashes } from './hashes.ts'
import { createVolumeHost } from './volumes.ts'

/** Beside the built code; from a checkout's TypeScript, which Node 20 can not run in a worker, the build's. */
const PLACES = ['./worker.js', '../../dist/worker.js']

export function inlinePort(core: Core): Port {
  return createInlinePort(workerHandlers({ core, aead: nodeAead, hashes: nodeHashes, volumes: createVolumeHost() }))
}

export function workerPort(module: WebAssembly.Module | undefined): Port {
  const file = PLACES.map((path) => new URL(path, import.meta.url)).find((url) => existsSync(fileURLToPath(url)))
  if (!file) throw new BlockvaultError('CORE_UNAVAILABLE', 'The worker file is missing: run `npm run build`.')
  // Flags of the process (--input-type=module, --inspect) are not the worker's.
  const worker = new Worker(file, { workerData: { module }, execArgv: [] })
  // A worker keeps the process alive only while it owes an answer: a forgotten close() does not hang a script.
  worker.unref()
  let owed = 0
  return createPort({
    post(message, transfer) {
      worker.postMessage(message, [...transfer])
      if (owed++ === 0) worker.ref()
    },
    listen(onMessage, onGone) {
      worker.on('message', (message) => {
        if (--owed === 0) worker.unref()
        onMessage(message)
      })
      worker.on('messageerror', onGone)
      worker.on('error', onGone)
      worker.on('exit', (code) => onGone(new Error(`exit code ${code}`)))
    },
    close: async () => void (await worker.terminate()),
  })
}
