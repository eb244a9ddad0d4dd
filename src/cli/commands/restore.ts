/** `blockvault restore BACKUP TARGET`: writes a backup, or a range of it, to a file or block device. */
import type { Command } from '../command.ts'
import { BACKUP_HELP } from '../options.ts'
import { openRepository, withRepository } from '../session.ts'
import { formatBytes, formatRate, formatSeconds } from '../units.ts'
import { parseRange } from '../values.ts'

export const restoreCommand: Command = {
  name: 'restore',
  summary: 'Restores a backup to a file or block device.',
  positionals: [
    { name: 'BACKUP', help: BACKUP_HELP },
    { name: 'TARGET', help: 'a new file; with --force also an existing file or a block device' },
  ],
  options: [
    { name: '--force', help: 'replace an existing file, or overwrite a block device' },
    { name: '--overwrite-source', help: 'also allow the volume that the backup was made from' },
    { name: '--range', value: 'OFFSET:LENGTH', help: 'only this part of the volume, to the start of TARGET; K, M, G, T are powers of 1024' },
  ],
  async run(session) {
    const { host, given, report } = session
    const [reference, target] = given.positionals as [string, string]
    const rangeText = given.value('--range')
    const options = {
      force: given.flag('--force'),
      overwriteSource: given.flag('--overwrite-source'),
      range: rangeText === undefined ? undefined : parseRange(rangeText),
    }
    const restored = await withRepository(openRepository(session), (repository) =>
      repository.restore(reference, target, { ...options, signal: host.interrupted, onProgress: report.progress }),
    )
    const { id, bytes, writtenBytes, seconds } = restored
    report.result(restored, {
      summary: [
        `Restored ${id} to ${restored.target}: ${formatBytes(bytes)} in ${formatSeconds(seconds)} (${formatRate(bytes, seconds)}).`,
        `${formatBytes(writtenBytes)} written, every byte checked before; the rest is zeros.`,
      ],
    })
    return 0
  },
}
