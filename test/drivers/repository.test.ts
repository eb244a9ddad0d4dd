/** The repository driver keeps what every driver keeps, and what our repository adds. */
import type { Repository } from '../../src/contract/backup.ts'
import { RepositoryBackupDriver } from '../../src/drivers/repository.ts'
import { openRepository } from '../../src/repository/open.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { namesUnder, newRepository, platform, type TestRepository } from '../repository/support/repositories.ts'
import type { StoreUnderTest } from '../suites/backup-driver/place.ts'
import { backupDriverSuite } from '../suites/backup-driver.ts'

async function repositoryStore(place: TestRepository): Promise<StoreUnderTest & { repository: Repository }> {
  const repository = await openRepository(platform, createMemoryStorage(place.objects), place.options)
  return {
    repository,
    driver: (context) => new RepositoryBackupDriver(context, { repository }),
    stored: async ({ id }) => namesUnder(place.objects, `backups/${id}`),
    async damage() {
      for (const name of namesUnder(place.objects, 'packs/')) {
        const bytes = place.objects.get(name)!
        bytes[bytes.length >> 1]! ^= 1
      }
    },
    close: () => repository.close(),
  }
}

backupDriverSuite('repository', async () => repositoryStore(await newRepository()))
backupDriverSuite('unencrypted repository', async () => repositoryStore(await newRepository({ encryption: false })))
