/** What every backup driver keeps (src/contract/backup-driver.ts). A driver passes with `backupDriverSuite(name, make)`. */
import { beforeEach, describe } from 'vitest'
import type { BackupContext } from '../../src/contract/backup-context.ts'
import { createMemoryDatabase } from '../../src/database/memory.ts'
import { memoryContext } from '../contract/support.ts'
import { backupClaims } from './backup-driver/backups.ts'
import { type DriverPlace, driverPlace, type StoreUnderTest } from './backup-driver/place.ts'
import { restoreClaims } from './backup-driver/restores.ts'

/** `make` gives an empty store each time, `parts` what the context has of a runtime: by default Node's, on the calling thread. */
export function backupDriverSuite(name: string, make: () => Promise<StoreUnderTest>, parts: () => Promise<Partial<BackupContext>> = async () => ({})): void {
  describe(`the ${name} driver`, () => {
    let store: StoreUnderTest
    let context: BackupContext
    let place: DriverPlace
    beforeEach(async () => {
      store = await make()
      context = await memoryContext(await parts())
      place = driverPlace(store, context)
      return async () => {
        await Promise.all(context.ports.map((port) => port.close()))
        await store.close()
      }
    })
    /** The same store in another context, with an empty database. */
    const another = async (changes: object) => driverPlace(store, { ...context, database: createMemoryDatabase(), ...changes })
    backupClaims(() => place, another)
    restoreClaims(() => place, another)
  })
}
