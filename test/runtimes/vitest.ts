/**
 * What the suites import of `vitest`, where vitest itself does not run: its own collecting, running and matching, which need no runtime.
 * Bundles take this file in its place.
 */
import { ASYMMETRIC_MATCHERS_OBJECT, chai, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from '@vitest/expect'
import { type File, startTests, type Task, type Test, type VitestRunner } from '@vitest/runner'

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
  /** Each test that was left out, and why. */
  leftOut: Record<string, string>
}

/** Why tests can not apply where they would run, by their name or that of what they stand in: `a Blob > reads any range`. */
export type LeftOut = Readonly<Record<string, string>>

/** Runs the suite that `collect` describes, but for what is left out: each entry must be the name of something. */
export async function runSuite(name: string, collect: () => Promise<void>, leftOut: LeftOut = {}): Promise<Outcome> {
  const outcome: Outcome = { passed: 0, skipped: 0, failed: [], leftOut: {} }
  const onCollected = (files: File[]) => {
    for (const [place, reason] of Object.entries(leftOut)) {
      const tests = files.flatMap((file) => testsOf(file, [])).filter(({ path }) => ` > ${path} > `.includes(` > ${place} > `))
      if (tests.length === 0) outcome.failed.push(`${place} is left out, and is no test`)
      for (const { test, path } of tests) {
        test.mode = 'skip'
        outcome.leftOut[path] = reason
      }
    }
  }
  const [file] = await startTests([name], { config: CONFIG, importFile: collect, onCollected })
  count(file as File, '', outcome)
  outcome.skipped -= Object.keys(outcome.leftOut).length
  return outcome
}

/** With the names that lead to them, without the file's. */
function testsOf(task: Task, names: readonly string[]): { test: Test; path: string }[] {
  if (task.type === 'test') return [{ test: task, path: [...names, task.name].join(' > ') }]
  return task.tasks.flatMap((each) => testsOf(each, task.type === 'suite' && 'filepath' in task ? names : [...names, task.name]))
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
  testTimeout: 300_000,
  hookTimeout: 300_000,
  retry: 0,
  includeTaskLocation: false,
  tags: [],
  tagsFilter: undefined,
  strictTags: false,
}
