/** A volume's row by the names and in the order of Cinder's columns (cinder/db/sqlalchemy/models.py, class `Volume`), as backups save it. */
import type { VolumeRecord } from './records.ts'

/** `null` where blockvault has no field of its own: the value is in `others`, or absent. */
const COLUMNS: Readonly<Record<string, ((volume: VolumeRecord) => unknown) | null>> = {
  id: (volume) => volume.id,
  _name_id: null,
  use_quota: null,
  ec2_id: null,
  user_id: (volume) => volume.userId,
  project_id: (volume) => volume.projectId,
  snapshot_id: (volume) => volume.snapshotId,
  cluster_name: null,
  host: (volume) => volume.host,
  size: (volume) => volume.size,
  availability_zone: (volume) => volume.availabilityZone,
  status: (volume) => volume.status,
  attach_status: null,
  migration_status: null,
  scheduled_at: null,
  launched_at: null,
  terminated_at: null,
  display_name: (volume) => volume.displayName,
  display_description: (volume) => volume.displayDescription,
  provider_location: null,
  provider_auth: null,
  provider_geometry: null,
  provider_id: null,
  volume_type_id: (volume) => volume.volumeTypeId,
  source_volid: null,
  encryption_key_id: (volume) => volume.encryptionKeyId,
  consistencygroup_id: null,
  group_id: null,
  bootable: (volume) => volume.bootable,
  multiattach: null,
  replication_status: null,
  replication_extended_status: null,
  replication_driver_data: null,
  previous_status: (volume) => volume.previousStatus,
  service_uuid: null,
  shared_targets: null,
  deleted_at: null,
  deleted: null,
  created_at: (volume) => columnTime(volume.createdAt),
  updated_at: (volume) => columnTime(volume.updatedAt),
}

/** Column and value, Cinder's in Cinder's order, then whatever else `others` has. */
export function columnsOf(volume: VolumeRecord): [string, unknown][] {
  const columns: [string, unknown][] = []
  for (const [name, read] of Object.entries(COLUMNS)) {
    if (read) columns.push([name, read(volume)])
    else if (Object.hasOwn(volume.others, name)) columns.push([name, volume.others[name]])
  }
  for (const [name, value] of Object.entries(volume.others)) if (!Object.hasOwn(COLUMNS, name)) columns.push([name, value])
  return columns
}

/** ISO 8601 as oslo.serialization writes a column: six digits of fraction, no zone. */
function columnTime(time: string | null): string | null {
  if (time === null) return null
  const [, seconds = time, fraction = ''] = /^(.{19})(?:\.(\d{1,6})\d*)?(?:Z|[+-]00:00)?$/.exec(time) ?? []
  return `${seconds}.${fraction.padEnd(6, '0')}`
}
