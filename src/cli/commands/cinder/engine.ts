/** What the `cinder` commands work with that move a volume's bytes: the platform, and workers that start with their first call. */
import type { Platform } from '../../../contract/platform.ts'
import { createLazyPort } from '../../../io/lazy-port.ts'
import { createPool, type Pool } from '../../../io/pool.ts'
import { workersOption } from '../../options.ts'
import type { Session } from '../../session.ts'

export interface Engine {
  platform: Platform
  pool: Pool
}

/** Runs `work` and ends the workers. When both fail, the work's error is the one that tells why. */
export async function withEngine<Result>({ host, given }: Session, work: (engine: Engine) => Promise<Result>): Promise<Result> {
  const platform = await host.createPlatform()
  const workers = workersOption(given) ?? platform.workersDefault
  const pool = createPool(Array.from({ length: workers }, () => createLazyPort(() => platform.spawn({ inline: false }))))
  const close = async () => {
    await pool.close()
    await platform.close()
  }
  let result: Result
  try {
    result = await work({ platform, pool })
  } catch (error) {
    await close().catch(() => {})
    throw error
  }
  await close()
  return result
}
