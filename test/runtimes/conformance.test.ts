/** Every contract's suite on every runtime, in an edge worker and in a page: one table, suite × runtime × passed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lacksLoop } from '../node/devices.ts'
import { temporaryDirectory } from '../repository/support/volumes.ts'
import { bundlePrograms, runProgram } from './bundles.ts'
import { SUITES } from './conformance.ts'
import { EDGE, type EdgeRunner } from './edge.ts'
import { EDGE_HOSTS, EDGE_SUITES, type EdgeSuiteName } from './edge-hosts.ts'
import { RUNTIMES } from './runtimes.ts'
import type { Outcome } from './vitest.ts'

const programOf = await bundlePrograms(temporaryDirectory(), 'suite')
const table = new Map<string, Outcome>()

/** Fewest tests that pass on the edge, so that neither an empty run passes nor one that leaves much out: nine tenths of what there are. */
const EDGE_PASSED_MIN: Readonly<Record<EdgeSuiteName, number>> = { core: 400, 'fallback core': 370, storage: 65, 'volume file': 19 }

describe.each(RUNTIMES)('on $name', (runtime) => {
  for (const suite of SUITES) {
    const reason = suite === 'block device' ? lacksLoop : undefined
    it.skipIf(reason)(`the suite of the ${suite} passes${reason ? ` [skipped: ${reason}]` : ''}`, { timeout: 600_000 }, async () => {
      const outcome = await runProgram<Outcome>(runtime, programOf('suite', runtime), suite)
      table.set(`${suite}/${runtime.name}`, outcome)
      expect(outcome.failed).toEqual([])
      expect(outcome.passed).toBeGreaterThan(5)
    })
  }
})

describe.each(EDGE_HOSTS)('on %s', (host) => {
  const { missing, start } = EDGE[host]
  let runner: EdgeRunner
  beforeAll(async () => {
    runner = await start()
    return () => runner.close()
  }, 60_000)
  for (const suite of EDGE_SUITES[host]) {
    it.skipIf(missing)(`the suite of the ${suite} passes${missing ? ` [skipped: ${missing}]` : ''}`, { timeout: 600_000 }, async () => {
      const outcome = await runner.run(suite)
      table.set(`${suite}/${host}`, outcome)
      expect(outcome.failed).toEqual([])
      expect(outcome.skipped).toBe(0)
      expect(outcome.passed).toBeGreaterThanOrEqual(EDGE_PASSED_MIN[suite])
    })
  }
})

afterAll(() => {
  const names = [...RUNTIMES.map(({ name }) => name), ...EDGE_HOSTS]
  const cell = (suite: string, name: string) => {
    const outcome = table.get(`${suite}/${name}`)
    if (!outcome) return '-'
    const leftOut = Object.keys(outcome.leftOut).length
    return `${outcome.passed}/${outcome.passed + outcome.failed.length}${leftOut > 0 ? `, ${leftOut} left out` : ''}`
  }
  const rows = SUITES.map((suite) => `| ${[suite, ...names.map((name) => cell(suite, name))].join(' | ')} |`)
  const leftOut = [...table].flatMap(([place, outcome]) =>
    Object.entries(outcome.leftOut).map(([test, reason]) => `Left out of the ${place.split('/')[0]}: ${test} (${reason}).`),
  )
  process.stdout.write(
    `\n| suite | ${names.join(' | ')} |\n|${' --- |'.repeat(names.length + 1)}\n${[...rows, ...(leftOut.length > 0 ? [''] : []), ...new Set(leftOut)].join('\n')}\n`,
  )
})
