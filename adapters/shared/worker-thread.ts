/**
 * Both ends of a worker thread, by node:worker_threads, which Node, Deno and Bun have alike. (Deno's own Worker keeps the process alive for
 * as long as it runs, and tells nobody when it ends.)
 */
import { setTimeout } from 'node:timers'
import { parentPort, Worker, workerData } from 'node:worker_threads'
import type { Core } from '../../src/contract/core.ts'
import type { WorkerPlatform } from '../../src/contract/platform.ts'
import type { Port } from '../../src/contract/port.ts'
import { createPort } from '../../src/io/proxy.ts'
import { serve } from '../../src/io/server.ts'
import { workerHandlers } from '../../src/pipeline/worker.ts'

/** What a thread says once it listens. */
const READY = 'ready'
/** Starting takes a tenth of a second. A thread that is not ready by then never will be; a call may take as long as a disk takes. */
const START_MS_MAX = 60_000

export interface ThreadOptions {
  /** Compiled once, shared with every thread; `undefined` where it does not compile. */
  module: WebAssembly.Module | undefined
  /** Milliseconds until a thread that is not ready counts as dead; a minute by default. */
  startMsMax?: number | undefined
}

/** Starts the thread that `file` is the code of. */
export function startThread(file: URL, { module, startMsMax = START_MS_MAX }: ThreadOptions): Port {
  // Flags of the process (--input-type=module, --inspect) are not the thread's.
  return threadPort(new Worker(file, { workerData: { module }, execArgv: [] }), startMsMax)
}

export function threadPort(worker: Worker, startMsMax: number = START_MS_MAX): Port {
  // A thread keeps the process alive only while it owes an answer: a forgotten close() does not hang a script.
  worker.unref()
  let owed = 0
  return createPort({
    post(message, transfer) {
      worker.postMessage(message, [...transfer])
      if (owed++ === 0) worker.ref()
    },
    listen(onMessage, onGone) {
      const late = setTimeout(() => {
        onGone(new Error(`it was not ready ${startMsMax / 1000} s after its start`))
        void worker.terminate()
      }, startMsMax)
      late.unref()
      worker.on('message', (message) => {
        if (message === READY) return clearTimeout(late)
        if (--owed === 0) worker.unref()
        onMessage(message)
      })
      worker.on('messageerror', onGone)
      worker.on('error', onGone)
      worker.on('exit', (code) => {
        clearTimeout(late)
        onGone(new Error(`exit code ${code}`))
      })
    },
    close: async () => void (await worker.terminate()),
  })
}

/** Runs in the thread: loads the core, then answers what the other end asks. */
export async function serveThread(
  loadCore: (module: WebAssembly.Module | undefined) => Promise<Core>,
  platform: (core: Core) => WorkerPlatform,
): Promise<void> {
  const port = parentPort
  if (!port) throw new Error('This file runs as a worker thread only.')
  const { module } = workerData as { module: WebAssembly.Module | undefined }
  const handlers = workerHandlers(platform(await loadCore(module)))
  serve(
    {
      post: (message, transfer) => port.postMessage(message, [...transfer]),
      listen: (onMessage) => port.on('message', onMessage),
      close: () => port.close(),
    },
    handlers,
  )
  port.postMessage(READY)
}
