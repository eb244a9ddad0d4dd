/** Names of objects. Random or derived from an id; never from anything a user typed. */

export const CONFIG_NAME = 'config'
export const KEYS_PREFIX = 'keys/'
export const PACKS_PREFIX = 'packs/'
export const INDEX_PREFIX = 'index/'
export const BACKUPS_PREFIX = 'backups/'

export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export function keySlotName(hex: string): string {
  return `${KEYS_PREFIX}${hex}`
}

/** Packs spread over 256 directories: a flat directory of 100,000 files is slow on some file systems. */
export function packName(hex: string): string {
  return `${PACKS_PREFIX}${hex.slice(0, 2)}/${hex}`
}

export function indexName(hex: string): string {
  return `${INDEX_PREFIX}${hex}`
}

export function manifestName(id: string): string {
  return `${BACKUPS_PREFIX}${id}`
}

/** The pack id in a pack's name, or `undefined` for a foreign object. */
export function packIdOf(name: string): string | undefined {
  const hex = name.slice(name.lastIndexOf('/') + 1)
  return /^[0-9a-f]{32}$/.test(hex) && packName(hex) === name ? hex : undefined
}

/** The backup id in a manifest's name, or `undefined` for a foreign object. */
export function backupIdOf(name: string): string | undefined {
  const id = name.slice(BACKUPS_PREFIX.length)
  return name.startsWith(BACKUPS_PREFIX) && UUID.test(id) ? id : undefined
}

/** A random UUID, version 4 (RFC 9562), from 16 random bytes. */
export function uuidFrom(random: Uint8Array): string {
  const bytes = Uint8Array.from(random)
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
