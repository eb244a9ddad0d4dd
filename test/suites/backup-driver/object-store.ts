/** A store of Cinder's layout, for the suite of backup drivers. */
import type { BackupContext } from '../../../src/contract/backup-context.ts'
import type { BackupDriver } from '../../../src/contract/backup-driver.ts'
import type { ObjectStore } from '../../../src/contract/object-store.ts'
import { putObject, wholeObject } from '../object-store.ts'
import type { StoreUnderTest } from './place.ts'

export function storeUnderTest(store: ObjectStore, driver: (context: BackupContext) => BackupDriver): StoreUnderTest {
  /** By the id in their names, wherever they lie. */
  const objectsOf = async ({ id }: { id: string }) => {
    const found: { container: string; name: string }[] = []
    for await (const container of store.containers()) {
      for await (const { name } of store.list(container, '')) if (name.includes(id) && !name.includes('/')) found.push({ container, name })
      for await (const { name } of store.list(container, 'volume_')) if (name.includes(id) && name.includes('/')) found.push({ container, name })
    }
    return found
  }
  return {
    driver,
    stored: async (backup) => (await objectsOf(backup)).map(({ container, name }) => `${container}/${name}`),
    async damage(backup) {
      const data = (await objectsOf(backup)).filter(({ name }) => /-\d{5}$/.test(name)).sort((left, right) => (left.name < right.name ? -1 : 1))
      const { container, name } = data.at(-1)!
      const bytes = new Uint8Array(await wholeObject(store, container, name))
      bytes[bytes.length - 10]! ^= 1
      await putObject(store, container, name, bytes)
    },
    close: () => store.close(),
  }
}
