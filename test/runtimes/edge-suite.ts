/**
 * The contracts' suites as far as they apply in an edge worker and in a page. A bundle of this file, `vitest.ts` and a line or two of the host
 * (`edge.ts`) runs there. workerd's clock stands while it computes: what a claim says about time says nothing there.
 */
import type { CoreSource } from '../../adapters/edge/index.ts'
import { type EdgeJob, LEFT_OUT } from './edge-hosts.ts'
import { type Outcome, runSuite } from './vitest.ts'

/** `core`: as the host has it. */
export function runEdgeSuite({ suite, url }: EdgeJob, core: CoreSource): Promise<Outcome> {
  // Imported while it is collected, in the request: an edge worker draws no random numbers before.
  const collect = async () => (await import('./edge-suites.ts')).EDGE_SUITES_OF[suite]({ url, core })
  return runSuite(suite, collect, LEFT_OUT[suite])
}
