/** `blockvault cinder verify STORE [BACKUP…]`: checks that backups of Cinder's can be restored, and built on, as they were made. */
import { type StoreFinding, type VerifiedStore, verifyStore } from '../../../cinder/verify-store.ts'
import type { Command } from '../../command.ts'
import { exitCodeOf } from '../../exit-codes.ts'
import { formatBytes, formatCount, formatSeconds } from '../../units.ts'
import { withEngine } from './engine.ts'
import { CINDER_BACKUP_ARGUMENT, STORE_ARGUMENT, withStore } from './store.ts'

export const cinderVerifyCommand: Command = {
  name: 'cinder verify',
  summary: 'Checks every byte of backups of Cinder, their hashes, their object lists and their chains.',
  positionals: [
    STORE_ARGUMENT,
    { ...CINDER_BACKUP_ARGUMENT, required: false, repeatable: true, help: `${CINDER_BACKUP_ARGUMENT.help}; by default every backup` },
  ],
  options: [],
  notes: [
    'Of a BACKUP, what it builds on is checked too. Objects are decoded and compared with the length and MD5 of the manifest, their blocks with the',
    'SHA-256 of the list of hashes, and what an incremental does not store with what its parent has.',
    `Exits with ${exitCodeOf('OBJECT_DAMAGED')} when something is wrong, after naming it and the backups it hurts.`,
  ],
  async run(session) {
    const { host, given, report } = session
    const [place, ...ids] = given.positionals as [string, ...string[]]
    const { result, seconds } = await withStore(session, place, (store) =>
      withEngine(session, async ({ platform, pool }) => {
        const startedAt = platform.now()
        const backups = ids.length > 0 ? ids : undefined
        const result = await verifyStore(store, { backups, ports: pool.ports, now: platform.now, signal: host.interrupted, onProgress: report.progress })
        return { result, seconds: (platform.now() - startedAt) / 1000 }
      }),
    )
    report.result({ ...result, seconds }, { answer: result.errors.flatMap(findingLines), summary: [summaryOf(result, seconds)] })
    if (result.errors.length === 0) return 0
    const hurt = new Set(result.errors.flatMap(({ backups }) => backups))
    report.complain(`${formatCount(result.errors.length, 'thing')} wrong; ${formatCount(hurt.size, 'backup')} can not be restored, or built on, as made`)
    return exitCodeOf('OBJECT_DAMAGED')
  },
}

function findingLines({ container, object, code, message, backups }: StoreFinding): string[] {
  return [`${code} ${container}/${object}: ${message}`, ...backups.map((id) => `    hurts backup ${id}`)]
}

function summaryOf({ backups, objects, bytes, errors }: VerifiedStore, seconds: number): string {
  const what = `${formatCount(backups, 'backup')}, ${formatCount(objects, 'object')}, ${formatBytes(bytes)} in ${formatSeconds(seconds)}`
  return `Checked ${what}: ${errors.length === 0 ? 'nothing is wrong' : 'WRONG'}.`
}
