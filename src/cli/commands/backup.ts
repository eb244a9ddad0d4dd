/** `blockvault backup SOURCE`: backs a volume up. */
import type { Command } from '../command.ts'
import { NO_ENCRYPTION_OPTION } from '../options.ts'
import { openOrCreateRepository, withRepository } from '../session.ts'
import { formatBytes, formatRate, formatSeconds } from '../units.ts'
import { parseTags } from '../values.ts'

export const backupCommand: Command = {
  name: 'backup',
  summary: 'Backs a block device or disk image up.',
  positionals: [{ name: 'SOURCE', help: 'a block device or a file' }],
  options: [
    { name: '--volume', value: 'NAME', help: "the volume's name; by default the last part of SOURCE" },
    { name: '--tag', value: 'KEY=VALUE', repeatable: true, help: 'kept with the backup' },
    NO_ENCRYPTION_OPTION,
  ],
  notes: ['Without --repo, the first backup makes the repository. A repository named by --repo is made by `blockvault init`.'],
  async run(session) {
    const { host, given, report } = session
    const source = given.positionals[0]!
    const options = { volume: given.value('--volume'), tags: parseTags(given.values('--tag')) }
    let location = ''
    const backup = await withRepository(openOrCreateRepository(session, source), (repository) => {
      location = repository.location
      return repository.backup(source, { ...options, signal: host.interrupted, onProgress: report.progress })
    })
    const { id, volume, volumeBytes, readBytes, newBytes, storedBytes, seconds } = backup
    report.result(backup, {
      summary: [
        `Backed up ${volume} as ${id}: ${formatBytes(volumeBytes)} in ${formatSeconds(seconds)} (${formatRate(readBytes, seconds)}).`,
        `${formatBytes(newBytes)} new, ${formatBytes(storedBytes)} stored in ${location}.`,
      ],
    })
    return 0
  },
}
