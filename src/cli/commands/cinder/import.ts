/** `blockvault cinder import STORE BACKUP`: takes a backup of Cinder's into the repository. */
import { chainVolume } from '../../../cinder/chain-volume.ts'
import { isBackupId, originTags } from '../../../cinder/origin.ts'
import type { BackupResult, Repository } from '../../../contract/backup.ts'
import { BlockvaultError, isBlockvaultError } from '../../../contract/errors.ts'
import type { ObjectStore } from '../../../contract/object-store.ts'
import type { Command } from '../../command.ts'
import { openRepository, type Session, withRepository } from '../../session.ts'
import { formatBytes, formatCount, formatRate, formatSeconds } from '../../units.ts'
import { type Engine, withEngine } from './engine.ts'
import { planBackup } from './plan.ts'
import { CINDER_BACKUP_ARGUMENT, STORE_ARGUMENT, withStore } from './store.ts'

export const cinderImportCommand: Command = {
  name: 'cinder import',
  summary: 'Takes a backup of Cinder into the repository.',
  positionals: [STORE_ARGUMENT, CINDER_BACKUP_ARGUMENT],
  options: [],
  notes: [
    'It becomes a backup that needs no other, with the same id, filed under the id of its volume; what it has in common with others is stored once.',
    'Name, description, time and volume metadata are kept as tags, so that `cinder export` gives them back.',
  ],
  async run(session) {
    const [place, id] = session.given.positionals as [string, string]
    const { backup, chain } = await withRepository(openRepository(session), async (repository) => {
      await refuseExisting(repository, id)
      return withStore(session, place, (store) => withEngine(session, (engine) => importBackup(session, { repository, store, engine, id })))
    })
    const { volume, volumeBytes, newBytes, storedBytes, seconds } = backup
    session.report.result(
      { ...backup, chain },
      {
        summary: [
          `Imported ${id} of ${volume} from ${formatCount(chain.length, 'backup')}: ${formatBytes(volumeBytes)} in ${formatSeconds(seconds)} (${formatRate(volumeBytes, seconds)}).`,
          `${formatBytes(newBytes)} new, ${formatBytes(storedBytes)} stored.`,
        ],
      },
    )
    return 0
  },
}

/** Found out before everything is read: a backup's id is there once. */
async function refuseExisting(repository: Repository, id: string): Promise<void> {
  if (!isBackupId(id)) throw new BlockvaultError('InvalidInput', `${JSON.stringify(id)} is no id that a repository can keep: a UUID in small letters is.`)
  try {
    await repository.show(id)
  } catch (error) {
    if (isBlockvaultError(error, 'BACKUP_NOT_FOUND')) return
    throw error
  }
  throw new BlockvaultError('OBJECT_EXISTS', `Backup ${id} is in ${repository.location} already. Delete it first to import it again.`, { details: { id } })
}

async function importBackup(
  session: Session,
  { repository, store, engine, id }: { repository: Repository; store: ObjectStore; engine: Engine; id: string },
): Promise<{ backup: BackupResult; chain: string[] }> {
  const { host, report } = session
  const { chain, plan } = await planBackup(session, store, engine, id)
  const { manifest } = chain.at(-1)!
  const { tags, keepsVolumeMeta } = originTags(manifest)
  if (!keepsVolumeMeta) report.complain(`the volume metadata of ${id} is too long to be kept, and is left out`)
  const volume = chainVolume(plan, { store, ports: engine.pool.ports, signal: host.interrupted })
  try {
    const backup = await repository.backup(volume, { id, volume: manifest.volumeId, tags, signal: host.interrupted, onProgress: report.progress })
    return { backup, chain: chain.map((member) => member.manifest.backupId) }
  } finally {
    await volume.close()
  }
}
