/**
 * Which driver serves which backup. Class paths are how rows name drivers: `cinder.backup.drivers.posix.PosixBackupDriver`.
 *
 * Invariant: nobody gets a driver whose setup check has not succeeded; one that failed is asked again by the next job.
 */
import { isServedBy } from '../cinder/export-record.ts'
import type { BackupDriver } from '../contract/backup-driver.ts'
import { BlockvaultError } from '../contract/errors.ts'
import type { BackupRecord } from '../contract/records.ts'

export interface Service {
  /** Class path. */
  readonly name: string
  readonly driver: BackupDriver
}

export interface Drivers {
  /** The driver for a new backup: the one named, the first one by default. @throws ServiceNotFound, or what its setup check says */
  forNew(name?: string): Promise<Service>
  /** The driver that made the backup. @throws InvalidBackup when it is none of these */
  of(backup: BackupRecord): Promise<Service>
  /** The driver for the backups that `recorded` made. @throws ServiceNotFound */
  named(recorded: string): Promise<Service>
  /** True when `recorded`, a row's `service`, is read by the driver `name`. */
  serves(name: string, recorded: string | null): boolean
}

export function createDrivers(drivers: Readonly<Record<string, BackupDriver>>): Drivers {
  const services = Object.entries(drivers).map(([name, driver]): Service => ({ name, driver }))
  const [first] = services
  if (!first) throw new BlockvaultError('InvalidConfigurationValue', 'A backup service needs a driver: give at least one under its class path.')
  const names = services.map(({ name }) => name)

  const checks = new Map<Service, Promise<void>>()
  const checked = async (service: Service): Promise<Service> => {
    const check = checks.get(service) ?? service.driver.checkForSetupError()
    checks.set(service, check)
    try {
      await check
      return service
    } catch (error) {
      checks.delete(service)
      throw error
    }
  }
  // The class itself before a class that an older, shorter name would mean too.
  const find = (recorded: string | null) => services.find(({ name }) => name === recorded) ?? services.find(({ name }) => isServedBy(recorded, name))
  const notFound = (wanted: string) =>
    new BlockvaultError('ServiceNotFound', `Service ${wanted} could not be found: this service has ${names.join(', ')}.`, {
      details: { wanted, services: names },
    })

  return {
    async forNew(name) {
      const service = name === undefined ? first : services.find((each) => each.name === name)
      if (!service) throw notFound(name ?? '')
      return checked(service)
    },
    async of(backup) {
      const service = find(backup.service)
      if (service) return checked(service)
      throw new BlockvaultError(
        'InvalidBackup',
        `Backup ${backup.id} was made by ${backup.service}, and this service has only ${names.join(', ')}: ask a service that has its driver.`,
        { details: { backupId: backup.id, service: backup.service, services: names } },
      )
    },
    async named(recorded) {
      const service = find(recorded)
      if (!service) throw notFound(recorded)
      return checked(service)
    },
    serves: (name, recorded) => isServedBy(recorded, name),
  }
}
