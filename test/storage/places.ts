/** Directories that hold a storage back: by file modes, or because their disk is small. */
import { spawnSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { temporaryDirectory } from '../repository/support/volumes.ts'

const isRoot = process.getuid?.() === 0

/** Runs `work` as a user whom file modes hold back. */
export async function asNobody(root: string, work: () => Promise<void>): Promise<void> {
  if (!isRoot) return work()
  chmodSync(root, 0o755)
  process.seteuid?.(65534)
  try {
    await work()
  } finally {
    process.seteuid?.(0)
  }
}

/** Only root may mount, and not in every container. */
export function canMount(): boolean {
  if (!isRoot || process.platform !== 'linux') return false
  const place = temporaryDirectory()
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'blockvault-test', place]).status !== 0) return false
  return spawnSync('umount', [place]).status === 0
}
