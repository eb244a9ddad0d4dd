/** Worker threads that run the sources as they are now, whatever `dist/` was built from, and that a test may end. */
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { build } from 'esbuild'
import { compileCore } from '../../../adapters/node/core.ts'
import { threadPort } from '../../../adapters/shared/worker-thread.ts'
import type { Port } from '../../../src/contract/port.ts'
import { temporaryDirectory } from '../../repository/support/volumes.ts'

export const workerFile: string = join(temporaryDirectory(), 'worker.mjs')
await build({
  entryPoints: ['adapters/node/worker.ts'],
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  outfile: workerFile,
  logLevel: 'warning',
})

export interface StartedWorker {
  port: Port
  /** As a crash would: nothing is said to the other end. */
  kill(): Promise<number>
}

export function startWorker(): StartedWorker {
  const worker = new Worker(workerFile, { workerData: { module: compileCore() } })
  return { port: threadPort(worker), kill: () => worker.terminate() }
}
