/** The worker: this platform's volumes, cipher and core behind the engine's operations. */
import { serveThread } from '../shared/worker-thread.ts'
import { loadCore } from './core.ts'
import { workerPlatform } from './worker-platform.ts'

await serveThread(loadCore, workerPlatform)
