/** The worker: this platform's volumes, cipher and core behind the engine's operations. */
import { loadCore } from '../node/core.ts'
import { serveThread } from '../shared/worker-thread.ts'
import { workerPlatform } from './worker-platform.ts'

await serveThread(loadCore, workerPlatform)
