/** The worker: this platform's volumes, cipher and core behind the engine's operations. */
import { parentPort, workerData } from 'node:worker_threads'
import { serve } from '../../src/io/server.ts'
import { workerHandlers } from '../../src/pipeline/worker.ts'
import { nodeAead } from './aead.ts'
import { nodeHashes } from './hashes.ts'
import { loadCore } from './core.ts'
import { createVolumeHost } from './volumes.ts'

const port = parentPort
if (!port) throw new Error('This file runs as a worker thread only.')

const { module } = workerData as { module: WebAssembly.Module | undefined }
const core = await loadCore(module)
serve(
  {
    post: (message, transfer) => port.postMessage(message, [...transfer]),
    listen: (onMessage) => port.on('message', onMessage),
    close: () => port.close(),
  },
  workerHandlers({ core, aead: nodeAead, hashes: nodeHashes, volumes: createVolumeHost() }),
)
