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

export interface JobOptions {
  signal?: AbortSignal | undefined
  onProgress?: ((progress: Progress) => void) | undefined
}

export interface BackupOptions extends JobOptions {
  /** Name of the volume; the source's base name by default. */
  volume?: string | undefined
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

export type BackupResult = BackupInfo

export interface RestoreOptions extends JobOptions {
  /** Replace an existing file, or write to a block device. False by default. */
  force?: boolean | undefined
  /** Also allow the volume that the backup was made from. False by default: `force` alone does not cover it. */
  overwriteSource?: boolean | undefined
  /** Only this range of the volume; it lands at offset 0 of the target. The whole volume by default. */
  range?: { offset: number; length: number } | undefined
}

export interface RestoreResult {
  id: string
  target: string
  /** Bytes of the volume (or range) that the target now holds. */
  bytes: number
  /** Bytes written; the rest was zero and left unallocated or found zero already. */
  writtenBytes: number
  seconds: number
}

export interface VerifyOptions extends JobOptions {
  /** Ids; every backup of the repository by default. */
  backups?: readonly string[] | undefined
  /** Read, decrypt, decompress and fingerprint every chunk. False by default: then only that everything is there. */
  readData?: boolean | undefined
}

export interface VerifyResult {
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

export interface ListOptions {
  volume?: string | undefined
  /** Told of every backup whose manifest can not be read: it is left out of the list. */
  onDamaged?: ((id: string, error: BlockvaultError) => void) | undefined
  signal?: AbortSignal | undefined
}

/** How a repository is unlocked. Exactly one of the two; none for a repository without encryption. */
export interface Credentials {
  passphrase?: string | Uint8Array | undefined
  /** The 32 bytes of a key file. */
  key?: Uint8Array | undefined
}

export interface InitOptions {
  encryption?: boolean | undefined
  /** 64 KiB fixed by default. */
  chunker?: ChunkerOptions | undefined
}

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
  restore(reference: string, target: string, options?: RestoreOptions): Promise<RestoreResult>
  /**
   * The backed-up volume as a handle that can be read at any place, several reads at once; what was not stored is zeros. Every byte is
   * checked as in a restore: damage rejects the read (OBJECT_DAMAGED, OBJECT_MISSING) and gives none of it. Writing rejects with
   * TARGET_UNSUPPORTED. Close it when done; it can not be read once the repository is closed.
   */
  openBackup(reference: string, options?: OpenBackupOptions): Promise<VolumeFile>
  verify(options?: VerifyOptions): Promise<VerifyResult>
  /** Removes the backups; the chunks that only they used stay stored. Returns the ids removed. */
  delete(references: readonly string[], options?: { signal?: AbortSignal | undefined }): Promise<string[]>
  close(): Promise<void>
}
