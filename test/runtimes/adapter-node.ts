/** The adapter, as the programs of these tests take it. */
import { createDirectoryObjects, createDirectoryStorage } from '../../adapters/node/index.ts'
import { loadCore } from '../../adapters/node/core.ts'
import { createPlatform } from '../../adapters/node/platform.ts'
import type { Adapter } from './conformance.ts'

export const adapter: Adapter = { createPlatform, loadCore, createDirectoryStorage, createDirectoryObjects }
