/**
 * One backup or restore in Cinder's layout, in a process of its own: `node cinder-job.js JOB`, a JSON text. Prints one JSON line with
 * the job's seconds (as Cinder's own are counted: without the start of the process) and the rows it ended with.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { type BackupRecord, createBackupContext, createBackupService, PosixBackupDriver, volumeRecord } from '../adapters/node/cinder.ts'
import { createMemoryDatabase } from '../adapters/node/database.ts'
import { createDirectoryObjects } from '../adapters/node/object-store.ts'

export interface CinderJob {
  operation: 'backup' | 'restore'
  /** Root of the posix driver. */
  store: string
  compression: string
  /** The compression's; the driver's default when absent. */
  level?: number
  /** What is backed up or restored to. */
  volume: string
  /** The chain so far, oldest first; a restore restores the last, a backup builds on it. */
  rows: BackupRecord[]
  /** Restore to a new volume, a file that is made at `volume`, instead of over what is there. */
  isNew?: boolean
}

export interface CinderJobResult {
  seconds: number
  rows: BackupRecord[]
}

const SERVICE = 'cinder.backup.drivers.posix.PosixBackupDriver'

async function main(text: string): Promise<void> {
  const job = JSON.parse(existsSync(text) ? readFileSync(text, 'utf8') : text) as CinderJob
  const database = createMemoryDatabase()
  const context = await createBackupContext({ database })
  const volumeId = job.rows[0]?.volumeId ?? '00000000-0000-4000-8000-000000000001'
  const driver = new PosixBackupDriver(context, { store: createDirectoryObjects(job.store), compression: job.compression, level: job.level })
  const service = createBackupService({ context, drivers: { [SERVICE]: driver }, host: 'bench', resolveVolume: () => job.volume })
  const size = job.rows[0]?.size ?? Math.max(1, Math.ceil(statSync(job.volume).size / 1024 ** 3))
  await database.createVolume(volumeRecord({ id: volumeId, size }))
  for (const row of job.rows) await database.createBackup({ ...row, host: 'bench', status: 'available', service: SERVICE })
  const last = job.rows.at(-1)
  const began = performance.now()
  let rows = job.rows
  if (job.operation === 'backup') rows = [...rows, await service.create({ volumeId, ...(last ? { parentId: last.id } : {}) })]
  else if (last) await service.restore(last.id, job.isNew ? {} : { volumeId })
  const result: CinderJobResult = { seconds: (performance.now() - began) / 1000, rows }
  await service.close()
  await context.close()
  process.stdout.write(`${JSON.stringify(result)}\n`)
}

await main(process.argv[2] ?? '{}')
