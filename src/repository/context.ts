/** What the jobs of one open repository share. */
import type { Platform } from '../contract/platform.ts'
import type { StorageBackend } from '../contract/storage.ts'
import type { Pool } from '../io/pool.ts'
import type { Config } from './config.ts'
import type { Sealer } from './seal.ts'
import type { StoredIndex } from './stored-index.ts'

export interface RepositoryContext {
  platform: Platform
  storage: StorageBackend
  config: Config
  sealer: Sealer
  index: StoredIndex
  pool: Pool
  encrypted: boolean
}
