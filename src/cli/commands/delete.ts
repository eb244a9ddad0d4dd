/** `blockvault delete BACKUP…`: removes backups. */
import type { Command } from '../command.ts'
import { BACKUP_HELP } from '../options.ts'
import { openRepository, withRepository } from '../session.ts'

export const deleteCommand: Command = {
  name: 'delete',
  summary: 'Removes backups.',
  positionals: [{ name: 'BACKUP', repeatable: true, help: BACKUP_HELP }],
  options: [],
  notes: ['The chunks that only these backups used stay stored, and later backups use them again.'],
  async run(session) {
    const { host, given, report } = session
    const deleted = await withRepository(openRepository(session), (repository) => repository.delete(given.positionals, { signal: host.interrupted }))
    report.result({ deleted }, { summary: deleted.map((id) => `Deleted ${id}.`) })
    return 0
  },
}
