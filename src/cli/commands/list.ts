/** `blockvault list`: the backups in the repository. */
import type { BackupInfo } from '../../contract/backup.ts'
import type { ErrorCode } from '../../contract/errors.ts'
import type { Command } from '../command.ts'
import { exitCodeOf } from '../exit-codes.ts'
import { openRepository, withRepository } from '../session.ts'
import { formatTable } from '../table.ts'
import { formatBytes, formatTime } from '../units.ts'

export const listCommand: Command = {
  name: 'list',
  summary: 'Lists the backups, newest first.',
  positionals: [],
  options: [{ name: '--volume', value: 'NAME', help: 'only the backups of this volume' }],
  notes: [`Exits with ${exitCodeOf('OBJECT_DAMAGED')} when a backup's description can not be read; the others are listed.`],
  async run(session) {
    const { host, given, report } = session
    const volume = given.value('--volume')
    const damaged: { id: string; code: ErrorCode; message: string }[] = []
    const backups = await withRepository(openRepository(session), (repository) =>
      repository.list({
        volume,
        signal: host.interrupted,
        onDamaged: (id, { code, message }) => damaged.push({ id, code, message }),
      }),
    )
    report.result({ backups, damaged }, { answer: backups.length > 0 ? tableOf(backups) : [], summary: backups.length > 0 ? [] : ['No backups.'] })
    for (const { id, code, message } of damaged) report.complain(`backup ${id} can not be read: ${message} [${code}]`)
    return damaged.length > 0 ? exitCodeOf('OBJECT_DAMAGED') : 0
  },
}

function tableOf(backups: readonly BackupInfo[]): string[] {
  return formatTable(
    [
      { title: 'ID' },
      { title: 'CREATED' },
      { title: 'VOLUME' },
      { title: 'SIZE', align: 'right' },
      { title: 'NEW', align: 'right' },
      { title: 'STORED', align: 'right' },
      { title: 'TAGS' },
    ],
    backups.map((backup) => [
      backup.id,
      formatTime(backup.createdAt),
      backup.volume,
      formatBytes(backup.volumeBytes),
      formatBytes(backup.newBytes),
      formatBytes(backup.storedBytes),
      formatTags(backup.tags),
    ]),
  )
}

/** Without the JSON that `cinder import` keeps in tags: `show` has it. */
function formatTags(tags: BackupInfo['tags']): string {
  return Object.entries(tags)
    .filter(([key]) => !key.startsWith('cinder.volume_meta.'))
    .map(([key, value]) => `${key}=${value}`)
    .join(' ')
}
