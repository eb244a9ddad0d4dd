/** The edge as a `Platform`: what browsers and edge workers have in common, and nothing of any one of them. */
import type { Core } from '../../src/contract/core.ts'
import type { Platform } from '../../src/contract/platform.ts'
import { edgeAead } from './aead.ts'
import { edgePort } from './operations.ts'
import type { Targets } from './targets.ts'

/** Four of them are under way at once: a worker has 128 MB for everything, and V8 lets half of that lie as garbage. */
const BATCH_BYTES = 2 * 1024 * 1024
/** 1 GiB of volume at 64 KiB: some 4 MiB. */
const PLAN_CHUNKS = 16 * 1024

export function createPlatform(core: Core, targets: Targets): Platform {
  return {
    core,
    aead: edgeAead,
    spawn: () => edgePort(core, targets.host),
    workersDefault: 0,
    batchBytes: BATCH_BYTES,
    planChunks: PLAN_CHUNKS,
    volumeFacts: async (path) => targets.facts(path),
    hostName: '',
    now: () => Date.now(),
    random: (length) => crypto.getRandomValues(new Uint8Array(length)),
    createTarget: async (path, options) => targets.createTarget(path, options),
    close: async () => {},
  }
}
