/**
 * What the command needs of a runtime: `src` sees no runtime global, so an adapter builds a `CommandHost` and hands it to
 * `runCommand`.
 *
 * Invariant: everything the command reads, writes or asks the system goes through here, so a test can be the system.
 */
import type { Credentials, InitOptions, Repository } from '../contract/backup.ts'
import type { ObjectStore } from '../contract/object-store.ts'
import type { Platform } from '../contract/platform.ts'
import type { VolumeFacts } from '../contract/volume.ts'

export interface CommandHost {
  /** The package's version, e.g. `0.1.0`. */
  readonly version: string
  /** Fires at the first SIGINT or SIGTERM. The adapter lets the second one end the process at once. */
  readonly interrupted: AbortSignal

  /** An environment variable; `''` when it is set and empty. */
  environment(name: string): string | undefined
  /** The user's home directory as an absolute path; `undefined` where there is none. */
  homeDirectory(): string | undefined
  /** Milliseconds; only differences are used. */
  now(): number
  /** Cryptographically random bytes. */
  random(length: number): Uint8Array<ArrayBuffer>

  /** Writes to stdout, in call order. Never throws: `drain` reports. */
  writeOutput(text: string): void
  /** Writes to stderr, in call order. Never throws; a failure is dropped, there is no place left to tell it. */
  writeError(text: string): void
  /**
   * Resolves when all output reached the system; the process may exit then. Rejects when stdout could not be written
   * (disk full); a closed pipe (`blockvault list | head`) is no failure.
   */
  drain(): Promise<void>
  /** Stderr's terminal as it is now, `undefined` when stderr is none. `columns` is 0 when unknown. */
  errorTerminal(): { columns: number } | undefined

  /**
   * The first `bytesMax` bytes of a passphrase or key file, `undefined` when nothing is at `path`. A pipe
   * (`--passphrase-file <(pass show backup)`) is as good as a file. Rejects with KEY_REQUIRED when it can not be read or is
   * a directory. The caller wipes the bytes.
   */
  readSecretFile(path: string, bytesMax: number): Promise<SecretFile | undefined>
  /**
   * Makes a file with mode 0600, and missing directories above it with 0700. All or nothing under the final name, never
   * replacing; when it resolves, file and directory entry survive a power cut (the repository's config is written after).
   * Resolves to the absolute path, or `undefined` when something is there already. Rejects with a STORAGE_* code.
   */
  createSecretFile(path: string, bytes: Uint8Array): Promise<string | undefined>

  /** As `Platform.volumeFacts`: `undefined` when nothing is there; rejects with SOURCE_UNSUPPORTED or SOURCE_DENIED. */
  volumeFacts(path: string): Promise<VolumeFacts | undefined>
  /**
   * Opens an existing repository. Rejects with REPOSITORY_MISSING only when nothing is there (no directory, or an empty
   * one: the caller may make a repository then), REPOSITORY_INVALID, REPOSITORY_UNSUPPORTED, KEY_WRONG, or whatever
   * `credentials` rejected with, unchanged.
   */
  openRepository(options: OpenOptions): Promise<Repository>
  /**
   * Makes a repository and opens it. Rejects with REPOSITORY_EXISTS, or REPOSITORY_INVALID when the place holds something
   * else, before `credentials` is asked; nothing is written before `credentials` resolved.
   */
  initRepository(options: OpenOptions & InitOptions): Promise<Repository>
  /** Cinder's containers below a directory. A place that is absent is told by the first use (STORAGE_FAILED), but a container may be made in it. */
  openObjectStore(path: string): ObjectStore
  /** What the engine works with here. The caller closes it. */
  createPlatform(): Promise<Platform>
  /**
   * The bytes of a file, of standard input for `-`. Rejects with InvalidInput when there is none, it can not be read, or it is longer than
   * `bytesMax`.
   */
  readInputFile(path: string, bytesMax: number): Promise<Uint8Array>
  /** Writes a file, whole or not at all; one that exists is replaced. Rejects with a STORAGE_* code. */
  writeFile(path: string, bytes: Uint8Array): Promise<void>
  /** Measures what this machine gives: see `BenchRate`. Nothing is written to `device`. */
  bench(device: string | undefined, options: BenchOptions): Promise<void>
}

export interface OpenOptions {
  /** Directory of the repository; relative to the working directory when it is not absolute. */
  repository: string
  /**
   * Asked once, as soon as the repository's id is known: from its config, or when it is made, the id it will have.
   * Bytes in the answer are wiped when opening has settled: use or copy them before.
   */
  credentials: (repositoryId: string, encrypted: boolean) => Promise<Credentials>
  /** 1 to WORKERS_MAX; the platform's default when absent. */
  workers?: number | undefined
  signal?: AbortSignal | undefined
}

export interface SecretFile {
  bytes: Uint8Array
  /** True when group or others may read the file. */
  exposed: boolean
}

export interface BenchOptions {
  workers?: number | undefined
  signal?: AbortSignal | undefined
  /** Called once a measured rate, in order. */
  onLine: (rate: BenchRate) => void
}

/** One measured rate. */
export interface BenchRate {
  /** What was done: `read`, `scan`, `compress`, `encrypt`, …, in at most three words. */
  name: string
  bytes: number
  seconds: number
  /** What it was done with, e.g. `2 workers, 64 KiB chunks`. */
  note?: string | undefined
}
