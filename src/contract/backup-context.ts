/** What a driver, the metadata API and the service work with: Cinder's request context, and the parts a process has once. */
import type { Core } from './core.ts'
import type { Database } from './database.ts'
import type { Port } from './port.ts'

/** What a driver is made with, and everything it may use. */
export interface BackupContext {
  readonly database: Database
  /** Workers: hashing, compression and volume I/O run in them. */
  readonly ports: readonly Port[]
  readonly core: Core
  readonly userId: string
  readonly projectId: string
  /** The zone in the object names of the S3 and Swift drivers. Cinder's `storage_availability_zone`, `nova` by default. */
  readonly availabilityZone: string
  /** Version of the volume metadata container that `get` writes. Cinder's `backup_metadata_version`, 2 by default. */
  readonly metadataVersion: number
  /** Milliseconds since 1970. */
  now(): number
  /** Cryptographically random bytes. */
  random(length: number): Uint8Array<ArrayBuffer>
}
