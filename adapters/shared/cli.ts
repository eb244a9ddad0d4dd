#!/usr/bin/env node
/**
 * The `blockvault` command on whichever runtime opens it. Its own code is loaded when the runtime is known to be new enough: what is too old
 * fails anywhere, and does not say why.
 */
import { tooOld } from './runtime-version.ts'

const runtime = 'Deno' in globalThis ? 'Deno' : 'Bun' in globalThis ? 'Bun' : 'Node'
const problem = tooOld(runtime, runtime === 'Deno' ? Deno.version.deno : (process.versions[runtime.toLowerCase()] ?? ''))
if (problem) {
  // biome-ignore lint/suspicious/noConsole: what every version of every runtime has.
  console.error(problem)
  if (runtime === 'Deno') Deno.exit(1)
  process.exit(1)
}
if (runtime === 'Deno') await import('../deno/cli.ts')
else if (runtime === 'Bun') await import('../bun/cli.ts')
else await import('../node/cli.ts')
