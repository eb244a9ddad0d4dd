/** Every command, in the order of the help. */
import type { Command } from './command.ts'
import { backupCommand } from './commands/backup.ts'
import { benchCommand } from './commands/bench.ts'
import { cinderExportCommand } from './commands/cinder/export.ts'
import { cinderImportCommand } from './commands/cinder/import.ts'
import { cinderListCommand } from './commands/cinder/list.ts'
import { cinderRecordDecodeCommand, cinderRecordEncodeCommand } from './commands/cinder/record.ts'
import { cinderRestoreCommand } from './commands/cinder/restore.ts'
import { cinderVerifyCommand } from './commands/cinder/verify.ts'
import { deleteCommand } from './commands/delete.ts'
import { initCommand } from './commands/init.ts'
import { listCommand } from './commands/list.ts'
import { restoreCommand } from './commands/restore.ts'
import { showCommand } from './commands/show.ts'
import { verifyCommand } from './commands/verify.ts'
import type { CommandGroup } from './help.ts'

export const COMMANDS: readonly Command[] = [
  initCommand,
  backupCommand,
  listCommand,
  showCommand,
  restoreCommand,
  verifyCommand,
  deleteCommand,
  benchCommand,
  cinderListCommand,
  cinderVerifyCommand,
  cinderRestoreCommand,
  cinderImportCommand,
  cinderExportCommand,
  cinderRecordDecodeCommand,
  cinderRecordEncodeCommand,
]

export const COMMAND_GROUPS: readonly CommandGroup[] = [{ name: 'cinder', summary: "Reads and writes the backups of OpenStack Cinder's drivers." }]
