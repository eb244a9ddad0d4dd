/** A whole backup driver: it keeps volumes in this process's memory. Yours keeps them where you like; the rest is the same. */
import { BackupDriver, type BackupDriverOptions } from '../../src/contract/backup-driver.ts'
import type { JobOptions } from '../../src/contract/backup.ts'
import type { BackupRecord, BackupUpdates } from '../../src/contract/records.ts'
import type { VolumeFile } from '../../src/contract/volume.ts'

const PIECE_BYTES = 1024 * 1024

export class ExampleBackupDriver extends BackupDriver {
  override readonly supportForceDelete = true
  readonly stored = new Map<string, { pieces: Uint8Array[]; metadata?: string }>()

  async backup(
    backup: BackupRecord,
    volume: VolumeFile,
    { backupMetadata = false, signal, onProgress }: BackupDriverOptions = {},
  ): Promise<BackupUpdates | undefined> {
    const pieces: Uint8Array[] = []
    this.stored.set(backup.id, { pieces })
    for (let offset = 0; offset < volume.size; offset += PIECE_BYTES) {
      if (!(await this.goesOn(backup, signal))) return void (await this.deleteBackup(backup))
      pieces.push(await volume.readAt(offset, PIECE_BYTES))
      const doneBytes = Math.min(offset + PIECE_BYTES, volume.size)
      onProgress?.({ phase: 'backup', doneBytes, totalBytes: volume.size, newBytes: doneBytes, storedBytes: doneBytes })
    }
    if (backupMetadata) this.stored.set(backup.id, { pieces, metadata: await this.getMetadata(backup.volumeId) })
    return { objectCount: pieces.length }
  }

  async restore(backup: BackupRecord, volumeId: string, volume: VolumeFile, _volumeIsNew: boolean, { signal, onProgress }: JobOptions = {}): Promise<void> {
    const { pieces = [], metadata } = this.stored.get(backup.id) ?? {}
    for (const [index, piece] of pieces.entries()) {
      await this.checkRestoring(backup, volumeId, signal)
      await volume.writeAt(index * PIECE_BYTES, piece)
      onProgress?.({ phase: 'restore', doneBytes: index + 1, totalBytes: pieces.length, newBytes: 0, storedBytes: 0 })
    }
    if (metadata !== undefined) await this.putMetadata(volumeId, metadata)
  }

  async deleteBackup(backup: BackupRecord): Promise<void> {
    this.stored.delete(backup.id)
  }
}
