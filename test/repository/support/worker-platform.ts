/** Node with worker threads that run the sources as they are now. */
import { inlinePort } from '../../../adapters/node/spawn.ts'
import type { Platform } from '../../../src/contract/platform.ts'
import { startWorker } from '../../io/support/worker.ts'
import { platform as node } from './repositories.ts'

export const platform: Platform = { ...node, spawn: ({ inline }) => (inline ? inlinePort(node.core) : startWorker().port) }
