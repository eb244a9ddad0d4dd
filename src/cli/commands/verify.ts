/** `blockvault verify [BACKUP…]`: checks that backups can be restored whole. */
import type { VerifyFinding, VerifyResult } from '../../contract/backup.ts'
import type { Command } from '../command.ts'
import { exitCodeOf } from '../exit-codes.ts'
import { BACKUP_HELP } from '../options.ts'
import { openRepository, withRepository } from '../session.ts'
import { formatBytes, formatCount, formatSeconds } from '../units.ts'

export const verifyCommand: Command = {
  name: 'verify',
  summary: 'Checks that backups can be restored whole.',
  positionals: [{ name: 'BACKUP', required: false, repeatable: true, help: `${BACKUP_HELP}; by default every backup` }],
  options: [{ name: '--read-data', help: 'read every byte back; without it only that everything is there' }],
  notes: [`Exits with ${exitCodeOf('OBJECT_DAMAGED')} when damage was found, after naming it and the backups it hurts.`],
  async run(session) {
    const { host, given, report } = session
    const references = given.positionals
    const readData = given.flag('--read-data')
    const result = await withRepository(openRepository(session), async (repository) => {
      const ids = new Set<string>()
      for (const reference of references) ids.add((await repository.show(reference)).id)
      const backups = references.length > 0 ? [...ids] : undefined
      return repository.verify({ backups, readData, signal: host.interrupted, onProgress: report.progress })
    })
    report.result(result, { answer: result.errors.flatMap(findingLines), summary: [summaryOf(result, readData)] })
    if (result.errors.length === 0) return 0
    const hurt = new Set(result.errors.flatMap((finding) => finding.backups))
    report.complain(
      `damage found: ${formatCount(result.errors.length, 'object')} missing or altered; ${formatCount(hurt.size, 'backup')} can not be restored whole`,
    )
    return exitCodeOf('OBJECT_DAMAGED')
  },
}

function findingLines({ object, code, message, backups }: VerifyFinding): string[] {
  return [`${code} ${object}: ${message}`, ...backups.map((id) => `    hurts backup ${id}`)]
}

function summaryOf({ backups, chunks, bytes, errors, seconds }: VerifyResult, readData: boolean): string {
  const what = `${formatCount(backups, 'backup')}, ${formatCount(chunks, 'chunk')}, ${formatBytes(bytes)} in ${formatSeconds(seconds)}`
  const how = readData ? 'every byte read back' : 'everything is looked up, not read: --read-data does'
  return `Checked ${what} (${how}): ${errors.length === 0 ? 'no damage' : 'DAMAGED'}.`
}
