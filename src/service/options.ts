/** What callers ask of a service, and what is checked of it before anything is looked up (cinder/api/schemas/backups.py). */
import { z } from 'zod'
import type { JobOptions } from '../contract/backup.ts'
import { BlockvaultError } from '../contract/errors.ts'

/** Which volume is backed up, and how. */
export interface CreateBackupOptions extends JobOptions {
  volumeId: string
  /** A UUID; random by default. */
  id?: string | undefined
  /** Build on the latest backup of the volume. False by default: a full backup. */
  incremental?: boolean | undefined
  /** Build on this backup instead of the latest. Implies `incremental`. */
  parentId?: string | undefined
  /** Also back up a volume that is `in-use`. False by default. */
  force?: boolean | undefined
  /** Back up this snapshot of the volume instead of the volume. */
  snapshotId?: string | undefined
  /** At most 255 characters. `null` by default. */
  name?: string | null | undefined
  /** At most 255 characters. `null` by default. */
  description?: string | null | undefined
  /** Where the driver shall put it. The driver's own choice by default. */
  container?: string | null | undefined
  /** Words of your own in the row, each at most 255 characters. None by default. */
  metadata?: Readonly<Record<string, string>> | undefined
  /** The service's zone by default. */
  availabilityZone?: string | undefined
  /** Class path of the driver. The service's first by default. */
  service?: string | undefined
  /** Save the volume's metadata too. The driver's default otherwise. */
  backupMetadata?: boolean | undefined
}

/** Which volume a backup is restored to. */
export interface RestoreBackupOptions extends JobOptions {
  /** An existing volume, `available` and large enough. A new one of the backup's size by default. */
  volumeId?: string | undefined
  /** Name of the new volume; `restore_backup_<id>` by default, which the name saved in the backup replaces. */
  name?: string | undefined
}

const text255 = z.string().max(255)

/** `z.looseObject`: functions and signals beside these are for the compiler to check. */
const createOptions = z.looseObject({
  volumeId: text255.min(1),
  id: z.uuid().optional(),
  incremental: z.boolean().optional(),
  parentId: text255.min(1).optional(),
  force: z.boolean().optional(),
  snapshotId: text255.min(1).optional(),
  name: text255.nullish(),
  description: text255.nullish(),
  container: text255.min(1).nullish(),
  metadata: z.record(text255.min(1), text255).optional(),
  availabilityZone: text255.min(1).optional(),
  service: text255.optional(),
  backupMetadata: z.boolean().optional(),
})

const restoreOptions = z.looseObject({ volumeId: text255.min(1).optional(), name: text255.optional() })

/** @throws InvalidInput */
export function checkCreateOptions(options: CreateBackupOptions): void {
  check(createOptions, options)
}

/** @throws InvalidInput */
export function checkRestoreOptions(options: RestoreBackupOptions): void {
  check(restoreOptions, options)
}

function check(schema: z.ZodType, options: unknown): void {
  const parsed = schema.safeParse(options)
  if (parsed.success) return
  const issue = parsed.error.issues[0]
  throw new BlockvaultError('InvalidInput', `Invalid input received: ${issue?.path.join('.')}: ${issue?.message}.`, { cause: parsed.error })
}
