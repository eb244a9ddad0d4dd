/**
 * What a runtime gives the engine. `src` sees no runtime global: an adapter builds a `Platform` and hands it in.
 */
import type { Core } from './core.ts'
import type { Hashes } from './hashes.ts'
import type { Port } from './port.ts'
import type { MaybePromise, VolumeFacts, VolumeHost } from './volume.ts'

/** Authenticated encryption of one frame or object. Keys are 32 bytes, nonces 12; the 16-byte tag is at the end. */
export interface Aead {
  /** Ciphertext and tag, as parts that follow each other: joining them would copy a megabyte a frame. Each owns its buffer. */
  seal(key: Uint8Array, nonce: Uint8Array, additional: Uint8Array, plaintext: Uint8Array): MaybePromise<readonly Uint8Array<ArrayBuffer>[]>
  /** The plaintext, the caller's alone, or `undefined` when the tag does not hold: no unauthenticated byte leaves this function. */
  open(key: Uint8Array, nonce: Uint8Array, additional: Uint8Array, sealed: Uint8Array): MaybePromise<Uint8Array | undefined>
}

/** What the code inside a worker needs. */
export interface WorkerPlatform {
  core: Core
  hashes: Hashes
  aead: Aead
  volumes: VolumeHost
}

/** What the engine's main side needs. */
export interface Platform {
  core: Core
  aead: Aead
  /** Starts one worker and returns the caller's end. With `inline`, the same operations without a worker. */
  spawn(options: { inline: boolean }): MaybePromise<Port>
  /** Workers used when the caller names no number: the processors available, at most `WORKERS_MAX`. */
  readonly workersDefault: number
  /** Stored bytes that a restore or check reads in one piece; 4 MiB by default. It holds a few such pieces: less where memory is short. */
  readonly batchBytes?: number
  /** Chunks that a restore or check plans before it reads them; 128 Ki by default, 8 GiB of volume and some 30 MiB of memory. */
  readonly planChunks?: number
  /** Facts about a path: `undefined` when nothing is there. Rejects with SOURCE_UNSUPPORTED for what is no volume. */
  volumeFacts(path: string): Promise<VolumeFacts | undefined>
  /** For manifests: the machine's name, `''` where there is none. */
  readonly hostName: string
  /** Milliseconds since 1970. */
  now(): number
  /** Cryptographically random bytes. */
  random(length: number): Uint8Array<ArrayBuffer>
  /** A volume target that appears whole or not at all: written under a temporary name and renamed by `commit`. */
  createTarget(path: string, options: { size: number; replace: boolean }): Promise<TargetFile>
  close(): Promise<void>
}

/** A file that is restored to: workers open `path`, then `commit` gives it its name or `discard` removes it. */
export interface TargetFile {
  readonly path: string
  /** fsync, rename to the wanted name, fsync of the directory. */
  commit(): Promise<void>
  discard(): Promise<void>
}

/** More workers than this gain nothing: one index feeds them all. */
export const WORKERS_MAX = 64
