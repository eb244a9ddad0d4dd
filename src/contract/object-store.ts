/**
 * A place that keeps Cinder's containers and objects: names are Cinder's own, objects are up to gigabytes long and are written
 * and read in pieces. (A repository's `StorageBackend` is another thing: short write-once objects with names of our own.)
 *
 * Invariants every store keeps (held by `test/suites/object-store.ts`):
 * - an object is seen under its name, and by `list`, only once `finish` has resolved, and then survives a power cut;
 * - a writer that was discarded, or whose process died, leaves nothing that `list` shows or that begins with the object's name;
 * - a container or object name with `..`, an absolute path, an empty part or a control character is refused (InvalidInput), and nothing
 *   outside the store's root is read, written or deleted, through links neither.
 */
export interface ObjectStore extends AsyncDisposable {
  /** Where this is, for messages. Holds no secret. */
  readonly description: string
  /** Whether the container is there, with objects or without. */
  containerExists(container: string, options?: ObjectOptions): Promise<boolean>
  /** Makes the container; one that exists is left as it is. A directory gets mode 0770, as Cinder's posix driver gives it. */
  createContainer(container: string, options?: ObjectOptions): Promise<void>
  /** Containers that hold objects, in name order; for directories every directory with a file in it. `''` is the root itself. */
  containers(options?: ObjectOptions): AsyncIterable<string>
  /** Objects whose name begins with `prefix`, in name order (by UTF-16 unit). An absent container has none. Object names may hold `/`. */
  list(container: string, prefix: string, options?: ObjectOptions): AsyncIterable<StoredFile>
  /**
   * Starts an object; one of this name is replaced when `finish` resolves, as Cinder's drivers replace. Rejects with OBJECT_MISSING when the
   * container is absent.
   */
  create(container: string, name: string, options?: ObjectOptions): Promise<ObjectWriter>
  /** Opens an object for reading. Rejects with OBJECT_MISSING. */
  open(container: string, name: string, options?: ObjectOptions): Promise<ObjectReader>
  /** Removes the object. An absent one is no error, so that a retried delete succeeds. Containers stay. */
  delete(container: string, name: string, options?: ObjectOptions): Promise<void>
  /**
   * Removes what writers left unfinished of objects whose name begins with `prefix`: files of a process that died, uploads that were never
   * completed. `only` says of each such object whether it is meant (all by default); a writer that still runs loses what it wrote.
   * What is not removed so goes a day later.
   */
  deleteUnfinished(container: string, prefix: string, options?: ObjectOptions & { only?: ((name: string) => boolean) | undefined }): Promise<void>
  /** Gives back what the store holds open. Objects stay. */
  close(): Promise<void>
}

/** What every call takes. */
export interface ObjectOptions {
  /** Ends the call: it rejects with CANCELLED. */
  signal?: AbortSignal | undefined
}

/** An object as `list` shows it. */
export interface StoredFile {
  name: string
  /** Its length in bytes. */
  size: number
}

/** One object being written, in order. A writer is either finished or discarded; `discard` after `finish` does nothing. */
export interface ObjectWriter {
  /** Appends. The writer keeps no reference to `bytes` once this has resolved. */
  write(bytes: Uint8Array): Promise<void>
  /** Makes the object durable and gives it its name. */
  finish(): Promise<void>
  /** Removes what was written. */
  discard(): Promise<void>
}

/** One object, open for reading at any place. */
export interface ObjectReader {
  /** Its length in bytes. */
  readonly size: number
  /** Exactly `length` bytes from `offset`, the caller's to keep or to transfer. Rejects with OBJECT_DAMAGED when the object ends before. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>
  /** Close each reader: it may hold a file open. */
  close(): Promise<void>
}
