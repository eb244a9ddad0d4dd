/** A program: runs the suite that its argument names, and prints what came of it as a JSON line. */
import { adapter } from './adapter-node.ts'
import type { SuiteName } from './conformance.ts'
import { runSuite } from './vitest.ts'

const suite = process.argv.at(-1) as SuiteName
// The file is imported while it is collected: what it imports may register hooks.
const outcome = await runSuite(suite, async () => (await import('./conformance.ts')).describeSuite(suite, adapter))
process.stdout.write(`\n${JSON.stringify(outcome)}\n`)
