/** The adapter, as the programs of these tests take it. */
import { createDirectoryObjects, createDirectoryStorage } from '../../adapters/bun/index.ts'
import { loadCore } from '../../adapters/node/core.ts'
import { createPlatform } from '../../adapters/bun/platform.ts'
import type { Adapter } from './conformance.ts'

export const adapter: Adapter = { createPlatform, loadCore, createDirectoryStorage, createDirectoryObjects }
