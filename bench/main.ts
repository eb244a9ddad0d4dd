/** `npm run bench -- NAME ARGS`: runs one benchmark; the rest of the line is its own. */
import { say } from './harness.ts'

interface Benchmark {
  help: string
  /** Resolves to the exit code. */
  run(args: readonly string[]): Promise<number>
}

/** Loaded when asked for: `versus` needs nothing of the engine, and runs where the engine does not. */
const BENCHMARKS: Readonly<Record<string, () => Promise<Benchmark>>> = {
  cinder: () => import('./cinder.ts'),
  core: () => import('./core.ts'),
  pipeline: () => import('./pipeline.ts'),
  runtimes: () => import('./runtimes.ts'),
  versus: () => import('./versus.ts'),
}

async function main([name, ...args]: readonly string[]): Promise<number> {
  const load = name === undefined ? undefined : BENCHMARKS[name]
  if (load === undefined || args.includes('--help')) {
    const shown = load === undefined ? Object.values(BENCHMARKS) : [load]
    say('npm run bench -- BENCHMARK [OPTIONS]\n\nTables go to stderr; JSON lines go to stdout with --json, or when it is not a terminal.\n')
    for (const each of shown) say(`${(await each()).help}\n`)
    return name === undefined || load !== undefined || name === '--help' ? 0 : 2
  }
  return await (await load()).run(args)
}

// `… --json | head` ends here, quietly
process.stdout.on('error', () => process.exit(1))

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    say(error instanceof Error ? error.message : String(error))
    process.exitCode = 1
  },
)
