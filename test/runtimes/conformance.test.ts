/** Every contract's suite on every runtime: one table, suite × runtime × passed. */
import { afterAll, describe, expect, it } from 'vitest'
import { lacksLoop } from '../node/devices.ts'
import { temporaryDirectory } from '../repository/support/volumes.ts'
import { bundlePrograms, runProgram } from './bundles.ts'
import { SUITES } from './conformance.ts'
import { RUNTIMES } from './runtimes.ts'
import type { Outcome } from './vitest.ts'

const programOf = await bundlePrograms(temporaryDirectory(), 'suite')
const table = new Map<string, Outcome>()

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

afterAll(() => {
  const names = RUNTIMES.map(({ name }) => name)
  const cell = (suite: string, name: string) => {
    const outcome = table.get(`${suite}/${name}`)
    return outcome ? `${outcome.passed}/${outcome.passed + outcome.failed.length}` : '-'
  }
  const rows = SUITES.map((suite) => `| ${[suite, ...names.map((name) => cell(suite, name))].join(' | ')} |`)
  process.stdout.write(`\n| suite | ${names.join(' | ')} |\n|${' --- |'.repeat(names.length + 1)}\n${rows.join('\n')}\n`)
})
