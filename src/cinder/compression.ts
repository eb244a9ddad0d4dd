/** Names of compressions, as Cinder's option and its manifests have them (cinder/backup/chunkeddriver.py, `_get_compressor`). */
import type { StreamCodec } from '../contract/core.ts'
import { BlockvaultError } from '../contract/errors.ts'

/** Every name, in lower case, with what it stands for. `gzip` is a zlib stream and no gzip file. */
const CODECS = {
  none: undefined,
  off: undefined,
  no: undefined,
  zlib: 'zlib',
  gzip: 'zlib',
  bz2: 'bz2',
  bzip2: 'bz2',
  zstd: 'zstd',
} as const satisfies Record<string, StreamCodec | undefined>

/** Cinder's names of compressions, several for one (cinder/backup/chunkeddriver.py). */
export type CompressionName = keyof typeof CODECS
export const COMPRESSION_NAMES = Object.keys(CODECS) as readonly CompressionName[]

/** Levels that Cinder compresses with. */
export const COMPRESSION_LEVELS: Readonly<Record<StreamCodec, number>> = { zlib: 6, bz2: 9, zstd: 3 }

/** The name in lower case, `undefined` when Cinder does not know it. */
export function compressionName(text: string): CompressionName | undefined {
  const name = text.toLowerCase()
  return Object.hasOwn(CODECS, name) ? (name as CompressionName) : undefined
}

/** `undefined`: the bytes are stored as they are. */
export function codecOf(name: CompressionName): StreamCodec | undefined {
  return CODECS[name]
}

/** The name that goes into the manifest for an object that got smaller: the option's, but `off` and `no` are `none`. */
export function recordedName(option: CompressionName): CompressionName {
  return CODECS[option] === undefined ? 'none' : option
}

/** @throws InvalidConfigurationValue for a name that is none of `COMPRESSION_NAMES` */
export function compressionOption(text: string): CompressionName {
  const name = compressionName(text)
  if (name !== undefined) return name
  throw new BlockvaultError(
    'InvalidConfigurationValue',
    `There is no compression ${JSON.stringify(text.slice(0, 100))}: use one of ${COMPRESSION_NAMES.join(', ')}.`,
  )
}
