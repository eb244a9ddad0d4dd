/**
 * What the suites import of `vitest`, where vitest itself does not run: its own collecting, running and matching, which need no runtime.
 * Bundles take this file in its place.
 */
import { ASYMMETRIC_MATCHERS_OBJECT, chai, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from '@vitest/expect'
import { type File, startTests, type Task, type VitestRunner } from '@vitest/runner'

export { afterAll, afterEach, beforeAll, beforeEach, describe, it, onTestFinished, test } from '@vitest/runner'

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin)
const matchers = (globalThis as unknown as Record<symbol, object>)[ASYMMETRIC_MATCHERS_OBJECT]
export const expect: typeof chai.expect = Object.assign(
  ((value: unknown, message?: string) => chai.expect(value, message)) as typeof chai.expect,
  chai.expect,
  matchers,
)

export interface Outcome {
  passed: number
  skipped: number
  /** Each test that failed, and why. */
  failed: string[]
}

/** Runs the suite that `collect` describes. */
export async function runSuite(name: string, collect: () => Promise<void>): Promise<Outcome> {
  const [file] = await startTests([name], { config: CONFIG, importFile: collect })
  const outcome: Outcome = { passed: 0, skipped: 0, failed: [] }
  count(file as File, '', outcome)
  return outcome
}

function count(task: Task, path: string, outcome: Outcome): void {
  const name = path === '' ? task.name : `${path} > ${task.name}`
  const { state, errors = [] } = task.result ?? {}
  if (state === 'fail' && (task.type === 'test' || errors.length > 0)) {
    outcome.failed.push(`${name}\n${errors.map(({ message, stack }) => stack ?? message).join('\n')}`)
  } else if (task.type === 'test' && state === 'pass') outcome.passed++
  else if (task.type === 'test') outcome.skipped++
  if (task.type === 'suite') for (const each of task.tasks) count(each, name, outcome)
}

const CONFIG: VitestRunner['config'] = {
  root: '/',
  name: undefined,
  setupFiles: [],
  passWithNoTests: false,
  testNamePattern: undefined,
  allowOnly: false,
  sequence: { seed: 1, hooks: 'stack', setupFiles: 'list' },
  chaiConfig: undefined,
  maxConcurrency: 1,
  testTimeout: 120_000,
  hookTimeout: 120_000,
  retry: 0,
  includeTaskLocation: false,
  tags: [],
  tagsFilter: undefined,
  strictTags: false,
}
