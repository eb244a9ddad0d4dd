/**
 * A program: one job of the cross-runtime matrix. Writes backups with a clock, a random source and keys that are the same everywhere, or restores
 * every backup of a repository. Its argument is a `MatrixJob`; the answer is a JSON line.
 */
import { createHash } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import type { ChunkerOptions } from '../../src/contract/core.ts'
import type { Platform } from '../../src/contract/platform.ts'
import { initRepository, openRepository } from '../../src/repository/open.ts'
import { noise } from '../repository/support/random.ts'
import { adapter } from './adapter-node.ts'

export interface MatrixJob {
  repository: string
  encryption: boolean
  chunker: ChunkerOptions
  /** Volumes to back up, in this order; none: restore everything to `target` instead. */
  volumes: string[]
  target: string
}

/** Of each backup, by its volume's name, the SHA-256 of what was restored. */
export type Restored = Record<string, string>

const KEY = noise(1, 32)

const job = JSON.parse(process.argv.at(-1) as string) as MatrixJob
const platform = sameEverywhere(await adapter.createPlatform())
const storage = adapter.createDirectoryStorage(job.repository)
const options = { workers: 1, ...(job.encryption ? { credentials: { key: KEY } } : {}) }
if (job.volumes.length > 0) await initRepository(platform, storage, { ...options, init: { encryption: job.encryption, chunker: job.chunker } })
const repository = await openRepository(platform, storage, options)
for (const volume of job.volumes) await repository.backup(volume, { tags: { made: 'alike' } })
const restored: Restored = {}
if (job.volumes.length === 0) {
  for (const { id, volume } of await repository.list()) {
    await repository.restore(id, job.target)
    restored[volume] = createHash('sha256').update(readFileSync(job.target)).digest('hex')
    rmSync(job.target)
  }
}
await repository.close()
process.stdout.write(`\n${JSON.stringify(restored)}\n`)

/** A clock that stands (how often it is looked at depends on the pace), random bytes from a seed, one name. */
function sameEverywhere(platform: Platform): Platform {
  let draws = 0
  return { ...platform, hostName: 'somewhere', now: () => 1_800_000_000_000, random: (length) => noise(1000 + draws++, length) }
}
