/** Worker threads that run the sources as they are now, whatever `dist/` was built from, and that a test may end. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { compileCore } from '../../../adapters/node/core.ts'
import { startWorker as startThreadWorker } from '../../../adapters/shared/worker-thread.ts'
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
  const { port, worker } = startThreadWorker(pathToFileURL(workerFile), { module: compileCore() })
  return { port, kill: () => worker.terminate() }
}
