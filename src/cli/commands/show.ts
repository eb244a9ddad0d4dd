/** `blockvault show BACKUP`: everything known of one backup. */
import type { BackupInfo } from '../../contract/backup.ts'
import type { Command } from '../command.ts'
import { BACKUP_HELP } from '../options.ts'
import { openRepository, withRepository } from '../session.ts'
import { formatFields } from '../table.ts'
import { formatBytes, formatSeconds, formatTime } from '../units.ts'

export const showCommand: Command = {
  name: 'show',
  summary: 'Shows one backup.',
  positionals: [{ name: 'BACKUP', help: BACKUP_HELP }],
  options: [],
  async run(session) {
    const reference = session.given.positionals[0]!
    const backup = await withRepository(openRepository(session), (repository) => repository.show(reference))
    session.report.result({ backup }, { answer: fieldsOf(backup) })
    return 0
  },
}

function fieldsOf(backup: BackupInfo): string[] {
  return formatFields([
    ['id', backup.id],
    ['volume', backup.volume],
    ['created', formatTime(backup.createdAt)],
    ['size', exactBytes(backup.volumeBytes)],
    ['source', backup.sourcePath],
    ['host', backup.hostName],
    ...Object.entries(backup.tags).map(([key, value]) => ['tag', `${key}=${value}`] as const),
    ['read', exactBytes(backup.readBytes)],
    ['new', exactBytes(backup.newBytes)],
    ['stored', exactBytes(backup.storedBytes)],
    ['took', formatSeconds(backup.seconds)],
    ['digest', backup.digest],
  ])
}

function exactBytes(bytes: number): string {
  return bytes < 1024 ? formatBytes(bytes) : `${formatBytes(bytes)} (${bytes} bytes)`
}
