/** `blockvault cinder restore STORE BACKUP TARGET`: writes a backup of Cinder's to a file or block device, without Cinder's database. */
import { restoreChain } from '../../../cinder/restore-chain.ts'
import type { ObjectStore } from '../../../contract/object-store.ts'
import { openVolumeFile } from '../../../io/volume-file.ts'
import { prepareTarget } from '../../../repository/target.ts'
import type { Command } from '../../command.ts'
import type { Session } from '../../session.ts'
import { formatBytes, formatCount, formatRate, formatSeconds } from '../../units.ts'
import { type Engine, withEngine } from './engine.ts'
import { planBackup } from './plan.ts'
import { CINDER_BACKUP_ARGUMENT, STORE_ARGUMENT, withStore } from './store.ts'

export const cinderRestoreCommand: Command = {
  name: 'cinder restore',
  summary: 'Restores a backup of Cinder to a file or block device.',
  positionals: [STORE_ARGUMENT, CINDER_BACKUP_ARGUMENT, { name: 'TARGET', help: 'a new file; with --force also an existing file or a block device' }],
  options: [{ name: '--force', help: 'replace an existing file, or overwrite a block device' }],
  notes: ['The backups that it builds on are found in STORE too. Each byte is read and written once, from the newest backup that has it.'],
  async run(session) {
    const [place, id, target] = session.given.positionals as [string, string, string]
    const restored = await withStore(session, place, (store) => withEngine(session, (engine) => restore(session, store, engine, { id, target })))
    const { bytes, writtenBytes, seconds, chain } = restored
    session.report.result(restored, {
      summary: [
        `Restored ${id} to ${target} from ${formatCount(chain.length, 'backup')}: ${formatBytes(bytes)} in ${formatSeconds(seconds)} (${formatRate(bytes, seconds)}).`,
        `${formatBytes(writtenBytes)} written, every byte checked; the rest is zeros.`,
      ],
    })
    return 0
  },
}

async function restore({ host, given, report }: Session, store: ObjectStore, engine: Engine, { id, target: path }: { id: string; target: string }) {
  const { platform, pool } = engine
  const startedAt = platform.now()
  const { chain, plan } = await planBackup({ host, given, report }, store, engine, id)
  const target = await prepareTarget(platform, path, plan.bytes, { force: given.flag('--force') })
  let writtenBytes: number
  try {
    const volume = await openVolumeFile(pool, target.path, { mode: 'write' })
    try {
      const done = await restoreChain(plan, {
        store,
        ports: pool.ports,
        target: volume,
        startsZero: target.startsZero,
        // A file that is thrown away when something is wrong may be written while it is checked.
        checkFirst: !target.startsZero,
        now: platform.now,
        random: platform.random,
        signal: host.interrupted,
        onProgress: report.progress,
      })
      writtenBytes = done.writtenBytes
    } finally {
      await volume.close()
    }
    await target.commit()
  } catch (error) {
    await target.discard().catch(() => {})
    throw error
  }
  const ids = chain.map(({ manifest }) => manifest.backupId)
  return { id, target: path, bytes: plan.bytes, writtenBytes, seconds: (platform.now() - startedAt) / 1000, chain: ids }
}
