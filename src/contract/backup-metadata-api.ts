/**
 * The metadata of a volume, saved in its backups and restored from them: Cinder's `BackupMetadataAPI` (cinder/backup/driver.py).
 *
 * Invariant: a container that is refused has changed nothing. It is read, bounded and checked whole, and the target volume is
 * compared with it, before the first write.
 */
import { Base } from './base.ts'
import { BlockvaultError } from './errors.ts'
import { type BaseMetadata, parseMetadataContainer } from './metadata-container.ts'
import { pythonJson } from './python-json.ts'
import type { VolumeRecord, VolumeUpdates } from './records.ts'
import { columnsOf } from './volume-columns.ts'

/** A volume made for a restore has a name that begins so, until the backup's own name is put on it. */
export const RESTORE_NAME_PREFIX = 'restore_backup_'

/** Reads what is known about a volume as one JSON text, and restores it to another. Source: cinder/backup/driver.py, class `BackupMetadataAPI`. */
export class BackupMetadataAPI extends Base {
  static readonly TYPE_TAG_VOL_BASE_META = 'volume-base-metadata'
  static readonly TYPE_TAG_VOL_META = 'volume-metadata'
  static readonly TYPE_TAG_VOL_GLANCE_META = 'volume-glance-metadata'
  // A Python class attribute is seen on the class and on its instances.
  readonly TYPE_TAG_VOL_BASE_META = BackupMetadataAPI.TYPE_TAG_VOL_BASE_META
  readonly TYPE_TAG_VOL_META = BackupMetadataAPI.TYPE_TAG_VOL_META
  readonly TYPE_TAG_VOL_GLANCE_META = BackupMetadataAPI.TYPE_TAG_VOL_GLANCE_META

  /**
   * Everything known about the volume as JSON, as Python writes it: `version` (the context's `metadataVersion`) says what `put` will
   * restore of it. Values that JSON can not carry are left out.
   * @throws VolumeNotFound
   */
  async get(volumeId: string): Promise<string> {
    const volume = await this.db.volume(volumeId)
    const metadata = await this.db.volumeMetadata(volumeId)
    const glanceMetadata = await this.db.volumeGlanceMetadata(volumeId)
    return pythonJson({
      version: this.context.metadataVersion,
      [this.TYPE_TAG_VOL_BASE_META]: Object.fromEntries(columnsOf(volume).filter(([, value]) => isSerialisable(value))),
      ...(isEmpty(metadata) ? {} : { [this.TYPE_TAG_VOL_META]: metadata }),
      ...(isEmpty(glanceMetadata) ? {} : { [this.TYPE_TAG_VOL_GLANCE_META]: glanceMetadata }),
    })
  }

  /**
   * Restores to the volume what the container's version restores. Version 1: name and description, user metadata, image metadata;
   * version 2 also the encryption key's id, when the volume has or can take the volume type of the source. A volume keeps a name of its
   * own unless that begins with `restore_backup_`. Image metadata, even none, makes the volume bootable. Unknown tags are ignored.
   * @throws BackupMetadataUnsupportedVersion, EncryptedBackupOperationFailed, InvalidInput for anything that is no container,
   * VolumeNotFound
   */
  async put(volumeId: string, jsonMetadata: string): Promise<void> {
    const { updates, metadata, glanceMetadata } = await this.#plan(volumeId, jsonMetadata)
    if (!isEmpty(updates)) await this.db.updateVolume(volumeId, updates)
    if (metadata) await this.db.updateVolumeMetadata(volumeId, metadata)
    if (glanceMetadata) {
      await this.db.replaceVolumeGlanceMetadata(volumeId, glanceMetadata)
      await this.db.updateVolume(volumeId, { bootable: true })
    }
  }

  /**
   * Rejects as `put` would, and changes nothing. A driver asks before it writes the first byte to a volume: Cinder's finds out when the
   * volume is overwritten already.
   */
  async check(volumeId: string, jsonMetadata: string): Promise<void> {
    await this.#plan(volumeId, jsonMetadata)
  }

  async #plan(volumeId: string, jsonMetadata: string) {
    const container = parseMetadataContainer(jsonMetadata)
    const volume = await this.db.volume(volumeId)
    const base = container[this.TYPE_TAG_VOL_BASE_META]
    const updates: VolumeUpdates = base ? { ...nameUpdates(volume, base), ...(container.version >= 2 ? await this.#encryptionUpdates(volume, base) : {}) } : {}
    return { updates, metadata: container[this.TYPE_TAG_VOL_META], glanceMetadata: container[this.TYPE_TAG_VOL_GLANCE_META] }
  }

  /** An encrypted volume can be read only under the type that says how it is encrypted (`_restore_vol_encryption_meta`). */
  async #encryptionUpdates(volume: VolumeRecord, base: BaseMetadata): Promise<VolumeUpdates> {
    const { encryption_key_id: encryptionKeyId, volume_type_id: volumeTypeId } = base
    if (encryptionKeyId === undefined) return {}
    if (encryptionKeyId === null || volumeTypeId === volume.volumeTypeId) return { encryptionKeyId }
    if (volumeTypeId === undefined)
      throw new BlockvaultError('InvalidInput', 'The metadata container has an encryption key but no `volume_type_id`: it is not whole.')
    if (volume.volumeTypeId !== null)
      throw new BlockvaultError(
        'EncryptedBackupOperationFailed',
        `The source volume type '${volumeTypeId}' is different than the destination volume type '${volume.volumeTypeId}'. Restore to a volume of the source's type, or of none.`,
        { details: { volumeId: volume.id, sourceVolumeTypeId: volumeTypeId, volumeTypeId: volume.volumeTypeId } },
      )
    if (volumeTypeId !== null)
      await this.db.volumeType(volumeTypeId).catch((error: unknown) => {
        throw new BlockvaultError(
          'EncryptedBackupOperationFailed',
          `The source volume type '${volumeTypeId}' is not available. Make a volume type with this id that encrypts as the source's did.`,
          { details: { volumeId: volume.id, sourceVolumeTypeId: volumeTypeId }, cause: error },
        )
      })
    return { encryptionKeyId, volumeTypeId }
  }
}

/** Name and description go together, by the name (`_restore_vol_base_meta`); a container without a name has no say about it. */
function nameUpdates(volume: VolumeRecord, { display_name: displayName, display_description: displayDescription }: BaseMetadata): VolumeUpdates {
  const keepsName = Boolean(volume.displayName) && !volume.displayName?.startsWith(RESTORE_NAME_PREFIX)
  if (displayName !== undefined && (displayName === null || displayName === '' || keepsName)) return {}
  return { ...(displayName === undefined ? {} : { displayName }), ...(displayDescription === undefined ? {} : { displayDescription }) }
}

function isSerialisable(value: unknown): boolean {
  try {
    pythonJson(value)
    return true
  } catch {
    return false
  }
}

function isEmpty(record: object | undefined): boolean {
  return record === undefined || Object.keys(record).length === 0
}
