/**
 * What a caller of the library gives and gets. Sizes and offsets are bytes, times are ISO 8601 strings in UTC.
 */
import type { ChunkerOptions } from './core.ts'
import type { BlockvaultError } from './errors.ts'
import type { VolumeFile } from './volume.ts'

/** Progress of a long job. Called at most every 100 ms and once at the end. */
export interface Progress {
  phase: 'backup' | 'restore' | 'verify'
  doneBytes: number
  totalBytes: number
  /** Plaintext of chunks that were new (backup only). */
  newBytes: number
  /** Bytes that reached the storage (backup only). */
  storedBytes: number
}

/** What every long job takes. */
export interface JobOptions {
  /** Cancels the job: it rejects with CANCELLED. */
  signal?: AbortSignal | undefined
  /** Told how far the job is. Nobody by default. */
  onProgress?: ((progress: Progress) => void) | undefined
}

/** How a backup is made. */
export interface BackupOptions extends JobOptions {
  /** Name of the volume; the source's base name by default. */
  volume?: string | undefined
  /** Words of your own, kept with the backup. None by default. */
  tags?: Readonly<Record<string, string>> | undefined
  /**
   * Decode every frame again before it is stored, instead of one in eight. False by default: it costs a fifth of a first backup.
   * `verify` with `readData` reads back what is stored.
   */
  checkEveryFrame?: boolean | undefined
  /** A UUID; random by default. */
  id?: string | undefined
}

/** One backup, as the repository describes it. */
export interface BackupInfo {
  id: string
  volume: string
  /** When the backup began. */
  createdAt: string
  volumeBytes: number
  /** Where it was read from: a path on `hostName`, or `''` when a handle was passed in. */
  sourcePath: string
  hostName: string
  tags: Readonly<Record<string, string>>
  /** What this backup read, found new and stored. */
  readBytes: number
  newBytes: number
  storedBytes: number
  seconds: number
  /** Root of the volume map in hex: equal for two backups of equal content in one repository. */
  digest: string
}

/** What `backup` resolves with: the backup as it was stored. */
export type BackupResult = BackupInfo

/** What of a backup is restored, and what may be written over. */
export interface RestoreOptions extends JobOptions {
  /** Replace an existing file, or write to a block device. False by default. */
  force?: boolean | undefined
  /** Also allow the volume that the backup was made from. False by default: `force` alone does not cover it. */
  overwriteSource?: boolean | undefined
  /** Only this range of the volume; it lands at offset 0 of the target. The whole volume by default. */
  range?: { offset: number; length: number } | undefined
}

/** What a restore did. */
export interface RestoreResult {
  id: string
  target: string
  /** Bytes of the volume (or range) that the target now holds. */
  bytes: number
  /** Bytes written; the rest was zero and left unallocated or found zero already. */
  writtenBytes: number
  seconds: number
}

/** What is checked, and how thoroughly. */
export interface VerifyOptions extends JobOptions {
  /** Ids; every backup of the repository by default. */
  backups?: readonly string[] | undefined
  /** Read, decrypt, decompress and fingerprint every chunk. False by default: then only that everything is there. */
  readData?: boolean | undefined
}

/** What a check looked at, and what it found. */
export interface VerifyResult {
  /** How many were checked. */
  backups: number
  /** Distinct chunks checked, and their plaintext bytes. */
  chunks: number
  bytes: number
  errors: VerifyFinding[]
  seconds: number
}

/** One damaged or missing object, and the backups that can not be restored whole because of it. */
export interface VerifyFinding {
  object: string
  code: string
  message: string
  backups: string[]
}

/** Which backups are listed. */
export interface ListOptions {
  /** Name of the volume. All volumes by default. */
  volume?: string | undefined
  /** Told of every backup whose manifest can not be read: it is left out of the list. */
  onDamaged?: ((id: string, error: BlockvaultError) => void) | undefined
  signal?: AbortSignal | undefined
}

/** How a repository is unlocked. Exactly one of the two; none for a repository without encryption. */
export interface Credentials {
  /** Text, or its UTF-8 bytes; not empty. It is stretched with Argon2id. */
  passphrase?: string | Uint8Array | undefined
  /** The 32 bytes of a key file. */
  key?: Uint8Array | undefined
}

/** What a new repository is like. It stays so. */
export interface InitOptions {
  /** Encrypt and sign everything. True by default: then `Credentials` are needed. */
  encryption?: boolean | undefined
  /** 64 KiB fixed by default. */
  chunker?: ChunkerOptions | undefined
}

/** How a stored backup is opened for reading. */
export interface OpenBackupOptions {
  /** Bytes of decoded frames that are kept for the next reads, beside what a read itself needs. 32 MiB by default; one frame is 1 MiB. */
  cacheBytes?: number | undefined
  /** Ends the opening, and every read after it. */
  signal?: AbortSignal | undefined
}

/** An open repository. Every job may run beside others, in this process and in others. */
export interface Repository extends AsyncDisposable {
  /** The repository's UUID. */
  readonly id: string
  readonly encrypted: boolean
  /** Where it is, for messages. */
  readonly location: string
  /** Backs a volume up: a path to a file or block device, or an open handle. */
  backup(source: string | VolumeFile, options?: BackupOptions): Promise<BackupResult>
  /** Newest first. */
  list(options?: ListOptions): Promise<BackupInfo[]>
  /** `reference`: an id, a unique prefix of at least 4 characters, `latest` or `latest:VOLUME`. */
  show(reference: string): Promise<BackupInfo>
  /**
   * Writes a backup to a file that is not there yet, or with `force` to one that is, or to a block device. The file is seen only once it is whole.
   * @throws BlockvaultError BACKUP_NOT_FOUND, BACKUP_AMBIGUOUS, OBJECT_DAMAGED, OBJECT_MISSING, TARGET_*, CANCELLED, the storage's
   */
  restore(reference: string, target: string, options?: RestoreOptions): Promise<RestoreResult>
  /**
   * The backed-up volume as a handle that can be read at any place, several reads at once; what was not stored is zeros. Every byte is
   * checked as in a restore: damage rejects the read (OBJECT_DAMAGED, OBJECT_MISSING) and gives none of it. Writing rejects with
   * TARGET_UNSUPPORTED. Close it when done; it can not be read once the repository is closed.
   */
  openBackup(reference: string, options?: OpenBackupOptions): Promise<VolumeFile>
  /** Looks whether backups can be restored. Damage is in the answer's `errors`; thrown is only what keeps from looking: CANCELLED, the storage's. */
  verify(options?: VerifyOptions): Promise<VerifyResult>
  /** Removes the backups; the chunks that only they used stay stored. Returns the ids removed. */
  delete(references: readonly string[], options?: { signal?: AbortSignal | undefined }): Promise<string[]>
  /** Ends the workers and closes the storage. Jobs that run are cut off: they reject with CLOSED. */
  close(): Promise<void>
}
