/** Every command, in the order of the help. */
import type { Command } from './command.ts'
import { backupCommand } from './commands/backup.ts'
import { benchCommand } from './commands/bench.ts'
import { deleteCommand } from './commands/delete.ts'
import { initCommand } from './commands/init.ts'
import { listCommand } from './commands/list.ts'
import { restoreCommand } from './commands/restore.ts'
import { showCommand } from './commands/show.ts'
import { verifyCommand } from './commands/verify.ts'

export const COMMANDS: readonly Command[] = [initCommand, backupCommand, listCommand, showCommand, restoreCommand, verifyCommand, deleteCommand, benchCommand]
