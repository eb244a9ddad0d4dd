/**
 * Format version 1 in numbers. docs/format.md explains them; a change here is a change there and of the stored samples.
 *
 * Invariant: every length, count or cost that a file states has an upper bound here, checked before it is used.
 */

export const FORMAT_VERSION = 1

/** Object types: bound into every object's key and additional data, so that one can never stand for another. */
export const OBJECT_TYPES = { manifest: 1, index: 2, pack: 3 } as const
export type ObjectType = keyof typeof OBJECT_TYPES

/** Read unit and map leaf. 4 MiB: long enough that a call's overhead vanishes, short enough that workers share evenly. */
export const SEGMENT_BYTES = 4 * 1024 * 1024
/** Dedup unit. 64 KiB: the day's changes of a real server cost 13 MiB; 16 KiB would save 2 MiB and quadruple the index. */
export const CHUNK_BYTES = 64 * 1024
/** Compression and encryption unit. 1 MiB instead of 64 KiB: 4 % smaller repository, and AES-GCM at full speed. */
export const FRAME_BYTES = 1024 * 1024
/** A pack is closed once it holds this much: few enough files, and one a worker stays affordable in memory. */
export const PACK_BYTES = 10 * 1024 * 1024
/** Children of a map node. */
export const MAP_FANOUT = 128
/** Levels of a map: 4 MiB segments × 128^6 is beyond any offset a JavaScript number holds. */
export const MAP_LEVELS_MAX = 7

export const CONFIG_BYTES_MAX = 64 * 1024
export const KEY_SLOT_BYTES_MAX = 64 * 1024
export const KEY_SLOTS_MAX = 64
export const MANIFEST_BYTES_MAX = 1024 * 1024
export const INDEX_BYTES_MAX = 128 * 1024 * 1024
/** A backup writes an index object whenever this many new chunks wait for one: 2.4 MiB of index. */
export const INDEX_CHUNKS = 64 * 1024
/** Closed packs are at most this long: one frame beyond `PACK_BYTES`, and the directory. */
export const PACK_BYTES_MAX = 2 ** 31 - 1

/** Argon2id costs (RFC 9106): what new slots use, and what a slot read from a file may ask for. */
export const ARGON2ID = {
  /** The RFC's second recommendation; 64 MiB also fits the smallest hosts. */
  default: { memoryKiB: 64 * 1024, passes: 3, lanes: 4 },
  /** OWASP's minimum. Less would be a downgrade that somebody planted. */
  min: { memoryKiB: 19 * 1024, passes: 1, lanes: 1 },
  /** 1 GiB and 16 passes: some 30 s of work. More is refused before any work. */
  max: { memoryKiB: 1024 * 1024, passes: 16, lanes: 16 },
} as const
