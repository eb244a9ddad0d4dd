/**
 * What other programs made: zlib by `node:zlib`, BLAKE3 by hash-wasm. Bundles for hosts where one of them does not run hold what this file gives
 * on the Node that bundles (test/runtimes/edge.ts): everything exported is bytes.
 */
import { constants, deflateSync } from 'node:zlib'
import { createBLAKE3 } from 'hash-wasm'
import { KEY, volumeBytes } from './bytes.ts'

const deflated = (plain: Uint8Array, options?: { level?: number; strategy?: number }) => new Uint8Array(deflateSync(plain, options))

/** What `ZLIB_LEVEL_0` and its like decompress to. */
export const ZLIB_PLAIN: Uint8Array = volumeBytes(8, 700).fill(32, 300, 500)
export const ZLIB_LEVEL_0: Uint8Array = deflated(ZLIB_PLAIN, { level: 0 })
export const ZLIB_LEVEL_1: Uint8Array = deflated(ZLIB_PLAIN, { level: 1 })
export const ZLIB_LEVEL_9: Uint8Array = deflated(ZLIB_PLAIN, { level: 9 })
export const ZLIB_FIXED_CODES: Uint8Array = deflated(ZLIB_PLAIN, { strategy: constants.Z_FIXED })
export const ZLIB_EMPTY: Uint8Array = deflated(new Uint8Array(0))
export const ZLIB_16_MIB_OF_ZEROS: Uint8Array = deflated(new Uint8Array(16 << 20), { level: 9 })
export const ZLIB_64_MIB_OF_ZEROS: Uint8Array = deflated(new Uint8Array(64 << 20), { level: 9 })

/** The bytes of the gear table of `KEY` (docs/format.md). */
export const GEAR_BYTES: Uint8Array = (await createBLAKE3(2048 * 8, KEY)).update('blockvault/1 gear').digest('binary')
