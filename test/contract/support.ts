/** A context in memory, and what the tests of the contract and the service share. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { BackupContext } from '../../src/contract/backup-context.ts'
import { createMemoryDatabase } from '../../src/database/memory.ts'
import { noise, SEED } from '../repository/support/random.ts'
import { platform } from '../repository/support/repositories.ts'

export const USER = '00000000-0000-4000-8000-0000000000bb'
export const PROJECT = '00000000-0000-4000-8000-0000000000cc'

let randoms = SEED

/** Runs everything on the calling thread, unless it is given ports. */
export async function memoryContext(changes: Partial<BackupContext> = {}): Promise<BackupContext> {
  return {
    database: createMemoryDatabase(),
    ports: changes.ports ?? [await platform.spawn({ inline: true })],
    core: platform.core,
    userId: USER,
    projectId: PROJECT,
    availabilityZone: 'nova',
    metadataVersion: 2,
    now: () => Date.now(),
    random: (length) => noise(randoms++, length),
    ...changes,
  }
}

/** A file that lies beside the checkout where the project is made; `undefined` elsewhere. */
export function shared(name: string): string | undefined {
  const path = fileURLToPath(new URL(`../../../shared/${name}`, import.meta.url))
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}
