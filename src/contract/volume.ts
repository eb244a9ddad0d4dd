/**
 * Volumes as the engine sees them: the synchronous handle an adapter opens inside a worker (`VolumeHandle`), and the
 * proxied handle a driver or a caller gets (`VolumeFile`), whose methods all run in worker threads.
 */

export type VolumeKind = 'file' | 'block-device'
/** `read`: must exist. `write`: must exist, is written in place. `create`: must not exist, is made with the given size. */
export type VolumeMode = 'read' | 'write' | 'create'

/** What an adapter opens. Methods may be synchronous (workers with sync I/O) or return promises (hosts without it). */
export interface VolumeHandle {
  readonly kind: VolumeKind
  /** Bytes. */
  readonly size: number
  /** Fills `into` from `offset`; returns how many bytes it got: fewer than asked only at the end of the volume. */
  readAt(into: Uint8Array, offset: number): MaybePromise<number>
  /** Writes all of `bytes` at `offset`. Never writes beyond `size`. */
  writeAt(bytes: Uint8Array, offset: number): MaybePromise<void>
  /**
   * Makes the range read as zeros. Keeps it unallocated where that is possible without losing a byte outside the range,
   * and writes only where something other than zero is read.
   */
  zeroAt(offset: number, length: number): MaybePromise<void>
  /** What was written survives a power cut when this resolves. */
  flush(): MaybePromise<void>
  close(): MaybePromise<void>
}

export interface VolumeOpenOptions {
  mode: VolumeMode
  /** Bytes; needed for `create`. */
  size?: number
}

/** Opens volumes by path inside a worker. Rejects with the SOURCE_* codes for `read`, the TARGET_* codes otherwise. */
export interface VolumeHost {
  open(path: string, options: VolumeOpenOptions): MaybePromise<VolumeHandle>
}

/** What is known of a path without opening it for I/O. */
export interface VolumeFacts {
  kind: VolumeKind
  /** Bytes. */
  size: number
  /** The path with links resolved. */
  path: string
  /** Two paths with one identity are the same volume. */
  identity: string
  /** Set when the system uses the volume now, e.g. `mounted at /srv`. */
  inUse?: string
}

/** What a method may answer at once or later. */
export type MaybePromise<T> = T | Promise<T>

/** The proxied handle: what `cinder.backup.driver` calls `volume_file`. Offsets and lengths are bytes. */
export interface VolumeFile extends AsyncDisposable {
  readonly kind: VolumeKind
  /** The volume's length in bytes. */
  readonly size: number
  /** Up to `length` bytes from the current position, which moves on; empty at the end. The bytes are the caller's to keep. */
  read(length: number): Promise<Uint8Array<ArrayBuffer>>
  /** `length` bytes from `offset`, fewer only at the end. The bytes are the caller's to keep or to transfer. */
  readAt(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>
  /** Writes at the current position, which moves on. `bytes` is copied before this returns. */
  write(bytes: Uint8Array): Promise<void>
  /** Writes all of `bytes` at `offset`; the position stays. `bytes` is copied before this returns. */
  writeAt(offset: number, bytes: Uint8Array): Promise<void>
  /** Moves the position and returns it. `from` defaults to `start`. */
  seek(offset: number, from?: 'start' | 'current' | 'end'): Promise<number>
  /** The current position, in bytes from the start. */
  tell(): Promise<number>
  /** Makes the range read as zeros, unallocated where possible. */
  punchHole(offset: number, length: number): Promise<void>
  /** What was written survives a power cut when this resolves. */
  flush(): Promise<void>
  /** Closes the file or device. `flush` first: closing makes nothing durable. */
  close(): Promise<void>
}
