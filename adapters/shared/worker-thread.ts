/**
 * Both ends of a worker thread, by node:worker_threads, which Node, Deno and Bun have alike: Deno's own Worker keeps the process alive for as
 * long as it runs, and tells nobody when it ends.
 *
 * Messages go through a channel of the web's. On Deno those of node:worker_threads are searched for ports, byte by byte: a restore took
 * twelve times as long.
 */
import { setTimeout } from 'node:timers'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker, workerData } from 'node:worker_threads'
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
/** Whoever closes a thread waits no longer for its end. */
const ENDING_MS_MAX = 5000

export interface ThreadOptions {
  /** Compiled once, shared with every thread; `undefined` where it does not compile. */
  module: WebAssembly.Module | undefined
  /** Milliseconds until a thread that is not ready counts as dead; a minute by default. */
  startMsMax?: number | undefined
}

/** Starts the thread that `file` is the code of. */
export function startThread(file: URL, options: ThreadOptions): Port {
  return startWorker(file, options).port
}

/** The thread behind the port too, for those who may end it. */
export function startWorker(file: URL, { module, startMsMax = START_MS_MAX }: ThreadOptions): { port: Port; worker: Worker } {
  const { port1, port2 } = new MessageChannel() as { port1: ThreadPort; port2: MessagePort }
  const data: ThreadData = { module, port: port2 }
  // Flags of the process (--input-type=module, --inspect) are not the thread's.
  const worker = new Worker(file, { workerData: data, transferList: [port2 as never], execArgv: [] })
  return { port: portTo(worker, port1, startMsMax), worker }
}

interface ThreadData {
  module: WebAssembly.Module | undefined
  port: MessagePort
}

/** The web's port, as the runtimes have it: they can let a process end though it is open. Deno can since 2.8; before, close() is needed. */
interface ThreadPort extends MessagePort {
  ref?(): void
  unref?(): void
}

function portTo(worker: Worker, port: ThreadPort, startMsMax: number): Port {
  // A thread keeps the process alive only while it owes an answer: a forgotten close() does not hang a script, and an end is always heard.
  const hold = () => {
    worker.ref()
    port.ref?.()
  }
  const letGo = () => {
    worker.unref()
    port.unref?.()
  }
  let owed = 0
  return createPort({
    post(message, transfer) {
      port.postMessage(message, [...transfer])
      if (owed++ === 0) hold()
    },
    listen(onMessage, onGone) {
      const late = setTimeout(() => {
        onGone(new Error(`it was not ready ${startMsMax / 1000} s after its start`))
        void worker.terminate()
      }, startMsMax)
      late.unref()
      const gone = (reason: unknown) => {
        clearTimeout(late)
        port.close()
        onGone(reason)
      }
      port.addEventListener('message', ({ data }: MessageEvent) => {
        if (data === READY) return clearTimeout(late)
        if (--owed === 0) letGo()
        onMessage(data)
      })
      port.addEventListener('messageerror', onGone)
      worker.on('error', gone)
      worker.on('exit', (code) => gone(new Error(`exit code ${code}`)))
      port.start()
      letGo()
    },
    async close() {
      port.close()
      // A thread that hangs in a system call ends when that returns.
      await Promise.race([worker.terminate(), sleep(ENDING_MS_MAX, undefined, { ref: false })])
    },
  })
}

/** Runs in the thread: loads the core, then answers what the other end asks. */
export async function serveThread(
  loadCore: (module: WebAssembly.Module | undefined) => Promise<Core>,
  platform: (core: Core) => WorkerPlatform,
): Promise<void> {
  const { module, port } = workerData as ThreadData
  const handlers = workerHandlers(platform(await loadCore(module)))
  serve(
    {
      post: (message, transfer) => port.postMessage(message, [...transfer]),
      listen(onMessage) {
        port.addEventListener('message', ({ data }: MessageEvent) => onMessage(data))
        port.start()
      },
      close: () => port.close(),
    },
    handlers,
  )
  port.postMessage(READY)
}
