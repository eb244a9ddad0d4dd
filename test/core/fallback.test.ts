import { createFallbackCore } from '../../src/core/fallback.ts'
import { coreSuite } from '../suites/core.ts'

coreSuite('fallback', createFallbackCore, { written: ['zlib'], read: ['zlib', 'zstd'] })
