/** The adapter, as the programs of these tests take it. */
import { createDirectoryObjects, createDirectoryStorage } from '../../adapters/deno/index.ts'
import { loadCore } from '../../adapters/deno/core.ts'
import { createPlatform } from '../../adapters/deno/platform.ts'
import type { Adapter } from './conformance.ts'

export const adapter: Adapter = { createPlatform, loadCore, createDirectoryStorage, createDirectoryObjects }
