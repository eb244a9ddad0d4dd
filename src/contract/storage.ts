/**
 * A storage backend: a place that keeps write-once objects by name.
 *
 * Invariants every backend keeps (held by `test/suites/storage.ts`):
 * - `put` never replaces: a name that exists rejects with OBJECT_EXISTS and the stored bytes stay as they are;
 * - when `put` resolves, the object survives a power cut and is seen by `get`, `getRange` and `list`;
 * - when `put` rejects, or the process dies inside it, no part of the object is seen under its name.
 * `list` also gives foreign names that keep to the grammar; the first part `tmp` is the backend's own, for what is being written.
 */
export interface StorageBackend extends AsyncDisposable {
  /** Where this is, for messages. Holds no secret. */
  readonly description: string
  /** Stores the concatenation of `parts`. The backend keeps no reference to them after it settles. */
  put(name: string, parts: readonly Uint8Array[], options?: StorageOptions): Promise<void>
  /** The whole object. Rejects with OBJECT_MISSING, or OBJECT_DAMAGED when it is longer than `bytesMax`. */
  get(name: string, options: StorageOptions & { bytesMax: number }): Promise<Uint8Array<ArrayBuffer>>
  /** Exactly `length` bytes from `offset`. Rejects with OBJECT_MISSING, or OBJECT_DAMAGED when the object ends before. */
  getRange(name: string, offset: number, length: number, options?: StorageOptions): Promise<Uint8Array<ArrayBuffer>>
  /** Every object whose name starts with `prefix` (ending in `/`, or empty), in no particular order. */
  list(prefix: string, options?: StorageOptions): AsyncIterable<StoredObject>
  /** Removes the object. An absent name is no error, so that a retried delete succeeds. */
  delete(name: string, options?: StorageOptions): Promise<void>
  /** Gives back what the backend holds open. Objects stay. */
  close(): Promise<void>
}

/** What every call takes. */
export interface StorageOptions {
  /** Ends the call: it rejects with CANCELLED. */
  signal?: AbortSignal | undefined
}

/** An object as `list` shows it. */
export interface StoredObject {
  name: string
  /** Its length in bytes. */
  size: number
}

/**
 * The grammar of object names: one to four parts of lower-case letters, digits and `-`, joined by `/`. It leaves no way to
 * write `..`, an absolute path, a temporary name or a name that differs by case only.
 */
export const OBJECT_NAME = /^[a-z0-9-]{1,64}(\/[a-z0-9-]{1,64}){0,3}$/
